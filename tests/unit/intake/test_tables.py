from __future__ import annotations

import pytest

from hpcnet.intake.tables import assigned, merged


def test_tables_are_merged_and_values_replaced() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3}, "d": [2]}) == {
        "a": {"b": 1, "c": 3},
        "d": [2],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ('["a", "b"]', ["a", "b"]),
        ("02:00:00x", "02:00:00x"),
        ("plain words = here", "plain words = here"),
        ("", ""),
        ("1\nother = 2", "1\nother = 2"),
        ("1 # comment", 1),
    ],
)
def test_a_value_is_toml_or_else_text(text: str, value: object) -> None:
    assert assigned({}, [f"a.b={text}"]) == ({"a": {"b": value}}, [])


@pytest.mark.parametrize("assignment", ["=1", "a..b=1", "a b=1", "nothing"])
def test_a_key_path_that_cannot_be_is_a_fault(assignment: str) -> None:
    result, faults = assigned({"kept": 1}, [assignment])
    assert result == {"kept": 1}
    assert [fault.where for fault in faults] == [f"--set {assignment}"]
