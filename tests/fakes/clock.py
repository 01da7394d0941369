from __future__ import annotations

from datetime import datetime, timedelta

from builders import NOON


class HeldClock:
    """Stands still until it is moved; sleeping moves it."""

    def __init__(self, start: datetime = NOON) -> None:
        self.time = start
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
