"""Every kernel that is shipped, found by itself. Without arguments a kernel runs a small case."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpcnet.shipped import directory
from real_kernels import run_under_mpi

KERNELS = sorted(directory("kernels").glob("*.py"))
RECORD = {
    "kernel", "ranks", "size", "figure_of_merit", "verified", "check", "seconds", "flops", "bytes", "host",
    "versions",
}  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda path: path.stem)
def test_a_kernel_needs_nothing_but_numpy_and_mpi4py(kernel: Path) -> None:
    allowed = sys.stdlib_module_names | {"numpy", "mpi4py"}
    assert imported(kernel) <= allowed


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda path: path.stem)
def test_a_kernel_says_where_its_method_comes_from(kernel: Path) -> None:
    text = ast.get_docstring(ast.parse(kernel.read_text(encoding="utf-8"))) or ""
    assert any(char.isdigit() for char in text)
    assert len(text.splitlines()) >= 10


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda path: path.stem)
def test_a_kernel_runs_on_the_pythons_that_sites_still_have(kernel: Path) -> None:
    tree = ast.parse(kernel.read_text(encoding="utf-8"), feature_version=(3, 9))
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "zip"
    ]
    strict = [call.lineno for call in calls if any(word.arg == "strict" for word in call.keywords)]
    assert strict == [], "zip(strict=...) needs Python 3.10"


@pytest.mark.mpi
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda path: path.stem)
def test_a_kernel_gives_the_same_verified_answer_on_one_two_and_four_ranks(
    kernel: Path, tmp_path: Path
) -> None:
    one, two, four = (answer(kernel, ranks, tmp_path) for ranks in (1, 2, 4))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=f"{name} on two ranks")
        np.testing.assert_array_equal(one[name], four[name], err_msg=f"{name} on four ranks")


def answer(kernel: Path, ranks: int, folder: Path) -> dict[str, Any]:
    """The arrays of the result, once the record is found to be sound."""
    output = folder / f"{ranks}.npz"
    ended = run_under_mpi([str(kernel), "--output", str(output), "--json"], ranks, folder)
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    record = json.loads(line)
    assert record.keys() == RECORD
    assert (record["kernel"], record["ranks"], record["verified"]) == (kernel.stem, ranks, True)
    assert record["figure_of_merit"]["value"] > 0
    assert json.loads((folder / f"{kernel.stem}.json").read_text(encoding="utf-8")) == record
    with np.load(output) as saved:
        return {name: saved[name] for name in saved.files if name != "meta"}


def imported(kernel: Path) -> set[str]:
    """Top-level names of the modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(kernel.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names
