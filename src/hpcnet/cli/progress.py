"""Shows progress: a bar for a person at a terminal, a line at a time otherwise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hpcnet.cli.console import remark, terminal
from hpcnet.model.progress import Progress as Step

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ProgressDisplay:
    """Listens to a broker. Nothing is drawn before something took place."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()

    def __call__(self, step: Step) -> None:
        """Take notice of one step."""
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._draw(step)
        elif step.step not in self._told and step.total is None:
            self._told.add(step.step)
            remark(step.message)

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the bars away, so that results can be printed; later steps draw new ones."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def _draw(self, step: Step) -> None:
        bars = self._started()
        if step.step not in self._tasks:
            self._tasks[step.step] = bars.add_task(step.message, total=step.total)
        bars.update(
            self._tasks[step.step], description=step.message, total=step.total, completed=step.done or 0
        )

    def _started(self) -> Progress:
        if self._bars is None:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._bars = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=terminal(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self._bars
