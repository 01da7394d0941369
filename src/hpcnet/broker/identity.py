"""Names jobs."""

from __future__ import annotations


def new_job_id() -> str:
    """`j-` and a ULID (26 characters): sortable by time, unique without asking anyone."""
    from ulid import ULID

    return f"j-{ULID()}"
