"""Runs the generator as CI does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GENERATOR = ROOT / "toolchain" / "generate_client.py"
CABINET = Path(__file__).with_name("cabinet.json")


def generate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The finished run of the generator with these arguments."""
    command = [sys.executable, str(GENERATOR), *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
