"""How fast messages are delivered, beside those who do the same."""
