"""The only place where foreign text becomes part of a shell script."""

from __future__ import annotations

import shlex
from itertools import count


def quote(text: str) -> str:
    """One shell word that stands for exactly this text. Raises `ValueError` for a null byte."""
    return shlex.quote(_without_null(text))


def quote_all(words: tuple[str, ...]) -> str:
    """These words, each quoted."""
    return " ".join(quote(word) for word in words)


def here_document(text: str) -> str:
    """What follows a command to feed it this text: `<<'DELIMITER'` and all its lines.

    Nothing in the text is expanded. A missing last newline is added. Raises `ValueError` for a
    null byte.
    """
    body = _without_null(text)
    if not body.endswith("\n"):
        body += "\n"
    delimiter = next(name for n in count() if (name := f"HPCNET_END_{n}") not in body)
    return f"<<'{delimiter}'\n{body}{delimiter}\n"


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("a null byte cannot be passed to any program")
    return text
