from __future__ import annotations

import pytest

from hpcnet.model.state import PartitionState
from hpcnet.schedulers.slurm.partitions import partition_states, read_jobs, read_nodes
from hpcnet.schedulers.slurm.times import duration_s, moment


def state(nodes: list[str], jobs: list[str] | None = None) -> PartitionState:
    (found,) = partition_states(read_nodes(nodes), None if jobs is None else read_jobs(jobs), {})
    return found


@pytest.mark.parametrize("shown", ["idle", "idle~", "IDLE"])
def test_a_node_that_a_job_could_have_now_is_idle(shown: str) -> None:
    assert state([f"N|cpu|up|1-00:00:00|3|{shown}"]).nodes_idle == 3


FLAGGED = "idle* idle# idle% idle! idle$ idle@ idle^ idle-"
BUSY = "mix mix- mixed- alloc drng@ drained* down$ down inval maint reserved completing blocked unknown new"


@pytest.mark.parametrize("shown", [*FLAGGED.split(), *BUSY.split()])
def test_a_node_in_any_other_state_is_not_idle(shown: str) -> None:
    found = state([f"N|cpu|up|1-00:00:00|3|{shown}"])

    assert (found.nodes_total, found.nodes_idle) == (3, 0)


def test_a_partition_shown_in_several_rows_is_added_up() -> None:
    rows = [
        "N|cpu|up|30:00|2|idle",
        "N|cpu|up|30:00|1|mixed",
        "N|cpu|up|30:00|4|idle",
        "N|cpu|up|30:00|1K|down*",
    ]

    found = state(rows)

    assert (found.nodes_total, found.nodes_idle) == (1031, 6)


@pytest.mark.parametrize(
    ("shown", "up"), [("up", True), ("down", False), ("drain", False), ("inactive", False)]
)
def test_only_an_up_partition_takes_jobs(shown: str, up: bool) -> None:
    assert state([f"N|cpu|{shown}|30:00|2|idle"]).up is up


def test_words_between_the_rows_are_no_rows() -> None:
    rows = ["sinfo: error: something", "", "N|cpu|up|30:00|2|idle", "N|too|few"]

    assert state(rows).nodes_total == 2


def test_waiting_work_is_counted_in_node_seconds() -> None:
    jobs = [
        "      3 J|cpu|PENDING|2|1:00:00|Priority",
        "      1 J|cpu,gpu|PENDING|1|30:00|Resources",
        "      5 J|gpu|PENDING|9|1:00:00|Priority",
        "     10 J|cpu|RUNNING|1|10:00|None",
    ]

    found = state(["N|cpu|up|1-00:00:00|2|alloc"], jobs)

    assert (found.pending_jobs, found.pending_node_s, found.running_jobs) == (4, 3 * 2 * 3600 + 1800, 10)


@pytest.mark.parametrize("reason", ["JobHeldUser", "Dependency", "DependencyNeverSatisfied", "BeginTime"])
def test_a_job_that_waits_for_something_else_stands_in_nobodys_way(reason: str) -> None:
    found = state(["N|cpu|up|30:00|2|idle"], [f" 7 J|cpu|PENDING|2|1:00:00|{reason}"])

    assert (found.pending_jobs, found.pending_node_s) == (7, 0)


@pytest.mark.parametrize("limit", ["UNLIMITED", "INVALID", "Partition_Limit", "(null)", "N/A", ""])
def test_a_job_without_a_limit_has_that_of_its_partition(limit: str) -> None:
    jobs = [f" 1 J|cpu|PENDING|2|{limit}|Priority"]

    assert state(["N|cpu|up|30:00|2|idle"], jobs).pending_node_s == 3600
    assert state(["N|cpu|up|infinite|2|idle"], jobs).pending_node_s is None


def test_numbers_that_cannot_be_read_are_unknown_and_not_zero() -> None:
    found = state(["N|cpu|up|30:00|n/a|idle"], [" 1 J|cpu|PENDING|(null)|1:00|Priority"])

    assert (found.nodes_total, found.nodes_idle, found.pending_node_s) == (None, None, None)


def test_a_queue_that_did_not_answer_is_unknown_and_not_empty() -> None:
    found = state(["N|cpu|up|30:00|2|idle"], None)

    assert (found.pending_jobs, found.pending_node_s, found.running_jobs) == (None, None, None)


def test_a_reason_with_bars_and_blanks_does_not_split_its_row() -> None:
    jobs = [" 1 J|cpu|PENDING|1|1:00|(ReqNodeNotAvail, UnavailableNodes:n1 | see #4)"]

    assert state(["N|cpu|up|30:00|2|idle"], jobs).pending_jobs == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1-00:00:00", 86400), ("30:00", 1800), ("2:03:04", 7384), ("1-02", 93600), ("5:23.456", 323),
     ("UNLIMITED", None), ("infinite", None), ("NOT_SET", None), ("", None), ("90", None)],
)  # fmt: skip
def test_durations_are_read_or_unknown(text: str, seconds: int | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["N/A", "Unknown", "None", "(null)", "0", "-1", "11 Apr 20:56", "9" * 30])
def test_a_moment_that_cannot_be_read_is_unknown(text: str) -> None:
    assert moment(text) is None


def test_a_moment_is_read_as_epoch_seconds_or_as_a_clock_in_utc() -> None:
    assert moment("1795472709") == moment("2026-11-23T22:25:09")
