"""Pure dialects, one file or package each: text for a scheduler, and how to read its answers."""
