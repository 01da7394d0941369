"""`hpcnet site`: the sites on file and their host keys."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hpcnet.cli.console import examples, json_option, remark, say, say_json, say_table
from hpcnet.errors import UsageError


@click.group(
    name="site", epilog=examples("hpcnet site list", "hpcnet site show lumi", "hpcnet site pin cl-nlhpc")
)
def site() -> None:
    """List, show and validate sites, and pin their host keys."""


@site.command(name="list")
@json_option
def list_sites(as_json: bool) -> None:
    """List the sites on file, and which of them you have access to."""
    from hpcnet.wiring import house

    access = house().configuration.access
    sites = sorted(house().sites.values(), key=lambda site: site.id)
    if as_json:
        say_json(
            [
                {"id": site.id, "name": site.name, "country": site.country, "access": site.id in access}
                for site in sites
            ]
        )
        return
    rows = [
        (
            site.id,
            site.name,
            site.country or "?",
            ", ".join(partition.name for partition in site.partitions),
            "yes" if site.id in access else "",
        )
        for site in sites
    ]
    say_table(("SITE", "NAME", "COUNTRY", "PARTITIONS", "ACCESS"), rows)


@site.command(name="show")
@click.argument("site_id", metavar="SITE")
@json_option
def show_site(site_id: str, as_json: bool) -> None:
    """Print the descriptor of SITE with the source of each value."""
    from hpcnet.wiring import house

    with house().broker() as broker:
        site = broker.site(site_id)
    plain = site.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    if as_json:
        say_json(plain)
        return
    provenance = plain.pop("provenance", {})
    for path, value in _leaves(plain):
        source = provenance.get(path)
        note = f"   # {source['source']} {source.get('date', '')} [{source['confidence']}]" if source else ""
        say(f"{path} = {value!r}{note}")


@site.command(name="validate")
@click.argument("file", type=click.Path(path_type=Path), nargs=-1, required=True)
@json_option
def validate_site(file: tuple[Path, ...], as_json: bool) -> None:
    """Check descriptor FILEs; every fault of all of them is printed. Exits 78 if there is one."""
    from hpcnet.wiring import validate_descriptors

    sites = validate_descriptors(file)
    if as_json:
        say_json([{"id": site.id, "valid": True} for site in sites])
        return
    for site in sites:
        say(f"{site.id}: valid, {len(site.partitions)} partitions")


@site.command(name="pin")
@click.argument("site_id", metavar="SITE")
@click.option("--yes", is_flag=True, help="Do not ask; needs --fingerprint.")
@click.option("--fingerprint", help="The fingerprint that the site publishes (SHA256:...).")
@json_option
def pin_site(site_id: str, yes: bool, fingerprint: str | None, as_json: bool) -> None:
    """Ask SITE for its host keys, show their fingerprints, and pin them if you agree.

    Compare the fingerprints with those that the site publishes: this is the one moment of trust.
    """
    from hpcnet.wiring import house, pin_host_keys, shown_host_keys

    if yes and fingerprint is None:
        raise UsageError("--yes pins without asking: give --fingerprint with what the site publishes")
    with house().broker() as broker:
        shown = shown_host_keys(broker.site(site_id))
    for key, print_ in shown.fingerprints.items():
        remark(f"{shown.host}:{shown.port}  {key.split()[0]}  {print_}")
    keys = [key for key, print_ in shown.fingerprints.items() if fingerprint in {None, print_}]
    if not keys:
        raise UsageError(f"{site_id} shows no key with the fingerprint {fingerprint}: do not trust it")
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is nobody to ask", hint="scripts say --yes --fingerprint SHA256:...")
    if not yes and not click.confirm("Does the site publish these fingerprints?", err=True):
        raise UsageError("nothing was pinned")
    file = pin_host_keys(shown, keys)
    remark(f"pinned in {file}")
    if as_json:
        say_json({"site": site_id, "host": shown.host, "pinned": [shown.fingerprints[key] for key in keys]})


def _leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    """Every value of nested tables with its key path."""
    if isinstance(value, dict):
        pairs = [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        pairs = [
            (f"{path}.{item.get('name', number) if isinstance(item, dict) else number}", item)
            for number, item in enumerate(value)
        ]
    else:
        return [(path, value)]
    return [leaf for key, item in pairs for leaf in _leaves(item, key)]
