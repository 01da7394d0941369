"""The dialect of Slurm: sbatch, squeue, sinfo, sacct and scancel as text."""
