"""Draws the field that a shallow-water job brought home."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hpcnet.errors import StorageError

Values = npt.NDArray[np.float64]

_INK, _QUIET = "#1d2733", "#5b6773"
_ARROWS = 26  # along the longer side
_STYLE: Any = {
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _QUIET,
    "axes.edgecolor": "#b8c0c8",
    "xtick.color": _QUIET,
    "ytick.color": _QUIET,
}


@dataclass(frozen=True, slots=True)
class _Result:
    """A result file: heights in m and velocities in m/s of shape (ny, nx), axes in km, time in s."""

    height: Values
    u: Values
    v: Values
    x_km: Values
    y_km: Values
    time_s: float
    record: dict[str, Any]


def draw_field(npz: Path, png: Path, title: str) -> None:
    """Draw height anomaly and velocity of the result file `npz` into `png`.

    Raises `StorageError` when the file is no such result or the picture cannot be written.
    """
    result = _read(npz)
    with mpl.rc_context(_STYLE):
        figure = _figure(result, title)
        try:
            figure.savefig(png, dpi=160, facecolor="white")
        except OSError as error:
            raise StorageError(f"the picture {png} cannot be written: {error.strerror}") from error


def _read(npz: Path) -> _Result:
    try:
        with npz.open("rb") as stream, np.load(stream) as saved:
            return _Result(
                height=saved["height"],
                u=saved["u"],
                v=saved["v"],
                x_km=saved["x"] / 1000,
                y_km=saved["y"] / 1000,
                time_s=float(saved["time"]),
                record=json.loads(str(saved["meta"]))["record"],
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise StorageError(
            f"{npz} is not a whole result of the shallow-water kernel: {error}",
            hint="fetch the result of the job again",
        ) from error


def _figure(result: _Result, title: str) -> Figure:
    wide, high = np.ptp(result.x_km), np.ptp(result.y_km)
    figure = Figure(figsize=(7.6, 7.0 * min(1.4, max(0.5, high / wide)) + 0.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw_height(figure, axes, result)
    _draw_velocity(axes, result)
    axes.set(xlabel="east (km)", ylabel="north (km)", aspect="equal")
    _write(axes, 1.075, title, fontsize=15, fontweight="bold", color=_INK)
    _write(axes, 1.025, _subtitle(result), fontsize=10, color=_QUIET)
    _write(axes, -0.12, _caption(result.record), fontsize=8.5, color=_QUIET)
    return figure


def _write(axes: Axes, height: float, text: str, **style: Any) -> None:
    """A line of text from the left edge of the map, at a height in parts of the map's."""
    axes.text(0, height, text, transform=axes.transAxes, parse_math=False, **style)


def _draw_height(figure: Figure, axes: Axes, result: _Result) -> None:
    # A few cells in the hearts of the eddies would wash out the waves: they may saturate.
    most = float(np.quantile(np.abs(result.height), 0.995)) or 1.0
    sides = [*_edges(result.x_km), *_edges(result.y_km)]
    image = axes.imshow(
        result.height,
        origin="lower",
        extent=(sides[0], sides[1], sides[2], sides[3]),
        cmap="RdBu_r",
        vmin=-most,
        vmax=most,
        interpolation="bilinear",
    )
    bar = figure.colorbar(image, ax=axes, extend="both", shrink=0.86, aspect=32, pad=0.02)
    bar.set_label("height anomaly (m)")
    bar.ax.spines[:].set_visible(False)


def _edges(centres: Values) -> tuple[float, float]:
    half = (centres[1] - centres[0]) / 2
    return float(centres[0] - half), float(centres[-1] + half)


def _draw_velocity(axes: Axes, result: _Result) -> None:
    every = max(1, max(result.height.shape) // _ARROWS)
    here = (slice(every // 2, None, every), slice(every // 2, None, every))
    speed = np.hypot(result.u, result.v)
    most = float(np.quantile(speed, 0.995)) or 1.0
    arrows = axes.quiver(
        result.x_km[here[1]],
        result.y_km[here[0]],
        result.u[here],
        result.v[here],
        color=_INK,
        alpha=0.75,
        scale=most * _ARROWS / 1.6,
        width=0.0022,
        pivot="middle",
    )
    key = _round_down(most)
    axes.quiverkey(
        arrows, 0.88, 1.097, key, f"{key:g} m/s", labelpos="E", labelcolor=_QUIET, fontproperties={"size": 9}
    )


def _round_down(value: float) -> float:
    """The largest 1, 2 or 5 times a power of ten up to `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in (1, 2, 5) if step * power <= value) * power)


def _subtitle(result: _Result) -> str:
    cells = f"{result.height.shape[1]} x {result.height.shape[0]} cells"
    spacing = f"{result.x_km[1] - result.x_km[0]:g} km apart"
    return f"Surface height and currents after {result.time_s / 3600:.1f} h, {cells} {spacing}"


def _caption(record: dict[str, Any]) -> str:
    ranks = f"{record['ranks']} MPI rank" + ("s" if record["ranks"] != 1 else "")
    error = record["check"]["error"]
    if not record["verified"]:
        return f"Computed on {ranks}. NOT VERIFIED: the field differs from its closed form."
    return f"Computed on {ranks}. Verified: within {error:.0e} of the closed form of every Fourier mode."
