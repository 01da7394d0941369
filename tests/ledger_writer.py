"""A process of its own that appends to a ledger: `ledger_writer.py URL JOB BATCHES [SIZE]`.

Prints the number of each batch once `append` has returned: from then on it must be kept.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from hpcnet.ledger.sql import open_ledger
from hpcnet.model.record import Event, EventKind


def main(url: str, job: str, batches: str, size: str = "1") -> None:
    ledger = open_ledger(url)
    for batch in range(int(batches)):
        body = {"batch": batch, "state": "ACTIVE"}
        ledger.append(
            [
                Event(job, EventKind.SIGHTED, datetime.now(UTC), {**body, "part": part})
                for part in range(int(size))
            ]
        )
        sys.stdout.write(f"{batch}\n")
        sys.stdout.flush()
    ledger.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
