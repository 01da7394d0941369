"""Draws the field that a shallow-water job brought home."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from hpcnet.errors import ConfigurationError, StorageError

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke
except ImportError as error:
    raise ConfigurationError(
        "pictures need matplotlib, which is not installed", hint="pip install 'hpcnet[plots]'"
    ) from error

Values = npt.NDArray[np.float64]

_INK, _QUIET, _PAPER = "#1d2733", "#5b6773", "#ffffff"
_ARROWS = 28  # along the longer side
_FAINTEST = 0.06  # slower than this part of the fastest, an arrow would be a speck
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
    tall = 6.3 * min(1.6, max(0.15, high / wide))
    figure = Figure(figsize=(8.2, tall + 1.75))
    FigureCanvasAgg(figure)
    # Everything outside the map has a fixed size in inches, so that nothing meets on any shape of map.
    axes = figure.add_axes(_inches(figure, 0.75, 0.85, 6.3, tall))
    bar = figure.add_axes(_inches(figure, 7.17, 0.85, 0.13, tall))
    _draw_height(axes, bar, result)
    axes.set(xlabel="east (km)", ylabel="north (km)", aspect="auto")
    _draw_velocity(axes, result, key_height=tall + 1.07)
    _write(figure, tall + 1.38, title, fontsize=16, fontweight="bold", color=_INK)
    _write(figure, tall + 1.02, _subtitle(result), fontsize=10, color=_QUIET)
    _write(figure, 0.16, _caption(result.record), fontsize=8.5, color=_QUIET)
    return figure


def _inches(
    figure: Figure, left: float, bottom: float, wide: float, high: float
) -> tuple[float, float, float, float]:
    size = figure.get_size_inches()
    return (left / size[0], bottom / size[1], wide / size[0], high / size[1])


def _write(figure: Figure, height: float, text: str, **style: Any) -> None:
    """A line of text from the left edge of the map, at a height in inches."""
    left, bottom, *_ = _inches(figure, 0.75, height, 0, 0)
    figure.text(left, bottom, text, parse_math=False, **style)


def _draw_height(axes: Axes, beside: Axes, result: _Result) -> None:
    # A few cells in the hearts of the eddies would wash out the waves: they may saturate.
    most = float(np.quantile(np.abs(result.height), 0.998)) or 1.0
    image = axes.imshow(
        result.height,
        origin="lower",
        extent=(*_edges(result.x_km), *_edges(result.y_km)),
        cmap="RdBu_r",
        vmin=-1.15 * most,
        vmax=1.15 * most,
        interpolation="bilinear",
    )
    bar = axes.figure.colorbar(image, cax=beside)
    bar.set_label("height anomaly (m)")
    bar.outline.set_visible(False)


def _edges(centres: Values) -> tuple[float, float]:
    half = (centres[1] - centres[0]) / 2
    return float(centres[0] - half), float(centres[-1] + half)


def _draw_velocity(axes: Axes, result: _Result, key_height: float) -> None:
    every = max(1, max(result.height.shape) // _ARROWS)
    here = (slice(every // 2, None, every), slice(every // 2, None, every))
    speed = np.hypot(result.u, result.v)
    most = float(np.quantile(speed, 0.995)) or 1.0
    seen = speed[here] >= _FAINTEST * most
    east, north = np.meshgrid(result.x_km[here[1]], result.y_km[here[0]])
    arrows = axes.quiver(
        east[seen],
        north[seen],
        result.u[here][seen],
        result.v[here][seen],
        color=_INK,
        scale=most * _ARROWS / 1.4,
        width=0.0024,
        headwidth=4.2,
        headlength=4.6,
        headaxislength=4.2,
        minlength=0.4,
        pivot="middle",
        path_effects=[withStroke(linewidth=1.4, foreground=_PAPER, alpha=0.55)],
    )
    key = _round_down(most)
    axes.quiverkey(
        arrows,
        6.25,
        key_height,
        key,
        f"{key:g} m/s",
        coordinates="inches",
        labelpos="E",
        labelcolor=_QUIET,
        fontproperties={"size": 10},
    )


def _round_down(value: float) -> float:
    """The largest 1, 2 or 5 times a power of ten up to `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in (1, 2, 5) if step * power <= value) * power)


def _subtitle(result: _Result) -> str:
    cells = f"{result.height.shape[1]} by {result.height.shape[0]} cells"
    spacing = f"of {result.x_km[1] - result.x_km[0]:g} km"
    return f"Surface height and currents after {result.time_s / 3600:.1f} h, {cells} {spacing}"


def _caption(record: dict[str, Any]) -> str:
    ranks = f"{record['ranks']} MPI rank" + ("s" if record["ranks"] != 1 else "")
    computed = f"Computed on {ranks} in {record['seconds'][0]:.2f} s."
    error = record["check"]["error"]
    if not record["verified"]:
        return f"{computed} NOT VERIFIED: the field differs from its closed form."
    return f"{computed} Verified: within {error:.0e} of the closed form of every Fourier mode."
