"""Asks many sites at once, and can be interrupted while it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
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
    for key, task in work.items():
        in_background(task).add_done_callback(partial(_hand_over, answers, key))
    for _ in work:
        key, answer = answers.get()
        yield key, answer.result()


def in_background(task: Callable[[], Result]) -> Future[Result]:
    """Do it in a thread that nobody has to wait for, not even the end of the program."""
    answer: Future[Result] = Future()

    def do() -> None:
        try:
            answer.set_result(task())
        except BaseException as error:  # noqa: BLE001 - raised again where somebody waits for it
            answer.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return answer


def _hand_over(answers: SimpleQueue[tuple[Key, Future[Result]]], key: Key, answer: Future[Result]) -> None:
    answers.put((key, answer))
