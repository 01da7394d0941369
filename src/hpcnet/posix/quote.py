"""The only place where foreign text becomes part of a shell script."""

from __future__ import annotations

import shlex


def quote(text: str) -> str:
    """One shell word that stands for exactly this text. Raises `ValueError` for a null byte."""
    return shlex.quote(_without_null(text))


def quote_all(words: tuple[str, ...]) -> str:
    """These words, each quoted."""
    return " ".join(quote(word) for word in words)


def write_file(path: str, text: str) -> str:
    """Shell text that writes exactly this text to a file; its status says whether it could.

    `path` is quoted already. Not a here-document: dash 0.5.12 loses a byte of a line that begins
    like the delimiter and goes on with a character beyond ASCII. `printf` is built in: no limit of
    an argument list applies. Raises `ValueError` for a null byte.
    """
    return f"printf '%s' {quote(text)} >{path}"


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("a null byte cannot be passed to any program")
    return text
