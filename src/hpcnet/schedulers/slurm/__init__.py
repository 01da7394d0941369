"""The dialect of Slurm: sbatch, squeue, sinfo, sacct and scancel as text."""

from hpcnet.schedulers.slurm.plugin import Slurm

SCHEDULER = Slurm()
