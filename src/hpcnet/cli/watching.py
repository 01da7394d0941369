"""Shows jobs while they wait and run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hpcnet.cli.console import one_line, remark, terminal
from hpcnet.cli.jobs import remark_troubles, state_in_words, time_in_words
from hpcnet.model.record import JobRecord
from hpcnet.model.state import JobState, Trouble

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_SIGNS = {JobState.COMPLETED: "✔", JobState.FAILED: "✘", JobState.CANCELED: "✘", JobState.ACTIVE: "▶"}


class Watch:
    """A live table on a terminal, a line for every change otherwise; all on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live: Live | None = None
        self._before: dict[str, str] = {}
        self._troubled: set[str] = set()

    def __call__(self, found: Sequence[JobRecord], troubles: dict[str, Trouble]) -> None:
        """Show the jobs as they are now."""
        fresh = {site: trouble for site, trouble in troubles.items() if site not in self._troubled}
        self._troubled = set(troubles)
        remark_troubles(fresh)
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._draw(found)
        else:
            self._say_changes(found)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def _say_changes(self, found: Sequence[JobRecord]) -> None:
        for record in found:
            words = state_in_words(record)
            if self._before.get(record.id) != words:
                self._before[record.id] = words
                remark(f"{record.id}  {words}")

    def _draw(self, found: Sequence[JobRecord]) -> None:
        from rich.live import Live

        if self._live is None:
            self._live = Live(_Jobs(found), console=terminal(stderr=True), refresh_per_second=4)
            self._live.start()
        self._live.update(_Jobs(found))


class _Jobs:
    """Drawn afresh at each refresh, so that the clock of a running job ticks between looks."""

    def __init__(self, found: Sequence[JobRecord]) -> None:
        self._found = found

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        now = datetime.now(UTC)
        for record in self._found:
            place = f"{record.site}/{record.partition}" if record.site else ""
            sign = _SIGNS.get(record.state, "…")
            words = one_line(state_in_words(record))
            table.add_row(sign, record.id, one_line(record.name), words, place, time_in_words(record, now))
        return table
