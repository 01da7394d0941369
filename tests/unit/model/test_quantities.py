from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcnet.model.quantities import (
    format_duration,
    format_energy,
    format_memory,
    format_walltime,
    parse_memory,
    parse_walltime,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (90, 5400),
        ("90", 5400),
        ("1:30", 90),
        ("1:30:00", 5400),
        ("2-12", 216000),
        ("2-12:30", 217800),
        ("2-12:30:05", 217805),
        (" 00:10:00 ", 600),
    ],
)
def test_every_slurm_spelling_of_a_walltime_is_read(text: object, seconds: int) -> None:
    assert parse_walltime(text) == seconds


@pytest.mark.parametrize(
    "text", ["soon", "", "-5", "1:2:3:4", "1h", "0", True, "99999-00:00:00", "1.5", None]
)
def test_what_is_no_walltime_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match="is not a walltime"):
        parse_walltime(text)


@given(st.integers(1, 10 * 366 * 86400))
def test_a_walltime_survives_being_written_and_read(seconds: int) -> None:
    assert parse_walltime(format_walltime(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("64 GiB", 65536),
        ("64G", 65536),
        ("64GB", 65536),
        (4000, 4000),
        ("4000M", 4000),
        ("1.5T", 1572864),
        ("512K", 1),
        ("2 mib", 2),
    ],
)
def test_memory_is_read_in_the_units_people_write(text: object, mib: int) -> None:
    assert parse_memory(text) == mib


@pytest.mark.parametrize("text", ["much", "", "-1G", "0", "G", True, "9999999P"])
def test_what_is_no_memory_size_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match="is not a memory size"):
        parse_memory(text)


def test_quantities_are_written_for_a_person() -> None:
    assert [format_memory(mib) for mib in (65536, 4000)] == ["64 GiB", "4000 MiB"]
    assert [format_duration(seconds) for seconds in (0, 119, 720, 11100, 190000)] == [
        "0 s",
        "119 s",
        "12 min",
        "3 h 05 min",
        "2 d 4 h",
    ]
    assert [format_energy(joules) for joules in (950, 222e3, 1.35e6, 2e9)] == [
        "950 J",
        "222 kJ",
        "1.35 MJ",
        "2 GJ",
    ]
