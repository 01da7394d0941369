"""Hard rules about one partition. Each returns None, or the refusal with its sentence.

What a descriptor does not say refuses nothing: the scheduler's own `--test-only` answer, the last
rule, still stands between a job and a partition that cannot run it.
"""

from __future__ import annotations

from collections.abc import Callable

from hpcnet.matchmaking.case import PartitionCase
from hpcnet.model.decision import Refusal
from hpcnet.model.quantities import format_memory, format_walltime

PartitionRule = Callable[[PartitionCase], Refusal | None]


def named_partition(case: PartitionCase) -> Refusal | None:
    """A script may name its partitions, separated by commas as in sbatch(1)."""
    wanted = case.job.requirements.partition
    if wanted is None or case.partition.name in wanted.split(","):
        return None
    return case.refuse(
        "partition",
        need=wanted,
        have=case.partition.name,
        reason=f"the job asks for partition {wanted}",
        hint="leave requirements.partition out to let every partition compete",
    )


def architecture(case: PartitionCase) -> Refusal | None:
    """Binaries run on the architecture they were built for."""
    need, have = case.job.requirements.architecture, case.partition.architecture
    if need is None or have is None or need == have:
        return None
    return case.refuse(
        "architecture",
        need=need,
        have=have,
        reason=f"its nodes are {have}",
        hint="leave requirements.architecture out if the job runs on both",
    )


def most_nodes(case: PartitionCase) -> Refusal | None:
    """No more nodes than the limit of the partition, nor than it has."""
    need = case.job.requirements.nodes
    limits = [limit for limit in (case.partition.max_nodes, case.partition.nodes) if limit is not None]
    if not limits or need <= min(limits):
        return None
    most = min(limits)
    return case.refuse(
        "nodes",
        need=f"{need} nodes",
        have=f"at most {most}",
        reason=f"a job there may have at most {most} nodes",
        hint=f"fits if nodes <= {most}",
    )


def fewest_nodes(case: PartitionCase) -> Refusal | None:
    """Some partitions are for large jobs only."""
    need, least = case.job.requirements.nodes, case.partition.min_nodes
    if need >= least:
        return None
    return case.refuse(
        "nodes",
        need=f"{need} nodes",
        have=f"at least {least}",
        reason=f"the partition is for jobs of {least} nodes or more",
        hint=f"fits if nodes >= {least}",
    )


def cpus(case: PartitionCase) -> Refusal | None:
    """The tasks of a node fit on it."""
    need, have = case.job.requirements.cpus_per_node, case.partition.cpus_per_node
    if have is None or need <= have:
        return None
    return case.refuse(
        "cpus",
        need=f"{need} CPUs per node",
        have=f"{have}",
        reason=f"its nodes have {have} CPUs",
        hint=f"fits if tasks_per_node x cpus_per_task <= {have}; more nodes make up for it",
    )


def memory(case: PartitionCase) -> Refusal | None:
    """The memory of a node suffices."""
    need, have = case.job.requirements.memory_per_node_mib, case.partition.memory_per_node_mib
    if need is None or have is None or need <= have:
        return None
    return case.refuse(
        "memory",
        need=f"{format_memory(need)} per node",
        have=format_memory(have),
        reason=f"its nodes have {format_memory(have)}",
        hint=f"fits if memory_per_node <= {format_memory(have)}",
    )


def gpus(case: PartitionCase) -> Refusal | None:
    """A node has the GPUs."""
    need, have = case.job.requirements.gpus_per_node, case.partition.gpus_per_node
    if need <= have:
        return None
    return case.refuse(
        "gpus",
        need=f"{need} GPUs per node",
        have=f"{have}" if have else "none",
        reason=f"its nodes have {have} GPUs" if have else "its nodes have no GPU",
        hint=f"fits if gpus_per_node <= {have}" if have else "fits if gpus_per_node = 0",
    )


def gpu_model(case: PartitionCase) -> Refusal | None:
    """A job may want one model of GPU."""
    need, have = case.job.requirements.gpu_model, case.partition.gpu_model
    if need is None or have is None or need == have or not case.job.requirements.gpus_per_node:
        return None
    return case.refuse(
        "gpu-model",
        need=need,
        have=have,
        reason=f"its GPUs are {have}",
        hint="leave requirements.gpu_model out if any model serves",
    )


def walltime(case: PartitionCase) -> Refusal | None:
    """The walltime is within the limit of the partition."""
    need, most = case.job.requirements.walltime_s, case.partition.max_walltime_s
    if most is None or need <= most:
        return None
    return case.refuse(
        "walltime",
        need=format_walltime(need),
        have=f"at most {format_walltime(most)}",
        reason=f"a job there may run at most {format_walltime(most)}",
        hint=f'fits if walltime <= "{format_walltime(most)}"; a job that writes checkpoints can be chained',
    )


def account(case: PartitionCase) -> Refusal | None:
    """Some partitions demand the account that pays."""
    configured = case.job.requirements.account or (case.access and case.access.account)
    if not case.partition.account_required or configured or case.access is None:
        return None
    return case.refuse(
        "account",
        need="an account",
        have="none configured",
        reason="this partition wants to know which account pays",
        hint=f"set account in [access.{case.site.id}] of the configuration",
    )


def allocation(case: PartitionCase) -> Refusal | None:
    """What remains of the allocation covers the job."""
    left = case.access.allocation_node_hours if case.access else None
    need = case.job.requirements.nodes * case.job.requirements.walltime_s / 3600
    if left is None or need <= left:
        return None
    return case.refuse(
        "allocation",
        need=f"{need:g} node-hours",
        have=f"{left:g} node-hours left",
        reason=f"the remaining allocation of {left:g} node-hours does not cover it",
        hint=f"fits if nodes x walltime <= {left:g} node-hours",
    )


def surveyed(case: PartitionCase) -> Refusal | None:
    """The scheduler shows the partition, and it is up."""
    if case.state is None or case.state.up:
        return None
    return case.refuse(
        "availability",
        need="a partition that takes jobs",
        have="down, drained or unknown to the scheduler",
        reason="the scheduler says that the partition takes no jobs now",
        hint="try again later, or ask the site",
    )


def test_only(case: PartitionCase) -> Refusal | None:
    """The scheduler itself says no."""
    answer = case.state.test_start if case.state else None
    if answer is None or answer.refusal is None:
        return None
    return case.refuse(
        "scheduler",
        need="a job that the scheduler accepts",
        have="refused by sbatch --test-only",
        reason=f"the scheduler says: {answer.refusal}",
        hint="see the requirements of the job and the limits of the partition",
    )


RULES: tuple[PartitionRule, ...] = (
    named_partition,
    architecture,
    most_nodes,
    fewest_nodes,
    cpus,
    memory,
    gpus,
    gpu_model,
    walltime,
    account,
    allocation,
    surveyed,
    test_only,
)
