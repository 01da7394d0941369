"""Recorded answers of a real Slurm: dropping a file into a folder of `tests/recorded` adds a test."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from hpcnet.posix.sections import Section
from hpcnet.posix.submit_once import Left
from hpcnet.schedulers.slurm.receipts import read_receipt
from hpcnet.schedulers.slurm.trial import read_trial

RECORDED = Path(__file__).resolve().parents[2] / "recorded" / "slurm"
_SHAPE = re.compile(
    r"\$ (?P<command>.*)\n\[stdout\]\n(?P<out>(?s:.*?))\[stderr\]\n(?P<err>(?s:.*?))"
    r"\[rc\] (?P<rc>\d+).*\n\[means\] (?P<means>.*)\n"
)


class Recorded(NamedTuple):
    out: str
    err: str
    exit_status: int
    means: str


def recorded(path: Path) -> Recorded:
    match = _SHAPE.fullmatch(path.read_text())
    assert match is not None, f"{path} is no recorded answer"
    return Recorded(match["out"], match["err"], int(match["rc"]), match["means"])


def cases(kind: str) -> list[Path]:
    return sorted(RECORDED.glob(f"*/{kind}/*.txt"))


@pytest.mark.parametrize("path", cases("submission"), ids=lambda path: path.stem)
def test_what_sbatch_left_is_an_id_a_refusal_or_unknown(path: Path) -> None:
    case = recorded(path)

    receipt = read_receipt(Left("there", case.exit_status, case.out, case.err))

    said = "unknown"
    if receipt.native_id is not None:
        said = f"submitted: {receipt.native_id}"
    elif receipt.refusal is not None:
        said = f"refused: {receipt.refusal}"
    assert said == case.means


@pytest.mark.parametrize("path", cases("trial"), ids=lambda path: path.stem)
def test_what_test_only_answers_is_a_start_a_refusal_or_unknown(path: Path) -> None:
    case = recorded(path)

    start = read_trial(Section((case.out + case.err).strip(), case.exit_status), timedelta(0))

    said = "unknown"
    if start is not None:
        starts_at = start.starts_at.isoformat() if start.starts_at else None
        said = f"refused: {start.refusal}" if start.refusal else f"starts: {starts_at}"
    assert said == case.means


def test_there_are_recorded_answers_of_both_kinds() -> None:
    assert len(cases("submission")) > 20
    assert len(cases("trial")) > 5
