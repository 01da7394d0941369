"""Finds plug-ins: every module of a package that offers one well-known name.

Adding a use case, a scheduler, a transport or a meter is adding one file; nothing lists them.
A module that cannot be imported does not disturb its neighbours: it is kept with its reason.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpcnet.errors import UsageError


@dataclass(frozen=True, slots=True)
class Found:
    """What discovery found: plug-ins by module name, and the modules that broke, with why."""

    kind: str
    plugins: Mapping[str, Any]
    broken: Mapping[str, str]

    def get(self, name: str) -> Any:
        """The plug-in of this name; a `UsageError` names what there is and what is broken."""
        if name in self.plugins:
            return self.plugins[name]
        if name in self.broken:
            raise UsageError(f"{self.kind} '{name}' cannot be loaded: {self.broken[name]}")
        known = ", ".join(sorted(self.plugins))
        raise UsageError(f"there is no {self.kind} '{name}'", hint=f"there is: {known}")


def plugin_name(module_name: str) -> str:
    """The name a person types for a module: `drug_discovery` is `drug-discovery`."""
    return module_name.rpartition(".")[2].replace("_", "-")


def load(package: str, name: str, attribute: str) -> Any:
    """One plug-in by its name, without importing its neighbours (start-up time)."""
    kind = package.rpartition(".")[2].removesuffix("s").replace("_", " ")
    try:
        module = importlib.import_module(f"{package}.{name.replace('-', '_')}")
    except ModuleNotFoundError:
        return discover(package, attribute).get(name)
    except ImportError as error:
        raise UsageError(f"{kind} '{name}' cannot be loaded: {error}") from error
    return getattr(module, attribute)


def discover(package: str, attribute: str) -> Found:
    """All modules of `package` that offer `attribute`."""
    plugins: dict[str, Any] = {}
    broken: dict[str, str] = {}
    root = importlib.import_module(package)
    for info in pkgutil.iter_modules(root.__path__, prefix=f"{package}."):
        name = plugin_name(info.name)
        try:
            module = importlib.import_module(info.name)
        except Exception as error:  # noqa: BLE001 - a plug-in may break in any way; its neighbours must not care
            broken[name] = f"{type(error).__name__}: {error}"
            continue
        if hasattr(module, attribute):
            plugins[name] = getattr(module, attribute)
    kind = package.rpartition(".")[2].removesuffix("s").replace("_", " ")
    return Found(kind, plugins, broken)
