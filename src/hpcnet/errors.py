"""Every error hpcnet shows to a person, drawn as a tree by whose fault it is.

HpcnetError
├── JobFailed               1   the job itself failed
├── UsageError              2   the command line
├── JobError               65   the job file: all its faults at once
├── NoSiteFits             69   every site refused, each with its reason
├── SchedulerError         70   the scheduler refused or could not be read
│   ├── SubmissionRefused       it said no: its own words are kept
│   └── UnreadableAnswer        it said something we cannot read: kept too
├── StorageError           74   the ledger or a local file cannot be read or written
├── AttemptTaken           75   another hpcnet sends this very attempt
├── LinkError              75   a site or link is down: try again
│   ├── Unreachable             no connection could be made
│   ├── TimedOut                connected, but no answer in time
│   └── LinkLost                cut in the middle: what happened there is unknown
├── AccessError            77   the door is closed
│   ├── AuthenticationRefused   no key of ours is accepted
│   ├── HostKeyUnknown          the site's host key is pinned nowhere
│   └── HostKeyChanged          the site shows another key than the pinned one
└── ConfigurationError     78   a descriptor or the configuration is wrong

Exit codes follow sysexits(3). Besides: 0 done, 130 interrupted (what was submitted is named).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file: where (key path or line), what, and what to do about it."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class HpcnetError(Exception):
    """A message for a person, with a hint what to do next and an exit code."""

    exit_code = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: Mapping[str, Any] = {}
        """Facts for `--json`, beside the message."""


class FileError(HpcnetError):
    """A file of a person is wrong: carries all its faults, not just the first."""

    def __init__(self, message: str, faults: Iterable[Fault] = (), hint: str = "") -> None:
        super().__init__(message, hint)
        self.faults = tuple(faults)


class UsageError(HpcnetError):
    """The command line asks for something that is not there."""

    exit_code = 2


class JobError(FileError):
    """The job file is wrong."""

    exit_code = 65


class NoSiteFits(HpcnetError):
    """No site can run the job; the decision holds every reason."""

    exit_code = 69


class SchedulerError(HpcnetError):
    """The scheduler of a site said no, or something unreadable."""

    exit_code = 70


class SubmissionRefused(SchedulerError):
    """The scheduler refused the job; the message holds its own words."""


class UnreadableAnswer(SchedulerError):
    """The answer could not be read; the raw text is kept."""

    def __init__(self, message: str, raw: str = "", hint: str = "") -> None:
        super().__init__(message, hint)
        self.raw = raw


class StorageError(HpcnetError):
    """The ledger or a local file cannot be read or written."""

    exit_code = 74


class AttemptTaken(HpcnetError):
    """Another hpcnet has written down this very attempt of this job: it is the one to send it."""

    exit_code = 75


class LinkError(HpcnetError):
    """A site or the link to it is down."""

    exit_code = 75


class Unreachable(LinkError):
    """No connection could be made: nothing was sent."""


class TimedOut(LinkError):
    """The site did not answer in time."""


class LinkLost(LinkError):
    """The link was cut in the middle: what the site did is unknown."""


class AccessError(HpcnetError):
    """The site does not let us in, or does not prove who it is."""

    exit_code = 77


class AuthenticationRefused(AccessError):
    """The site accepts none of our keys."""


class HostKeyUnknown(AccessError):
    """The site's host key is not pinned anywhere."""


class HostKeyChanged(AccessError):
    """The site shows a host key other than the pinned one."""


class ConfigurationError(FileError):
    """A descriptor or the configuration is wrong."""

    exit_code = 78


class JobFailed(HpcnetError):
    """The job itself failed; hpcnet did its part."""

    exit_code = 1
