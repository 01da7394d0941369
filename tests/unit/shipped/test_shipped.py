from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet import shipped
from hpcnet.errors import ConfigurationError


@pytest.mark.parametrize("name", ["kernels", "site_configs"])
def test_a_shipped_directory_is_found_and_holds_something(name: str) -> None:
    assert any(shipped.directory(name).iterdir())


@pytest.mark.parametrize("name", ["tests", "..", "", "nothing"])
def test_only_what_travels_is_found(name: str) -> None:
    with pytest.raises(ConfigurationError, match="missing from this installation"):
        shipped.directory(name)


def test_a_wheel_is_looked_at_before_a_source_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "src" / "hpcnet"
    for folder in (package / "_shipped" / "kernels", tmp_path / "kernels"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.directory("kernels") == package / "_shipped" / "kernels"


def test_an_unknown_kernel_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError) as caught:
        shipped.kernel("../pyproject.toml")
    assert "shallow_water.py" in caught.value.hint
