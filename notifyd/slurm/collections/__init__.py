"""Which jobs belong together, and how is their story told as one? Pure."""
