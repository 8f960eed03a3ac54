"""Writes the sample report to a file: uv run python tests/unit/domain/write_report_sample.py FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from report_sample import sample_report

if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(sample_report()[0])
