from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hpcnet.errors import StorageError
from hpcnet.ledger.senders import LockedFiles

HOLD = """
import sys, time
from pathlib import Path
from hpcnet.ledger.senders import LockedFiles
with LockedFiles(Path(sys.argv[1])).sending("j-1.1"):
    print("held", flush=True)
    time.sleep(60)
"""


def another_program_holding(folder: Path) -> subprocess.Popen[str]:
    program = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "held\n"
    return program


def test_a_mark_is_held_while_its_program_lives_and_known_as_dead_after(tmp_path: Path) -> None:
    senders = LockedFiles(tmp_path)
    program = another_program_holding(tmp_path)
    assert senders.is_sent_by_someone("j-1.1") is True
    program.send_signal(signal.SIGKILL)
    program.communicate()
    assert senders.is_sent_by_someone("j-1.1") is False
    senders.forget("j-1.1")
    assert senders.is_sent_by_someone("j-1.1") is None


def test_a_block_that_ends_well_takes_its_mark_away(tmp_path: Path) -> None:
    senders = LockedFiles(tmp_path / "new")
    with senders.sending("j-1.1"):
        assert senders.is_sent_by_someone("j-1.1") is True
    assert senders.is_sent_by_someone("j-1.1") is None


def test_a_block_that_breaks_off_leaves_a_mark_that_nobody_holds(tmp_path: Path) -> None:
    senders = LockedFiles(tmp_path)

    def interrupted() -> None:
        with senders.sending("j-1.1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert senders.is_sent_by_someone("j-1.1") is False


def test_a_second_sender_that_gives_up_does_not_hide_the_first(tmp_path: Path) -> None:
    senders = LockedFiles(tmp_path)

    def beaten() -> None:
        with senders.sending("j-1.1"):
            raise StorageError("beaten")

    with senders.sending("j-1.1"):
        with pytest.raises(StorageError):
            beaten()
        assert senders.is_sent_by_someone("j-1.1") is True


def test_many_senders_at_once_do_not_disturb_one_another(tmp_path: Path) -> None:
    senders = LockedFiles(tmp_path)

    def send(thread: int) -> None:
        for number in range(100):
            with senders.sending(f"j-{thread}.{number}"):
                pass

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(send, range(8)))
    assert list(tmp_path.iterdir()) == []


def test_marks_of_the_long_dead_are_swept_and_those_of_the_living_are_kept(tmp_path: Path) -> None:
    senders = LockedFiles(tmp_path)
    program = another_program_holding(tmp_path)
    (tmp_path / "j-0.1").touch()
    (tmp_path / "j-2.1").touch()
    old = time.time() - 30 * 86400
    for name in ("j-0.1", "j-1.1"):
        os.utime(tmp_path / name, (old, old))
    with senders.sending("j-3.1"):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["j-1.1", "j-2.1", "j-3.1"]
    program.kill()
    program.communicate()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"), LockedFiles(tmp_path / "file").sending("j-1.1"):
        pass
