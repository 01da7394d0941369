"""`hpcnet why-not`: why a job did not go to a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hpcnet.cli.console import examples, json_option, say, say_json

if TYPE_CHECKING:
    from hpcnet.model.decision import Decision


@click.command(name="why-not", epilog=examples("hpcnet why-not j-01J9 cl-nlhpc"))
@click.argument("job")
@click.argument("site")
@json_option
def why_not(job: str, site: str, as_json: bool) -> None:
    """Print why JOB did not go to SITE, as it was decided; nothing is computed again."""
    from hpcnet.broker import records
    from hpcnet.errors import UsageError
    from hpcnet.model.plain import to_plain
    from hpcnet.wiring import house

    with house().broker() as broker:
        decision = records.decision_of(broker, records.resolve(broker, [job])[0])
    refused = [item for item in decision.refused if item.site == site]
    place = next((place for place, item in enumerate(decision.ranked, 1) if item.site == site), None)
    if not refused and place is None:
        raise UsageError(f"site '{site}' was not considered for {decision.job}", hint="see hpcnet why")
    if as_json:
        say_json({"job": decision.job, "site": site, "place": place, "refused": to_plain(tuple(refused))})
        return
    if place is not None:
        _say_place(decision, place)
    _say_refused(decision, site)


def _say_place(decision: Decision, place: int) -> None:
    from hpcnet.cli.decisions import say_reasons

    item, best = decision.ranked[place - 1], decision.ranked[0]
    if place == 1:
        say(f"{item.site} was chosen for {decision.job}:")
    else:
        say(f"{item.site} fits, but ranks {place} for goal '{decision.goal}', behind {best.site}:")
        say_reasons(best)
    say_reasons(item)


def _say_refused(decision: Decision, site: str) -> None:
    from hpcnet.cli.decisions import refusal_sentence

    for refusal in decision.refused:
        if refusal.site == site:
            say(refusal_sentence(refusal))
