"""The user's ssh configuration, with `Include` and with values that stand above and below it."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paramiko.config import SSHConfig
from paramiko.ssh_exception import SSHException

from hpcnet.errors import ConfigurationError
from hpcnet.transports.ssh.explain import CHECK_CONFIG, explain

DEEPEST_INCLUDE = 16


@dataclass(frozen=True, slots=True)
class UserConfig:
    """The text of one configuration, with what it includes in place."""

    lines: tuple[str, ...] = ()

    def names(self, alias: str) -> bool:
        """Whether a `Host` line names exactly this alias, not only by a pattern."""
        return any(alias in words for keyword, words in map(_words, self.lines) if keyword == "host")

    def look_up(
        self, alias: str, above: Mapping[str, object], below: Mapping[str, object]
    ) -> Mapping[str, Any]:
        """The options for `alias`, keys in lower case.

        In ssh the first value wins: `above` goes before the file and `below` after it.
        Raises `ConfigurationError`.
        """
        text = [*_options(above), *self.lines, "Host *", *_options(below)]
        try:
            return dict(SSHConfig.from_text("\n".join(text)).lookup(alias))
        except SSHException as error:
            raise explain(error, alias) from error
        except ImportError as error:
            raise _unusable(alias, "`Match exec` would need a shell", "use Host blocks instead") from error
        except (ValueError, KeyError, IndexError) as error:
            raise _unusable(alias, str(error), CHECK_CONFIG) from error


def read(file: Path) -> UserConfig:
    """Raises `ConfigurationError`; a file that does not exist says nothing."""
    return UserConfig(tuple(_read(file.expanduser(), 0)))


def _read(file: Path, depth: int) -> list[str]:
    if depth > DEEPEST_INCLUDE:
        raise ConfigurationError(f"{file}: `Include` goes too deep", hint="does a file include itself?")
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}", hint="check its permissions") from error
    found: list[str] = []
    block = "Host *"
    for line in lines:
        keyword, words = _words(line)
        if keyword in {"host", "match"}:
            block = line
        if keyword != "include":
            found.append(line)
            continue
        for included in _included(words):
            found += _read(included, depth + 1)
        found.append(block)
    return found


def _included(patterns: list[str]) -> list[Path]:
    base = Path("~/.ssh").expanduser()
    found = (glob.glob(str(base / Path(name).expanduser())) for name in patterns)  # noqa: PTH207 - may be absolute
    return [Path(name) for names in found for name in sorted(names)]


def _words(line: str) -> tuple[str, list[str]]:
    """The keyword of a line in lower case, and its words."""
    keyword, _, rest = line.strip().replace("=", " ", 1).replace("\t", " ").partition(" ")
    if keyword.lower() not in {"host", "match", "include"}:
        return keyword.lower(), []
    try:
        return keyword.lower(), shlex.split(rest)
    except ValueError:
        return keyword.lower(), rest.split()


def _options(values: Mapping[str, object]) -> list[str]:
    return [f"{key} {value}" for key, value in values.items() if value is not None]


def _unusable(alias: str, words: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"the ssh configuration for {alias} cannot be used: {words}", hint=hint)
