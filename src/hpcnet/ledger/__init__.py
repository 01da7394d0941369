"""The append-only record of decisions, submissions and states."""
