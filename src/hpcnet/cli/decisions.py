"""Prints a decision: the ranking with its terms, every refusal with its sentence."""

from __future__ import annotations

from typing import Any

from hpcnet.cli.console import say, say_table
from hpcnet.model.decision import Candidate, Decision, Estimate, Refusal
from hpcnet.model.plain import to_plain
from hpcnet.model.quantities import format_duration, format_energy

_COLUMNS = ("", "SITE/PARTITION", "STARTS IN", "ENDS IN", "ENERGY", "CO2", "NODE-HOURS", "SCORE")


def decision_as_json(decision: Decision) -> dict[str, Any]:
    """The plan object of the contract."""
    plain: dict[str, Any] = to_plain(decision)
    best = decision.chosen
    plain["chosen"] = {"site": best.site, "partition": best.partition} if best else None
    return plain


def say_decision(decision: Decision, *, explain: bool = False) -> None:
    """The ranking, the reasons of the best (of all with `explain`), and the refusals."""
    if decision.ranked:
        say(f"Ranking for goal '{decision.goal}':")
        say_table(_COLUMNS, [_row(place, item) for place, item in enumerate(decision.ranked, 1)])
        for item in decision.ranked if explain else decision.ranked[:1]:
            say_reasons(item)
    else:
        say("No site can run this job now.")
    say_refusals(decision.refused)


def say_reasons(candidate: Candidate) -> None:
    """Why a site stands where it stands."""
    say(f"{candidate.site}/{candidate.partition}:")
    for reason in candidate.reasons:
        say(f"  - {reason}")


def say_refusals(refused: tuple[Refusal, ...]) -> None:
    """Every refusal; sites without an account are gathered in one line."""
    without = [item.site for item in refused if item.rule == "access"]
    others = [item for item in refused if item.rule != "access" and item.site not in without]
    if others:
        say("Refused:")
        for item in others:
            say(f"  {refusal_sentence(item)}")
    if without:
        say(f"No account configured: {', '.join(sorted(without))}")


def refusal_sentence(refusal: Refusal) -> str:
    """`site/partition: reason (need ..., have ...); hint`."""
    place = f"{refusal.site}/{refusal.partition}" if refusal.partition else refusal.site
    hint = f"; {refusal.hint}" if refusal.hint else ""
    return f"{place}: {refusal.reason} (need {refusal.need}, have {refusal.have}){hint}"


def _row(place: int, item: Candidate) -> tuple[object, ...]:
    return (
        place,
        f"{item.site}/{item.partition}",
        _duration(item.wait_s),
        _duration(item.finish_s),
        "?" if item.energy_j.value is None else format_energy(item.energy_j.value),
        "?" if item.carbon_g.value is None else f"{item.carbon_g.value:.3g} g",
        "?" if item.cost_node_hours.value is None else f"{item.cost_node_hours.value:.3g}",
        "?" if item.score is None else f"{item.score:.2f}",
    )


def _duration(estimate: Estimate) -> str:
    if estimate.value is None:
        return "?"
    return "now" if estimate.value == 0 else format_duration(estimate.value)
