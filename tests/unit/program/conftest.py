"""The client generated from a made-up IDL that has every shape, imported from where it was written."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from generation import CABINET, generate


@pytest.fixture(scope="session")
def cabinet(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The generated package for cabinet.json, its modules as attributes."""
    folder = tmp_path_factory.mktemp("client") / "cabinet_client"
    done = generate("--idl", CABINET, "--out", folder)
    assert done.returncode == 0, done.stderr
    package = _load("cabinet_client", folder / "__init__.py", folder)
    for name in ("constants", "types", "accounts", "events", "errors", "pdas", "instructions"):
        setattr(package, name, _load(f"cabinet_client.{name}", folder / f"{name}.py", None))
    return package


def _load(name: str, path: Path, folder: Path | None) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=None if folder is None else [str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
