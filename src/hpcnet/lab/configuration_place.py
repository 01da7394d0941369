"""The directory of the user that `lab.toml` goes to: what `up` had to make of it goes with `down`."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path


def make_directory(directory: Path, memory: Path) -> None:
    """Makes the directory and those above it; `memory` keeps which were missing. Raises `OSError`."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    if missing:
        # Remembered before it is made: an `up` that is interrupted in between forgets nothing.
        made = sorted({*read_made(memory), *map(str, missing)})
        memory.write_text(json.dumps(made), encoding="utf-8")
        directory.mkdir(parents=True, exist_ok=True)


def read_made(memory: Path) -> tuple[str, ...]:
    """The directories that `up` made; none where nothing can be read."""
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(path for path in found if isinstance(path, str)) if isinstance(found, list) else ()


def remove_made(directory: Path, made: Collection[str]) -> None:
    """Removes the directory and those above it as far as `up` made them and nothing is in them."""
    for path in (directory, *directory.parents):
        if str(path) not in made or not _is_gone(path):
            return


def _is_gone(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # it holds something that is not ours
    return True
