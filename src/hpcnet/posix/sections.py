"""Several answers in one stream: each under its name, no content can pass for a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """What one command of a script said, both streams together."""

    text: str
    exit_status: int | None = None

    @property
    def lines(self) -> list[str]:
        """Its lines; only the newline ends one."""
        return self.text.split("\n") if self.text else []


# Content lines get a `|` in front, names a `@`. The file reader uses built-ins only: no process
# is started, whatever the number of files.
FUNCTIONS = """\
hpcnet_section() {
  printf '@%s\\n' "$1"; shift
  { "$@" 2>&1; printf '\\n%s\\n' "$?"; } | sed 's/^/|/'
}
hpcnet_show() {
  [ -f "$2" ] || return 0
  printf '@%s\\n' "$1"
  while IFS= read -r hpcnet_line || [ -n "$hpcnet_line" ]; do
    printf '|%s\\n' "$hpcnet_line"
  done <"$2"
}
"""


def read_sections(stream: str) -> Mapping[str, Section]:
    """The sections by name. Those of `hpcnet_section` end with their exit status, those of
    `hpcnet_show` (a file) have none.
    """
    lines_of: dict[str, list[str]] = {}
    name = ""
    for line in stream.split("\n"):
        if line.startswith("@"):
            name = line[1:]
            lines_of[name] = []
        elif line.startswith("|") and name:
            lines_of[name].append(line[1:])
    return {name: Section("\n".join(lines)) for name, lines in lines_of.items()}


def command(sections: Mapping[str, Section], name: str) -> Section | None:
    """The section of a command with its exit status; None where it did not run or did not end."""
    section = sections.get(name)
    if section is None:
        return None
    text, _, status = section.text.rpartition("\n")
    if not status.isdigit():
        return None
    return Section(text.removesuffix("\n"), int(status))
