"""How is it sent?"""
