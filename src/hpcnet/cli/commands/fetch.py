"""`hpcnet fetch`: bring the results home."""

from __future__ import annotations

from pathlib import Path

import click

from hpcnet.cli.console import examples, json_option, remark, say, say_json
from hpcnet.errors import UsageError


@click.command(
    name="fetch", epilog=examples("hpcnet fetch j-01J9", "hpcnet fetch j-01J9 results/ --pattern '*.npz'")
)
@click.argument("job")
@click.argument(
    "directory", required=False, type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]"
)
@click.option("--pattern", multiple=True, help="Instead of the job's stage_out; ** crosses directories.")
@click.option("--all", "everything", is_flag=True, help="Every file of the job directory.")
@json_option
def fetch(
    job: str, directory: Path | None, pattern: tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Copy the results of JOB into DIR (default: a directory named after the job).

    Each file's SHA-256 is compared with the site's. Called again, it copies only what is missing.
    """
    from hpcnet.broker import records
    from hpcnet.broker.collect import fetch
    from hpcnet.broker.follow import look
    from hpcnet.cli.progress import ProgressDisplay
    from hpcnet.wiring import house

    if pattern and everything:
        raise UsageError("--all and --pattern contradict each other: give one of them")
    with ProgressDisplay(quiet=as_json) as tell, house().broker(tell) as broker:
        record = look(broker, records.resolve(broker, [job]))[0][0]
        if not record.state.final:
            remark(f"{record.id} is {record.state}: its files may still change")
        patterns = () if everything else pattern or records.spec_of(broker, record.id).data.stage_out
        home = directory or Path(record.id)
        fetched = fetch(broker, record, patterns, home, each_must_match=bool(pattern))
    for name in fetched.left:
        remark(f"left at the site, its name is not safe here: {name}")
    for name in fetched.unmatched:
        remark(f"nothing at the site matches '{name}' of stage_out")
    if as_json:
        plain = {"id": record.id, "directory": str(fetched.directory), "files": list(fetched.files)}
        missed = {"left": list(fetched.left), "unmatched": list(fetched.unmatched)}
        say_json({**plain, "bytes": fetched.size, "verified": fetched.verified, **missed})
        return
    checked = "checksums equal" if fetched.verified else "sizes equal; the site has no checksum tool"
    for name in fetched.files:
        say(str(fetched.directory / name))
    remark(f"{len(fetched.files)} files, {fetched.size} bytes, {checked}")
