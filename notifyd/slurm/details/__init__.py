"""What more is there to say of an end?"""
