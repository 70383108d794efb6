"""What kinds of events are there?"""
