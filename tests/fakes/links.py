from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hpcnet.errors import LinkLost, Unreachable
from hpcnet.model.command import Completed
from hpcnet.ports import OnBytes, Transport


@dataclass
class Cut:
    """When a link breaks: at the n-th script that holds `text`, before it is sent or after it ran."""

    text: str
    after: bool = False
    number: int = 1
    seen: int = field(default=0)

    def strikes(self, script: str) -> bool:
        self.seen += self.text in script
        return self.text in script and self.seen == self.number


class BreakingLink:
    """A real link with a pair of scissors beside it."""

    def __init__(self, real: Transport, cuts: list[Cut], count: Callable[[str], None]) -> None:
        self._real, self._cuts, self._count = real, cuts, count

    def run(self, script: str, deadline_s: float) -> Completed:
        self._count(script)
        for cut in self._cuts:
            if cut.strikes(script):
                if cut.after:
                    self._real.run(script, deadline_s)
                raise LinkLost("the link was cut by the test")
        return self._real.run(script, deadline_s)

    def put(self, source: Path, target: str, on_bytes: OnBytes) -> None:
        if any(cut.strikes(f"put {source.name}") for cut in self._cuts):
            raise LinkLost("the link was cut by the test")
        self._real.put(source, target, on_bytes)

    def get(self, source: str, target: Path, on_bytes: OnBytes) -> None:
        if any(cut.strikes(f"get {source}") for cut in self._cuts):
            raise LinkLost("the link was cut by the test")
        self._real.get(source, target, on_bytes)

    def close(self) -> None:
        self._real.close()


def unreachable(*_: object) -> Transport:
    raise Unreachable("the site does not answer", hint="try again")
