"""What changed between two looks, and what of it is news? Pure."""
