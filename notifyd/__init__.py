"""notifyd tells people what happened to their Slurm jobs."""

__version__ = "0.1.0"
