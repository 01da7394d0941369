"""Asks many sites at once, and can be interrupted while it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


def together(work: Mapping[Key, Callable[[], Result]]) -> Iterator[tuple[Key, Result]]:
    """Do all of it in parallel; results come as they are ready, the first error is raised here.

    The threads are daemons, not a pool: whoever presses Ctrl-C is not kept waiting by a site that
    does not answer. One thread a site is few enough: a federation has tens of sites, not thousands.
    """
    answers: SimpleQueue[tuple[Key, Future[Result]]] = SimpleQueue()

    def do(key: Key, task: Callable[[], Result]) -> None:
        answer: Future[Result] = Future()
        try:
            answer.set_result(task())
        except BaseException as error:  # noqa: BLE001 - raised again where somebody waits for it
            answer.set_exception(error)
        answers.put((key, answer))

    for key, task in work.items():
        threading.Thread(target=do, args=(key, task), name=f"site {key}", daemon=True).start()
    for _ in work:
        key, answer = answers.get()
        yield key, answer.result()
