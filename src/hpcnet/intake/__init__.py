"""Reads what a researcher hands in: a job file or an sbatch script."""
