"""What happened? Asks Slurm, compares, and tells the difference."""
