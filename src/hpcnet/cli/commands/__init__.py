"""One file per command; each offers a click command named like its file."""
