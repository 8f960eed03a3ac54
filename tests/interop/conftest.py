"""The cluster and the issuer that the third party's client finds: started in the project's own environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

ROOT = Path(__file__).resolve().parents[2]
IDL = ROOT / "client" / "tallystick" / "program" / "tallystick.json"
GOLDEN = ROOT / "tests" / "unit" / "program" / "golden"


@dataclass(frozen=True)
class Found:
    """All that a third party is told: where the cluster is, a wallet that may order, a security."""

    cluster: str
    url: str
    wallet: Keypair
    security: Pubkey
    issuer: Pubkey


@pytest.fixture(scope="session")
def idl() -> str:
    """The IDL as anyone downloads it."""
    return IDL.read_text()


@pytest.fixture(scope="session")
def found() -> Iterator[Found]:
    """On solana-test-validator where there is one, else on the localnet, which serves the same JSON-RPC."""
    check = [str(ROOT / "toolchain" / "install"), "--check", "validator"]
    has_validator = subprocess.run(check, stdout=subprocess.DEVNULL, check=False).returncode == 0
    if os.environ.get("TALLY_REQUIRE_VALIDATOR") and not has_validator:
        pytest.fail("TALLY_REQUIRE_VALIDATOR is set and there is no solana-test-validator; get it with: make validator")
    cluster = "validator" if has_validator else "localnet"
    script = str(Path(__file__).with_name("issuer_on_cluster.py"))
    command = ["uv", "run", "--frozen", "--project", str(ROOT), "python", script, cluster]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "issuer_on_cluster.py did not prepare the cluster; what it said is on stderr"
            told = json.loads(line)
            yield Found(
                cluster,
                told["url"],
                Keypair.from_json(told["wallet"]),
                Pubkey.from_string(told["security"]),
                Pubkey.from_string(told["issuer"]),
            )
        finally:
            process.stdin.close()
            process.wait(60)
