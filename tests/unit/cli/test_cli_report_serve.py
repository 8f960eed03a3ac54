"""tally report serve says where it listens, ends when told to, and needs something to serve."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from typing_in import Terminal


def test_it_serves_the_folder_until_it_is_ended(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!DOCTYPE html>")
    command = [sys.executable, "-c", "from tallystick_cli.main import main; main()", "report", "serve", str(tmp_path)]
    with subprocess.Popen([*command, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        document = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        assert httpx.get(document["url"], trust_env=False).text == "<!DOCTYPE html>"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert document["folder"] == str(tmp_path)


def test_a_folder_with_nothing_published_is_refused_with_what_to_do(terminal: Terminal, tmp_path: Path) -> None:
    typed = terminal.type("report", "serve", tmp_path, "--no-open")
    assert typed.code == 2
    assert "tally report publish" in typed.err
