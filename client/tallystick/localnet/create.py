"""A ledger with the programs a tokenised share needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.clock import Clock


@dataclass(frozen=True, slots=True)
class Deployment:
    """A program's bytes, and who may upgrade it (None: nobody)."""

    binary: bytes
    upgrade_authority: Pubkey | None = None


def create_ledger(
    clock: Clock | None = None, programs: Mapping[Pubkey, Deployment] | None = None, *, seed: bytes | None = None
) -> Ledger:
    """A new cluster with `programs` deployed.

    System, Token, Token-2022 v11, associated token accounts, memo and lookup tables are there without asking; naming
    one of them replaces it. Time follows `clock`, the machine's by default.
    """
    ledger = Ledger(clock, seed=seed)
    for address, deployment in (programs or {}).items():
        ledger.add_program(address, deployment.binary, deployment.upgrade_authority)
    return ledger
