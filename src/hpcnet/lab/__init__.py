"""A training federation on this machine: real Slurm clusters behind real sshd."""
