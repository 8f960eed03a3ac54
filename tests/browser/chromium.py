"""The Chromium that tests drive: the machine's own, found by toolchain/install."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
OTHER_HOST: Final = "reports.example"
"""A name for this machine that is no secure context to a browser."""
# Chromium looks for its maker's hosts at every start unless told not to.
ARGUMENTS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
]


@cache
def browser_path() -> str | None:
    """Where it is, None without one; toolchain/install says `browser: a Chromium: PATH (path)`."""
    command = [str(ROOT / "toolchain/install"), "--check", "browser"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split(": ")[2].rsplit(" (", 1)[0] if found.returncode == 0 else None
