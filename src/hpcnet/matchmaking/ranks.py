"""Soft ranks: which of the sites that can run a job is best for a goal. Lower scores are better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hpcnet.model.decision import Candidate, Estimate
from hpcnet.model.job import Goal

_TERMS = {
    Goal.TIME: ("finish_s",),
    Goal.ENERGY: ("energy_j",),
    Goal.CARBON: ("carbon_g",),
    Goal.COST: ("cost_node_hours",),
    Goal.BALANCED: ("finish_s", "energy_j", "carbon_g", "cost_node_hours"),
}


def order(candidates: Sequence[Candidate], goal: Goal, home_site: str | None) -> tuple[Candidate, ...]:
    """Best first. The score of a term is its ratio to the best one's; several terms are averaged.

    A candidate without a needed number comes after all that have it. Between equal scores the
    shorter wait wins, then the home site, then the name, so that the order is always the same.
    """
    best = {term: _smallest(candidates, term) for term in _TERMS[goal]}
    scored = [replace(item, score=_score(item, best)) for item in candidates]

    def position(item: Candidate) -> tuple[float, float, bool, str, str]:
        unknown = float("inf")
        score = unknown if item.score is None else item.score
        wait = unknown if item.wait_s.value is None else item.wait_s.value
        return (score, wait, item.site != home_site, item.site, item.partition)

    return tuple(sorted(scored, key=position))


def _values(item: Candidate, terms: Sequence[str]) -> list[float | None]:
    estimates: list[Estimate] = [getattr(item, term) for term in terms]
    return [estimate.value for estimate in estimates]


def _smallest(candidates: Sequence[Candidate], term: str) -> float | None:
    known = [value for item in candidates for value in _values(item, [term]) if value is not None]
    return min(known, default=None)


def _score(item: Candidate, best: dict[str, float | None]) -> float | None:
    """The mean ratio to the best over the terms that any candidate knows."""
    ratios: list[float] = []
    for term, smallest in best.items():
        if smallest is None:
            continue
        value = _values(item, [term])[0]
        if value is None:
            return None
        ratios.append(_ratio(value, smallest))
    return sum(ratios) / len(ratios) if ratios else None


def _ratio(value: float, smallest: float) -> float:
    # A best term of zero (nothing to wait for, nothing to pay) would make every ratio infinite.
    return (value + 1.0) / (smallest + 1.0)
