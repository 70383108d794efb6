"""What real Slurm commands printed, kept as text, and the script that records it anew."""
