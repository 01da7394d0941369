"""The program `hpcnet`, and `python -m hpcnet`."""

from __future__ import annotations

import signal
from typing import NoReturn


def run() -> NoReturn:
    """Start the command line. Until it stands, Ctrl-C simply ends the program, without a traceback."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from hpcnet.cli.main import main

    signal.signal(signal.SIGINT, handler)
    main()


if __name__ == "__main__":
    run()
