"""The scripts of the bench still run: at a size that takes seconds, each to the end of its table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.mark.parametrize(
    ("script", "more", "last"),
    [
        ("dividends/off_chain.py", (), "| **peak memory** |"),
        ("dividends/whole_push.py", (), "| 300 |"),
        ("reports/scale.py", ("--runs", "1"), ("| phone |", "| no Chromium")),
    ],
)
def test_a_small_run_ends_with_its_table(script: str, more: tuple[str, ...], last: str | tuple[str, ...]) -> None:
    command = [sys.executable, BENCH / script, "--holders", "300", *more]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith(last), ended.stdout


def test_the_bench_on_a_validator_can_be_started() -> None:
    ended = subprocess.run(
        [sys.executable, BENCH / "dividends/on_chain.py", "--help"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
