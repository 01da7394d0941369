"""The hard rule that needs an estimate: a job must be over before its deadline."""

from __future__ import annotations

from datetime import datetime, timedelta

from hpcnet.model.decision import Candidate, Refusal


def deadline_refusal(candidate: Candidate, deadline: datetime | None, now: datetime) -> Refusal | None:
    """The refusal of a candidate that would end too late, if it used its whole walltime.

    A wait that is not known counts as none: what cannot be known refuses nothing.
    """
    if deadline is None:
        return None
    seconds = (candidate.wait_s.value or 0.0) + (candidate.run_s.value or 0.0)
    end = now + timedelta(seconds=seconds)
    if end <= deadline:
        return None
    return Refusal(
        candidate.site,
        candidate.partition,
        "deadline",
        need=f"an end before {deadline:%Y-%m-%d %H:%M %Z}",
        have=f"{end:%Y-%m-%d %H:%M %Z}, if it uses its whole walltime",
        reason="the job would end after its deadline",
        hint="fits with a shorter walltime or a later deadline",
    )
