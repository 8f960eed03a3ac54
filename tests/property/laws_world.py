"""What the laws' state machine acts on, and an honest custodian to compare the chain with.

The custodian knows what the chain cannot: when shares really came and went. The attestors are honest, so an
attestation says what the custodian held at its as-of; everybody else tries anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from chain_in_process import Chain, Receipt, key
from issuers import DAY, HOUR, MULTIPLIER_ONE, ONE, Issuer
from securities import POLICY, Movement, Security
from solders.pubkey import Pubkey
from tallystick.program.generated import accounts, events, types
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import FillKind, OrderKind, OrderStatus, RoleKind
from tallystick.program.layout import AccountLayout

EXCLUSIVE = (
    RoleKind.ATTESTOR, RoleKind.OPERATOR, RoleKind.COMPLIANCE, RoleKind.CORPORATE_ACTIONS, RoleKind.GUARDIAN,
)  # fmt: skip
COUNTERS: dict[type[AccountLayout], tuple[str, ...]] = {
    accounts.Issuer: ("attestor_epoch", "securities"),
    accounts.Role: ("grants",),
    accounts.Security: ("attestations", "redeemed", "minted", "burnt"),
    accounts.Order: ("filled", "fills"),
    accounts.Movement: ("allocated",),
    accounts.Fill: ("corrected_raw", "corrections"),
    accounts.Hold: ("released_at",),
}
"""What never goes down, by account type (law 8)."""
FIXED: dict[type[AccountLayout], tuple[str, ...]] = {
    accounts.Issuer: ("issuer_id", "name", "lei"),
    accounts.Role: ("issuer", "kind", "holder"),
    accounts.Security: ("issuer", "mint", "escrow", "security_id", "decimals"),
    accounts.Order: ("kind", "security", "holder", "order_id", "quantity", "opened_at"),
    accounts.Movement: ("security", "reference_hash", "direction", "shares", "recorded_at"),
    accounts.Fill: ("kind", "security", "movement", "order", "shares", "raw", "multiplier", "settled_at", "corrects"),
    accounts.Hold: ("security", "owner", "owner_kind", "hold_id", "scope", "placed_at", "expires_at"),
    accounts.Holder: ("issuer", "wallet"),
    accounts.Limit: ("security", "holder"),
}
"""What is written once (law 8)."""
KINDS: tuple[type[AccountLayout], ...] = (*FIXED, accounts.Attestation)


@dataclass(slots=True)
class Custodian:
    """Shares x 10^decimals in custody, as they really came and went."""

    held: int
    history: list[tuple[int, int]] = field(default_factory=list)
    """Unix seconds and what was held from then on."""

    def move(self, shares: int, now: int) -> None:
        """Shares come (or, negative, go) now."""
        self.held += shares
        self.history.append((now, self.held))

    def held_at(self, when: int) -> int:
        """What a statement as of `when` says."""
        return next((held for since, held in reversed(self.history) if since <= when), 0)


def decode_all(chain: Chain) -> dict[Pubkey, AccountLayout]:
    """Every account of the program, decoded."""
    found: dict[Pubkey, AccountLayout] = {}
    for address, account in chain.svm.get_program_accounts(PROGRAM_ID):
        if account.lamports:
            kind = next(each for each in KINDS if account.data.startswith(each.DISCRIMINATOR))
            found[address] = kind.decode(account.data)
    return found


def shares_up(raw: int, multiplier: int) -> int:
    """Shares x 10^decimals of raw units, rounded up."""
    scaled = Fraction(raw * multiplier, MULTIPLIER_ONE)
    return -(-scaled.numerator // scaled.denominator)


__all__ = [
    "COUNTERS", "DAY", "EXCLUSIVE", "FIXED", "HOUR", "MULTIPLIER_ONE", "ONE", "POLICY", "Chain", "Custodian",
    "FillKind", "Issuer", "Movement", "OrderKind", "OrderStatus", "Pubkey", "Receipt", "RoleKind", "Security",
    "accounts", "decode_all", "events", "key", "shares_up", "types",
]  # fmt: skip
