"""What is said to a site and what came back: text in, text out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer_co = TypeVar("Answer_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Completed:
    """How a script at a site ended: its own output only, banners and profiles cut away."""

    exit_status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Question(Generic[Answer_co]):
    """One remote call: POSIX-sh text for `/bin/sh -s`, and how to read what comes back.

    `script` holds foreign text only through `hpcnet.posix.quote` or a quoted here-document.
    `deadline_s` is the broker's own limit: past it the link is given up, not the remote work.
    """

    script: str
    read: Callable[[Completed], Answer_co]
    deadline_s: float = 60.0
