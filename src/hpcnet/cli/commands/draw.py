"""`hpcnet draw`: a picture of a result."""

from __future__ import annotations

from pathlib import Path

import click

from hpcnet.cli.console import examples, json_option, say, say_json


@click.command(
    name="draw", epilog=examples("hpcnet draw field.npz", "hpcnet draw field.npz --output andes.png")
)
@click.argument("result", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="The PNG file (default: beside RESULT).")
@click.option("--title", default="", help="Title of the picture.")
@json_option
def draw(result: Path, output: Path | None, title: str, as_json: bool) -> None:
    """Draw the field in RESULT (an .npz file of the climate use case) as a PNG."""
    from hpcnet.wiring import draw_field

    picture = output or result.with_suffix(".png")
    draw_field(result, picture, title or result.stem)
    if as_json:
        say_json({"picture": str(picture)})
    else:
        say(str(picture))
