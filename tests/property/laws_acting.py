"""Who acts in the laws' state machine, and what is proved of every attempt."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from chain_in_process import Refusal
from hypothesis import strategies as st
from laws_checks import LawChecks
from laws_world import (
    HOUR,
    POLICY,
    OrderStatus,
    Pubkey,
    Receipt,
    RoleKind,
    accounts,
    key,
    types,
)  # fmt: skip
from solders.account import Account
from solders.instruction import Instruction

DELAY, NOTICE = 60, 900
HELD = 1_500
POOL = [key(f"pool {number}") for number in range(20)]
"""Keys that roles are granted to. The first ones hold a role each at the start."""
WALLETS = [key(f"wallet {number}") for number in range(3)]
SMALL = st.integers(1, 400)
PICK = st.integers(0, 1_000)
TERMS = replace(
    POLICY, margin=100, max_attestation_age=4 * HOUR, accept_period=HOUR, settle_period=2 * HOUR, change_window=600,
    supply_cap=20_000, notice=NOTICE,
)  # fmt: skip
accepted: Counter[str] = Counter()
"""How often each event happened in this session: proof that the machine does not only get refused."""
refused: Counter[str] = Counter()
"""How often each refusal did."""


class Acting(LawChecks):
    """Attempts by keys that mostly may."""

    def act(self, *calls: Instruction) -> Receipt | None:
        """Send; a refusal names an error and moves nothing, and what is accepted is checked at once."""
        before = self.before(*calls)
        result = self.chain.attempt(*calls)
        if isinstance(result, Refusal):
            self.check_refusal(result, before)
            refused[result.name] += 1
            return None
        accepted.update(type(each).__name__ for each in result.events)
        self.given = before
        self.look(before)
        self.check_receipt(result, calls[0])
        return result

    def _moved(self, address: Pubkey) -> int:
        """By how much the last transaction changed a token account."""
        return _amount(self.chain.find(address)) - _amount(self.given.get(address))

    def holder_of(self, kind: RoleKind, pick: int) -> Pubkey:
        """Mostly a key that has the role, else any."""
        now = self.chain.now
        having = sorted(
            (
                each.holder
                for each in self.all_of(accounts.Role)
                if each.kind is kind and each.in_force_from <= now < each.ends_at
            ),
            key=bytes,
        )
        return having[pick % len(having)] if having and pick % 10 != 9 else POOL[pick % len(POOL)]

    def acting(self, kind: RoleKind, pick: int, name: str) -> dict[str, Any]:
        """Who acts, and the role account to show."""
        wallet = self.holder_of(kind, pick)
        return {name: wallet, "role": self.alpha.role(kind, wallet)}

    def operator(self, pick: int) -> dict[str, Any]:
        """An operator with its role and limit."""
        acting = self.acting(RoleKind.OPERATOR, pick, "operator")
        return acting | {"limit": self.acme.limit(acting["operator"])}

    def pick_order(self, pick: int, kind: types.OrderKind) -> Pubkey | None:
        """Mostly an order of that kind that is live."""
        orders = self.sorted_of(accounts.Order)
        live = [
            address
            for address, each in orders
            if each.kind is kind and each.status in (OrderStatus.OPEN, OrderStatus.ACCEPTED)
        ]
        chosen = live if pick % 10 != 9 else [address for address, _ in orders]
        return chosen[pick // 10 % len(chosen)] if chosen else None


def _amount(account: Account | None) -> int:
    """Raw units in what may be a token account."""
    return int.from_bytes(account.data[64:72], "little") if account is not None and len(account.data) > 108 else 0
