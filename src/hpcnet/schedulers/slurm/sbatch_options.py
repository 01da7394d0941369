"""The options of sbatch(1): which there are, which take a value, and how they are split and spelled."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum


class Takes(Enum):
    """Whether an option wants a value."""

    VALUE = "value"
    NOTHING = "nothing"
    PERHAPS = "perhaps"  # only after `=`


@dataclass(frozen=True, slots=True)
class Option:
    """One option as given: its long name without dashes, and its value if there was one."""

    name: str
    value: str | None
    line: int = 0

    def __str__(self) -> str:
        """The long spelling, quoted for a directive line where that is needed."""
        return f"--{self.name}" if self.value is None else f"--{self.name}={_quoted(self.value)}"


_SHORT = {
    "A": "account", "B": "extra-node-info", "C": "constraint", "D": "chdir", "F": "nodefile", "G": "gpus",
    "H": "hold", "J": "job-name", "L": "licenses", "M": "clusters", "N": "nodes", "O": "overcommit",
    "Q": "quiet", "S": "core-spec", "V": "version", "W": "wait", "a": "array", "b": "begin",
    "c": "cpus-per-task", "d": "dependency", "e": "error", "h": "help", "i": "input", "k": "no-kill",
    "m": "distribution", "n": "ntasks", "o": "output", "p": "partition", "q": "qos", "s": "oversubscribe",
    "t": "time", "v": "verbose", "w": "nodelist", "x": "exclude",
}  # fmt: skip
_FLAGS = """contiguous help hold ignore-pbs no-requeue oversubscribe overcommit parsable quiet reboot requeue
    spread-job stepmgr test-only usage use-min-nodes verbose version wait"""
_PERHAPS = "exclusive get-user-env nice no-kill propagate resv-ports"
_VALUES = """account acctg-freq array batch bb bbf begin chdir cluster-constraint clusters comment constraint
    container container-id core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot
    dependency distribution error exclude export export-file extra extra-node-info gid gpu-bind gpu-freq gpus
    gpus-per-node gpus-per-socket gpus-per-task gres gres-flags hint input job-name kill-on-invalid-dep
    licenses mail-type mail-user mcs-label mem mem-bind mem-per-cpu mem-per-gpu mincpus network nodefile
    nodelist nodes ntasks ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket open-mode output
    partition power prefer priority profile qos reservation segment signal sockets-per-node switches
    thread-spec threads-per-core time time-min tmp tres-bind tres-per-task uid wait-all-nodes wckey
    wrap"""
TAKES = (
    dict.fromkeys(_FLAGS.split(), Takes.NOTHING)
    | dict.fromkeys(_PERHAPS.split(), Takes.PERHAPS)
    | dict.fromkeys(_VALUES.split(), Takes.VALUE)
)


def words_of(text: str) -> list[str]:
    """Split what follows `#SBATCH` as sbatch does: quotes, backslashes, and `#` begins a comment.

    Raises `ValueError` for an open quote.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def read_options(words: Iterable[str], line: int = 0) -> list[Option]:
    """The options in `words`, in order. Raises `ValueError` with a sentence for what sbatch refuses."""
    rest = deque(words)
    options: list[Option] = []
    while rest:
        word = rest.popleft()
        if word.startswith("--") and len(word) > 2:
            options.append(_long(word[2:], rest, line))
        elif word.startswith("-") and len(word) > 1:
            options.extend(_shorts(word[1:], rest, line))
        else:
            raise ValueError(f"'{word}' is not an option")
    return options


def _long(text: str, rest: deque[str], line: int) -> Option:
    given, equals, value = text.partition("=")
    name = _full_name(given)
    takes = TAKES.get(name)
    if takes is Takes.NOTHING and equals:
        raise ValueError(f"--{name} takes no value")
    if equals:
        return Option(name, value, line)
    unknown_with_value = takes is None and bool(rest) and not rest[0].startswith("-")
    wants_next = takes is Takes.VALUE or unknown_with_value
    return Option(name, _next(name, rest) if wants_next else None, line)


def _full_name(given: str) -> str:
    """getopt_long(3) accepts every unambiguous beginning of a long option."""
    if given in TAKES:
        return given
    meant = [name for name in TAKES if name.startswith(given)]
    return meant[0] if len(meant) == 1 else given


def _shorts(letters: str, rest: deque[str], line: int) -> Iterator[Option]:
    """`-N2`, `-N 2` and bundled flags as in `-HN2`."""
    for position, letter in enumerate(letters):
        name = _SHORT.get(letter)
        if name is None:
            raise ValueError(f"'-{letter}' is not an option of sbatch")
        attached = letters[position + 1 :]
        if TAKES[name] is Takes.NOTHING:
            yield Option(name, None, line)
        elif TAKES[name] is Takes.PERHAPS:
            yield Option(name, attached or None, line)
            return
        else:
            yield Option(name, attached or _next(name, rest), line)
            return


def _next(name: str, rest: deque[str]) -> str:
    if not rest:
        raise ValueError(f"--{name} needs a value")
    return rest.popleft()


def _quoted(value: str) -> str:
    """As it is where sbatch's splitter leaves it whole, else in quotes."""
    try:
        plain = words_of(value) == [value]
    except ValueError:
        plain = False
    return value if plain else shlex.quote(value)
