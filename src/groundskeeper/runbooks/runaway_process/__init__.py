"""A process takes the machine from everybody else."""
