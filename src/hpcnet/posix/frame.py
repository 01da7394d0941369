"""Puts a script's output between markers, so that banners and profiles can be cut away."""

from __future__ import annotations

import re

from hpcnet.errors import LinkLost
from hpcnet.model.command import Completed

# The whole script is one compound command: a shell that received only half of it runs none of it.
_FRAME = """\
printf '\\nhpcnet-begin %s\\n' {marker}; printf '\\nhpcnet-begin %s\\n' {marker} >&2
(
{script}
) </dev/null
hpcnet_status=$?
printf '\\nhpcnet-end %s %s\\n' {marker} "$hpcnet_status" >&2
printf '\\nhpcnet-end %s %s\\n' {marker} "$hpcnet_status"
exit "$hpcnet_status"
"""


def frame(script: str, marker: str) -> str:
    """`script` with both streams between a begin and an end marker; the end says the exit status.

    `marker` is random, letters and digits only, so that nothing else can print it.
    """
    if not re.fullmatch(r"[A-Za-z0-9]+", marker):
        raise ValueError("a marker has letters and digits only")
    return _FRAME.format(marker=marker, script=script.rstrip("\n") + "\n")


def unframe(raw: Completed, marker: str) -> Completed:
    """The script's own streams and exit status. Raises `LinkLost` where an end marker is missing."""
    stdout, status = _between(raw.stdout, marker, raw)
    stderr, _ = _between(raw.stderr, marker, raw)
    return Completed(status, stdout, stderr)


def _between(stream: str, marker: str, raw: Completed) -> tuple[str, int]:
    begin = f"\nhpcnet-begin {marker}\n"
    _, found, own = stream.rpartition(begin)
    end = re.search(rf"\nhpcnet-end {re.escape(marker)} (\d+)\n", own)
    if not found or end is None:
        words = raw.stderr.strip().splitlines()
        said = f"; its last words: {words[-1]}" if words else ""
        raise LinkLost(
            f"the answer broke off in the middle{said}",
            hint="what the site did is not known: look again before anything is repeated",
        )
    return own[: end.start()], int(end[1])
