"""What does Slurm print? Turns its tables into jobs, whatever people write into theirs."""
