"""What do we still owe? The only SQL in the program."""
