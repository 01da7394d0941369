from __future__ import annotations

import pytest

from hpcnet.broker.collect import is_safe, is_wanted


@pytest.mark.parametrize(
    ("path", "patterns", "wanted"),
    [
        ("field.npz", ["field.npz"], True),
        ("field.npz", ["*.npz"], True),
        ("output/field.npz", ["*.npz"], False),
        ("output/field.npz", ["output/*.npz"], True),
        ("output/deep/field.npz", ["output/*.npz"], False),
        ("output/deep/field.npz", ["output/**/*.npz"], True),
        ("output/field.npz", ["output/**/*.npz"], True),
        ("a/b/c", ["**"], True),
        ("a/b/c", ["a/**"], True),
        ("field[1].npz", ["field[[]1].npz"], True),
        ("anything", [], True),
        ("output.log", ["*.npz"], True),
    ],
)
def test_patterns_choose_what_comes_home(path: str, patterns: list[str], wanted: bool) -> None:
    assert is_wanted(path, patterns) is wanted


@pytest.mark.parametrize(
    "path", ["a", "a/b c", "-rf", "$(reboot)", "ñandú/ação.txt", "a..b", "a/.hpcnet-fetch"]
)
def test_ordinary_names_are_safe_at_home(path: str) -> None:
    assert is_safe(path)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a\nb", "a\x1b[31m", "", "//x"])
def test_names_that_leave_the_directory_or_play_with_the_terminal_stay_at_the_site(path: str) -> None:
    assert not is_safe(path)


def test_nothing_from_a_site_lands_among_the_half_copied_files() -> None:
    assert not is_safe(".hpcnet-fetch/0123")
