"""Running clusters for end-to-end tests: the localnet, our own solana-test-validator, or the one Anchor started."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.clock import Clock
from tallystick.localnet import LocalnetServer, create_ledger

ROOT = Path(__file__).resolve().parents[2]
LOCALNET, VALIDATOR = "localnet", "validator"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster with our program and Token-2022 v11. `upgrade_authority` signs `initialize`."""

    name: str
    url: str
    upgrade_authority: Keypair


class Fund(Protocol):
    """`await fund(address, ...)`: `lamports` from the faucet to each address, confirmed when it returns."""

    def __call__(self, *addresses: Pubkey, lamports: int = ...) -> Awaitable[None]: ...


@cache
def has_validator() -> bool:
    """Whether Anchor started a validator, or toolchain/install has one."""
    if "ANCHOR_PROVIDER_URL" in os.environ:
        return True
    check = [str(ROOT / "toolchain/install"), "--check", "validator"]
    return subprocess.run(check, stdout=subprocess.DEVNULL, check=False).returncode == 0


@contextmanager
def run_localnet(clock: Clock | None = None) -> Iterator[Cluster]:
    """The localnet on a free port, served from this process; its time follows `clock`."""
    authority = Keypair()
    with LocalnetServer(create_ledger(clock, upgrade_authority=authority.pubkey()), port=0) as server:
        yield Cluster(LOCALNET, server.url, authority)


@contextmanager
def run_validator(clock_offset: int = 0) -> Iterator[Cluster]:
    """A fresh solana-test-validator, which ends when this does or when this process is gone; under Anchor, Anchor's.

    With a clock offset in seconds it is always one of our own, which begins at that much before or after now.
    """
    if "ANCHOR_PROVIDER_URL" in os.environ and not clock_offset:
        wallet = json.loads(Path(os.environ["ANCHOR_WALLET"]).read_text())
        yield Cluster(VALIDATOR, os.environ["ANCHOR_PROVIDER_URL"], Keypair.from_bytes(bytes(wallet)))
        return
    authority = Keypair()
    command = [str(ROOT / "toolchain/validator"), "--authority", str(authority.pubkey()), "--until-stdin-closes"]
    command += ["--clock-offset", str(clock_offset)] if clock_offset else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, "toolchain/validator did not start a validator; what it said is on stderr"
            yield Cluster(VALIDATOR, url, authority)
        finally:
            process.stdin.close()
            process.wait(60)
