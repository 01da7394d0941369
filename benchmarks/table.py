"""Draws results as tables that read well on a terminal and paste into Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.measure import Count, Race, Series, verdict

_COUNTS = ("what", "site", "partitions", "plan (ms)", "execs a plan", "bar", "")
_RACES = ("what", "ours", "min / median / max (ms)", "against", "min / median / max (ms)", "ratio", "bar", "")


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(3, *(len(line[index]) for line in lines)) for index in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)


def races(found: Iterable[Race]) -> str:
    """One line for each race, with its verdict."""
    return markdown(_RACES, [_line(race) for race in found])


def series(found: Iterable[Series]) -> str:
    """One line for each series that is not set against another."""
    return markdown(("what", "min / median / max (ms)"), [(one.name, one.words) for one in found])


def counts(found: Iterable[Count]) -> str:
    """One line for each count, with its verdict."""
    return markdown(_COUNTS, [_count(one) for one in found])


def _count(one: Count) -> tuple[str, ...]:
    taken = f"{1000 * one.seconds:.0f}"
    said = verdict(one.execs, one.limit)
    return one.what, one.site, str(one.partitions), taken, f"{one.execs:g}", str(one.limit), said


def _line(race: Race) -> tuple[str, ...]:
    return (
        race.what,
        race.ours.name,
        race.ours.words,
        race.theirs.name,
        race.theirs.words,
        f"{race.ratio:.2f}x",
        "-" if race.limit is None else f"{race.limit:g}x",
        verdict(race.ratio, race.limit),
    )
