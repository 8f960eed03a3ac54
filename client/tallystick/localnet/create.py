"""A ledger with the programs a tokenised share needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.balances import TOKEN_2022_PROGRAM
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.clock import Clock
from tallystick.program.artifacts import idl, program_binary, token_2022_binary


@dataclass(frozen=True, slots=True)
class Deployment:
    """A program's bytes, and who may upgrade it (None: nobody)."""

    binary: bytes
    upgrade_authority: Pubkey | None = None


def create_ledger(
    clock: Clock | None = None,
    programs: Mapping[Pubkey, Deployment] | None = None,
    *,
    upgrade_authority: Pubkey | None = None,
    seed: bytes | None = None,
) -> Ledger:
    """A new cluster with `programs` deployed.

    System, Token, Token-2022 v11, associated token accounts, memo and lookup tables are there without asking; naming
    one of them replaces it. With an `upgrade_authority`, the program and the Token-2022 that this package ships are
    deployed first, ours under that authority; LedgerError if they are not what was committed. Time follows `clock`, the
    machine's by default.
    """
    ledger = Ledger(clock, seed=seed)
    deployments: dict[Pubkey, Deployment] = {}
    if upgrade_authority is not None:
        deployments[TOKEN_2022_PROGRAM] = Deployment(token_2022_binary())
        address = Pubkey.from_string(json.loads(idl())["address"])
        deployments[address] = Deployment(program_binary(), upgrade_authority)
    for address, deployment in (deployments | dict(programs or {})).items():
        ledger.add_program(address, deployment.binary, deployment.upgrade_authority)
    return ledger
