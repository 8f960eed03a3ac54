"""Writes statement_lines.json: the tree over five lines of two statements, with the proof of each.

uv run python tests/vectors/write_statement_lines.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "unit" / "domain"))

from test_statement_lines import SEED, VECTORS, month  # noqa: E402

if __name__ == "__main__":
    found = month()
    proofs = [found.proof(index).document() for index in range(len(found.lines))]
    vectors = {"proofs": proofs, "root": found.tree.root.hex(), "seed": SEED.hex()}
    VECTORS.write_text(json.dumps(vectors, indent=2, sort_keys=True) + "\n", encoding="utf-8")
