"""The batch script for Slurm: directives above the shared envelope."""

from __future__ import annotations

from hpcnet.model.submission import Submission
from hpcnet.posix.envelope import Envelope, job_script
from hpcnet.schedulers.slurm.options import submission_options


def render(submission: Submission) -> str:
    """The whole script. Raises `JobError`."""
    directives = [f"#SBATCH {option}" for option in submission_options(submission)]
    # Since 22.05 srun no longer takes --cpus-per-task from its sbatch.
    exports = {"SRUN_CPUS_PER_TASK": str(submission.job.requirements.cpus_per_task)}
    return job_script(submission, Envelope('"$SLURM_JOB_ID"', directives, exports))
