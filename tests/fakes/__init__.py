"""Named stand-ins for what a test must hold in its own hands: the clock, and a link that breaks."""
