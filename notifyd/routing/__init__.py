"""Who should hear?"""
