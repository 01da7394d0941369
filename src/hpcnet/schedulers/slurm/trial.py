"""`sbatch --test-only`: when would this job start here, or why never."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import ExpectedStart
from hpcnet.posix.quote import quote_all
from hpcnet.posix.sections import Section
from hpcnet.posix.submit_once import Left
from hpcnet.schedulers.slurm.options import job_options, option_words
from hpcnet.schedulers.slurm.receipts import refusal_words, refused
from hpcnet.schedulers.slurm.times import EPOCH_ENVIRONMENT, moment

_NO_CONTROLLER = "Unable to contact"
_START = re.compile(r"to start at (\S+)")


def trials(job: JobSpec, site: Site, partitions: Sequence[Partition], access: Access) -> str:
    """Shell text, below `sections.FUNCTIONS`: a section `trial <partition>` each."""
    need = job.requirements
    account, qos = need.account or access.account, need.qos or access.qos
    lines = [
        "hpcnet_trial() { printf '#!/bin/sh\\n' | env " + EPOCH_ENVIRONMENT + ' sbatch --test-only "$@"; }'
    ]
    for partition in partitions:
        words = option_words(job_options(job, site, partition.name, account, qos))
        section = quote_all((f"trial {partition.name}",))
        lines.append(f"hpcnet_section {section} hpcnet_trial {quote_all(tuple(words))}")
    return "\n".join(lines) + "\n"


def read_trial(section: Section | None, clock_ahead: timedelta) -> ExpectedStart | None:
    """A start by our own clock, a refusal, or None where the answer is neither."""
    if section is None:
        return None
    match = _START.search(section.text)
    starts_at = moment(match[1]) if match else None
    if starts_at is not None:
        return ExpectedStart(starts_at - clock_ahead)
    if _NO_CONTROLLER not in section.text and refused(Left("", section.exit_status, err=section.text)):
        return ExpectedStart(None, refusal_words(section.text))
    return None
