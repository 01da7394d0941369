"""One attempt to run a job at a site, and the little of it that finds it again."""

from __future__ import annotations

from dataclasses import dataclass

from hpcnet.model.job import JobSpec
from hpcnet.model.site import Site


@dataclass(frozen=True, slots=True)
class Attempt:
    """What finds an attempt again. The token is its identity; the native id is only a hint."""

    token: str
    directory: str
    native_id: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt to run a job at a site.

    `token` is its identity everywhere: ledger, directory, scheduler. Only `[A-Za-z0-9_.-]`.
    `directory` is the job directory at the site, absolute or relative to the login directory.
    """

    token: str
    directory: str
    job: JobSpec
    site: Site
    partition: str
    account: str | None = None
    qos: str | None = None
