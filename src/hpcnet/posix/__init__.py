"""Pure: the POSIX shell text that runs at a site, and the only place where text is quoted for it."""
