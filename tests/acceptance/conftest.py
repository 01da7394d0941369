from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.command_line import CommandLine, command_line
from real_lab import Lab


@pytest.fixture
def hpcnet(lab: Lab, tmp_path: Path) -> CommandLine:
    return command_line(lab, tmp_path)
