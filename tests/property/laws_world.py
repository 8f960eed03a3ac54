"""What the laws' state machine acts on, and an honest custodian to compare the chain with.

The custodian knows what the chain cannot: when shares really came and went. The attestors are honest, so an
attestation says what the custodian held at its as-of; everybody else tries anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from chain_in_process import Chain, Receipt, digest, key
from issuers import CUSTODY, DAY, HOUR, MULTIPLIER_ONE, ONE, Issuer
from securities import POLICY, Movement, Security
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.program.generated import accounts, events, types
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import FillKind, OrderKind, OrderStatus, RoleKind
from tallystick.program.layout import AccountLayout

EXCLUSIVE = (
    RoleKind.ATTESTOR, RoleKind.OPERATOR, RoleKind.COMPLIANCE, RoleKind.CORPORATE_ACTIONS, RoleKind.GUARDIAN,
)  # fmt: skip


def _is_layout(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, AccountLayout) and found is not AccountLayout


COUNTERS: dict[type[AccountLayout], tuple[str, ...]] = {
    accounts.Issuer: ("attestor_epoch", "securities", "days", "last_day", "last_period"),
    accounts.Role: ("grants",),
    accounts.Security: ("status", "attestations", "redeemed", "minted", "burnt"),
    accounts.Order: ("filled", "fills"),
    accounts.Movement: ("allocated",),
    accounts.Fill: ("corrected_raw", "corrections"),
    accounts.Hold: ("released_at",),
    accounts.CorporateAction: ("status", "approved_at", "status_at", "multiplier_after", "distributions"),
    accounts.DayDraw: ("attempts", "drawn_at"),
    accounts.Seizure: ("status", "executed_at"),
    accounts.Distribution: ("status", "approved_at", "funded", "paid", "paid_entries", "closed_at"),
}
"""What never goes down, by account type (law 8)."""
FIXED: dict[type[AccountLayout], tuple[str, ...]] = {
    accounts.Issuer: ("issuer_id", "name", "lei"),
    accounts.Role: ("issuer", "kind", "holder"),
    accounts.Security: ("issuer", "mint", "escrow", "security_id", "decimals", "permissioned"),
    accounts.Order: ("kind", "security", "holder", "order_id", "quantity", "opened_at"),
    accounts.Movement: ("security", "reference_hash", "direction", "shares", "recorded_at"),
    accounts.Fill: ("kind", "security", "movement", "order", "shares", "raw", "multiplier", "settled_at", "corrects"),
    accounts.Hold: ("security", "owner", "owner_kind", "hold_id", "scope", "placed_at", "expires_at"),
    accounts.Holder: ("issuer", "wallet"),
    accounts.Limit: ("security", "holder"),
    accounts.CorporateAction: (
        "security",
        "event_hash",
        "action_version",
        "kind",
        "replaces",
        "terms",
        "announcer",
        "announced_at",
    ),
    accounts.DayDraw: ("issuer", "period"),
    accounts.Seizure: (
        "security",
        "wallet",
        "source",
        "seizure_id",
        "raw",
        "reason_hash",
        "proposer",
        "proposed_at",
        "expires_at",
    ),
    accounts.Distribution: (
        "issuer",
        "security",
        "action",
        "number",
        "payment_mint",
        "token_program",
        "escrow",
        "refund",
        "root",
        "batches",
        "entries",
        "total",
        "payout_key",
        "opener",
        "linked_to",
        "opened_at",
        "expires_at",
    ),
    accounts.ReserveReport: tuple(accounts.ReserveReport.__slots__),
}
"""What is written once (law 8)."""
LAYOUTS = {each.DISCRIMINATOR: each for each in vars(accounts).values() if _is_layout(each)}
"""Every account type of the program."""


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


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the multiplier that an action was executed for. `real`: the custodian's shares follow."""

    action: Pubkey
    effective_at: int
    before: int
    after: int
    numerator: int
    denominator: int
    real: bool


class Mirror:
    """The program's accounts, decoded. What no transaction was given to write is not read again."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.accounts: dict[Pubkey, AccountLayout] = {}
        self.by_type: dict[type[AccountLayout], dict[Pubkey, AccountLayout]] = {each: {} for each in LAYOUTS.values()}
        for address, _ in chain.svm.get_program_accounts(PROGRAM_ID):
            self.read(address)

    def copy(self) -> Mirror:
        """Another that changes alone."""
        made = object.__new__(Mirror)
        made.chain, made.accounts = self.chain, dict(self.accounts)
        made.by_type = {each: dict(found) for each, found in self.by_type.items()}
        return made

    def read(self, address: Pubkey) -> tuple[AccountLayout | None, AccountLayout | None]:
        """Read one again: what it was and what it is."""
        old, account = self.accounts.get(address), self.chain.find(address)
        new = decode(account.data) if account is not None and account.owner == PROGRAM_ID else None
        if old is not None:
            del self.by_type[type(old)][address]
        if new is None:
            self.accounts.pop(address, None)
        else:
            self.accounts[address] = new
            self.by_type[type(new)][address] = new
        return old, new

    def check_complete(self) -> None:
        """Nothing else is on the chain."""
        assert self.accounts == Mirror(self.chain).accounts


def decode(data: bytes) -> AccountLayout:
    """An account of whatever type. Of a distribution, the fields before its bits."""
    kind = LAYOUTS[data[:8]]
    return kind.decode(data[: kind.SIZE] if kind.__name__ == "Distribution" else data)


def shares_up(raw: int, multiplier: int) -> int:
    """Shares x 10^decimals of raw units, rounded up."""
    scaled = Fraction(raw * multiplier, MULTIPLIER_ONE)
    return -(-scaled.numerator // scaled.denominator)


__all__ = [
    "COUNTERS", "CUSTODY", "DAY", "EXCLUSIVE", "FIXED", "HOUR", "MULTIPLIER_ONE", "ONE", "POLICY", "Chain", "Change",
    "Custodian", "FillKind", "Issuer", "Mirror", "Movement", "OrderKind", "OrderStatus", "Pubkey", "Receipt",
    "RoleKind", "Security", "accounts", "custody_accounts_hash", "digest", "events", "key", "shares_up", "types",
]  # fmt: skip
