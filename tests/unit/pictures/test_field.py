from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpcnet.errors import StorageError
from real_kernels import KERNELS, load_kernel

pytest.importorskip("matplotlib", reason="pictures need matplotlib: install hpcnet[plots]")

from hpcnet.pictures.field import draw_field


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kernel = load_kernel(KERNELS / "shallow_water.py")
    output = tmp_path_factory.mktemp("result") / "field.npz"
    options = kernel.read_options(["--nx", "40", "--ny", "20", "--steps", "30", "--output", str(output)])
    kernel.run(options, kernel.Ranks())
    return output


def test_a_result_becomes_a_picture(result: Path, tmp_path: Path) -> None:
    png = tmp_path / "field.png"
    draw_field(result, png, title="Andes $5 & 100 % \\x <b>")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_size > 20_000


def test_other_fields_give_other_pictures(result: Path, tmp_path: Path) -> None:
    with np.load(result) as saved:
        arrays = {name: saved[name] for name in saved.files}
    arrays["height"] = -arrays["height"]
    np.savez(tmp_path / "other.npz", **arrays)
    draw_field(result, tmp_path / "one.png", title="")
    draw_field(tmp_path / "other.npz", tmp_path / "two.png", title="")
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "two.png").read_bytes()


def test_a_flat_sea_can_be_drawn(result: Path, tmp_path: Path) -> None:
    with np.load(result) as saved:
        arrays = {name: saved[name] for name in saved.files}
    for name in ("height", "u", "v"):
        arrays[name] = np.zeros_like(arrays[name])
    np.savez(tmp_path / "flat.npz", **arrays)
    draw_field(tmp_path / "flat.npz", tmp_path / "flat.png", title="flat")
    assert (tmp_path / "flat.png").exists()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut short"])
def test_what_is_no_result_is_told(tmp_path: Path, content: bytes | None) -> None:
    npz = tmp_path / "field.npz"
    if content is not None:
        npz.write_bytes(content)
    with pytest.raises(StorageError, match="is not a whole result"):
        draw_field(npz, tmp_path / "field.png", title="")


def test_a_picture_that_cannot_be_written_is_told(result: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        draw_field(result, tmp_path / "nowhere" / "field.png", title="")
