"""`python -m hpcnet` is the same as `hpcnet`."""

from hpcnet.cli.main import main

main()
