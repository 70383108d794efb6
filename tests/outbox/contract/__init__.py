"""What every store has to keep, whatever it is made of."""
