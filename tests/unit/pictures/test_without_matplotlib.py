from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError
from hpcnet.wiring import draw_field


def test_a_machine_without_matplotlib_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, "hpcnet.pictures.field", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigurationError, match="pictures need matplotlib") as caught:
        draw_field(tmp_path / "field.npz", tmp_path / "field.png", "")
    assert caught.value.hint == "pip install 'hpcnet[plots]'"
