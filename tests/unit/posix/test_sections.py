from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpcnet.posix.quote import quote
from hpcnet.posix.sections import FUNCTIONS, command, read_sections
from site_shell import run_framed


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from("ab\n@|0 é"), min_size=1))
def test_no_output_can_pass_for_another_section(tmp_path: Path, text: str) -> None:
    script = FUNCTIONS + f"hpcnet_section one printf %s {quote(text)}\nhpcnet_section two false\n"

    sections = read_sections(run_framed(script, tmp_path).stdout)

    one, two = command(sections, "one"), command(sections, "two")
    assert set(sections) == {"one", "two"}
    assert one is not None
    assert (one.text, one.exit_status) == (text.removesuffix("\n"), 0)
    assert two is not None
    assert (two.text, two.exit_status) == ("", 1)


def test_files_are_shown_and_missing_ones_left_out(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("@one\nlast without newline")
    script = FUNCTIONS + "hpcnet_show a there\nhpcnet_show b missing\n"

    sections = read_sections(run_framed(script, tmp_path).stdout)

    assert {name: section.text for name, section in sections.items()} == {"a": "@one\nlast without newline"}


def test_a_command_that_was_cut_off_has_no_section() -> None:
    assert command(read_sections("@squeue\n|J|1|RUNNING\n"), "squeue") is None


def test_both_streams_of_a_command_are_kept(tmp_path: Path) -> None:
    sections = read_sections(run_framed(FUNCTIONS + "hpcnet_section a ls /nowhere", tmp_path).stdout)

    section = command(sections, "a")
    assert section is not None
    assert "nowhere" in section.text
    assert section.exit_status != 0
