from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from hpcnet.broker.together import together
from hpcnet.errors import UsageError


def test_all_of_it_is_done_at_the_same_time() -> None:
    everyone = threading.Barrier(3, timeout=5)
    results = dict(together(dict.fromkeys("abc", everyone.wait)))
    assert sorted(results.values()) == [0, 1, 2]


def test_nothing_to_do_is_done_at_once() -> None:
    assert dict(together({})) == {}


def test_an_error_is_raised_where_somebody_waits_for_it() -> None:
    def fail() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        dict(together({"a": fail}))


def test_an_interrupt_is_not_kept_waiting_by_work_that_never_ends() -> None:
    program = (
        "import time\nfrom hpcnet.broker.together import together\nprint('now', flush=True)\n"
        "dict(together({'a': lambda: time.sleep(300)}))"
    )
    waiting = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    )
    assert waiting.stdout is not None
    waiting.stdout.readline()
    time.sleep(0.2)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=20)
    assert "KeyboardInterrupt" in err
