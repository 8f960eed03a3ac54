"""Writes docs/schema/reserve-report-1.json: uv run python tests/vectors/write_report_schema.py."""

from __future__ import annotations

import json
from pathlib import Path

from tallystick.domain.reserve_report.schema import report_schema

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "reserve-report-1.json"

if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(report_schema(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
