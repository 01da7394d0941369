"""From requirements to the options of sbatch: one table, bent by each site's own spellings."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hpcnet.errors import JobError
from hpcnet.model.job import JobSpec
from hpcnet.model.quantities import format_walltime
from hpcnet.model.site import Site
from hpcnet.model.submission import Submission
from hpcnet.posix.directory import OUTPUT
from hpcnet.schedulers.slurm.sbatch_options import read_options, words_of
from hpcnet.schedulers.slurm.translation import IMPOSSIBLE

# `{value}` is the requirement; a site's `scheduler.directives` replaces a line or silences it with "".
SPELLINGS: Mapping[str, str] = {
    "nodes": "--nodes={value}",
    "tasks_per_node": "--ntasks-per-node={value}",
    "cpus_per_task": "--cpus-per-task={value}",
    "memory_per_node": "--mem={value}M",
    "walltime": "--time={value}",
    "gpus_per_node": "--gres=gpu:{value}",
    "partition": "--partition={value}",
    "account": "--account={value}",
    "qos": "--qos={value}",
}
_ALIASES = {
    "memory": "memory_per_node",
    "gpus": "gpus_per_node",
    "time": "walltime",
    "tasks": "tasks_per_node",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_COMMENT = 120
# These would keep us from the job's id, or its files from the job directory.
_OURS_ALONE = frozenset({"wait", "quiet", "parsable", "clusters", "chdir"})


def job_options(
    job: JobSpec, site: Site, partition: str, account: str | None, qos: str | None
) -> tuple[str, ...]:
    """The options of a job at a partition, directives carried through included.

    Raises `JobError` for values that could end a directive line, and for directives that would
    make the submission something else than one job.
    """
    own = {_ALIASES.get(key, key): text for key, text in site.scheduler.directives.items()}
    spellings = {**SPELLINGS, **own}
    shape = _spelled(_shape(job), spellings)
    destination = _spelled({"partition": partition, "account": account, "qos": qos}, spellings)
    # The last of two equal options counts: what is carried bends the shape, never the destination.
    return tuple(one_line(option) for option in (*shape, *_carried(job), *destination))


def submission_options(submission: Submission) -> tuple[str, ...]:
    """All directives of a submission; its token is the job name, the person's name the comment."""
    options = job_options(
        submission.job, submission.site, submission.partition, submission.account, submission.qos
    )
    comment = f"--comment={comment_of(submission.job.name)}"
    # Append: a job that is requeued, or refused by the fence, keeps what the log held before.
    identity = (
        f"--job-name={submission.token}",
        f"--output={OUTPUT}",
        f"--error={OUTPUT}",
        "--open-mode=append",
    )
    return tuple(one_line(option) for option in (comment, *options, *identity))


def option_words(options: tuple[str, ...]) -> list[str]:
    """The same options as words of a command line."""
    return [word for option in options for word in words_of(option)]


def comment_of(name: str) -> str:
    """A job's name in characters that every release prints back unchanged."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:_LONGEST_COMMENT]


def one_line(option: str) -> str:
    """The option itself. Raises `JobError` if it holds a control character."""
    if _CONTROL.search(option):
        raise JobError(f"a control character cannot stand in a directive: {option!r}", hint="remove it")
    return option


def _shape(job: JobSpec) -> dict[str, str | None]:
    need = job.requirements
    gpus = f"{need.gpu_model}:{need.gpus_per_node}" if need.gpu_model else str(need.gpus_per_node)
    return {
        "nodes": str(need.nodes),
        "tasks_per_node": str(need.tasks_per_node),
        "cpus_per_task": str(need.cpus_per_task),
        "memory_per_node": str(need.memory_per_node_mib) if need.memory_per_node_mib else None,
        "walltime": format_walltime(need.walltime_s),
        "gpus_per_node": gpus if need.gpus_per_node else None,
    }


def _spelled(asked: Mapping[str, str | None], spellings: Mapping[str, str]) -> list[str]:
    return [
        spellings[key].replace("{value}", value)
        for key, value in asked.items()
        if value is not None and spellings[key]
    ]


def _carried(job: JobSpec) -> list[str]:
    carried = []
    for directive in job.directives:
        text = one_line(directive.removeprefix("#SBATCH").strip())
        try:
            given = read_options(words_of(text))
        except ValueError as error:
            raise JobError(f"the directive '{text}' cannot be read: {error}") from error
        for option in given:
            if option.name in IMPOSSIBLE or option.name in _OURS_ALONE:
                hint = IMPOSSIBLE.get(option.name, "remove it")
                raise JobError(f"the directive '{option}' cannot be carried through", hint=hint)
            carried.append(str(option))
    return carried
