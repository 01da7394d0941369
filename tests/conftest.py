"""Fixtures that any room may use; each lives in a plug-in of its own."""

from __future__ import annotations

pytest_plugins = ["real_lab", "real_postgresql", "real_sshd", "world"]
