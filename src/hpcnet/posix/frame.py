"""Puts a script's output between markers, so that banners and profiles can be cut away."""

from __future__ import annotations

import re

from hpcnet.errors import LinkLost
from hpcnet.model.command import Completed

_LOOK_BY_HAND = "try again; if it stays so, look what the login shell says when you `ssh` there by hand"

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
    _, begun, own = stream.rpartition(f"\nhpcnet-begin {marker}\n")
    end = re.search(rf"\nhpcnet-end {re.escape(marker)} (\d+)\n", own)
    if begun and end is not None:
        return own[: end.start()], int(end[1])
    if begun:
        raise LinkLost(f"the answer broke off in the middle{_last_words(raw.stderr, marker)}", _LOOK_BY_HAND)
    said = _last_words(raw.stderr, marker) or _last_words(raw.stdout, marker)
    raise LinkLost(f"the shell there did not answer the script{said}", _LOOK_BY_HAND)


def _last_words(stream: str, marker: str) -> str:
    """What somebody else than us said last, as a clause; nothing where nobody did."""
    words = [line for line in stream.split("\n") if line.strip() and not _is_ours(line, marker)]
    return f"; its last words: {words[-1].strip()}" if words else ""


def _is_ours(line: str, marker: str) -> bool:
    """Whether a line is one of our markers, or the beginning of one that was cut."""
    ours = (f"hpcnet-begin {marker}", f"hpcnet-end {marker}")
    return any(line.startswith(one) or one.startswith(line) for one in ours)
