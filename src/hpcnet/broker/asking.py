"""One question to a site: framed on the way out, unframed and read on the way back."""

from __future__ import annotations

import secrets
from typing import TypeVar

from hpcnet.model.command import Question
from hpcnet.ports import Transport
from hpcnet.posix.frame import frame, unframe

Answer = TypeVar("Answer")


def ask(link: Transport, question: Question[Answer]) -> Answer:
    """Run the question's script over the link and read the answer.

    Raises `LinkLost` when the end of the answer did not arrive, and what the reader raises.
    """
    marker = secrets.token_hex(16)
    raw = link.run(frame(question.script, marker), question.deadline_s)
    return question.read(unframe(raw, marker))
