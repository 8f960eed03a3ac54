"""Builders of an issuer: each role on a key of its own, named after it; approved wallets.

A method named after an instruction returns that instruction, valid where the world is as the name says; keyword
arguments replace single accounts. Methods that `do` something send what it takes and return what it made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import remembered_addresses as addresses
from chain_in_process import Chain, digest, key
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import RoleKind, VetoSubject
from tallystick.program.text import encode_text

HOUR = 3_600
DAY = 24 * HOUR
ONE = 10**6
"""One share of a security with 6 decimals."""
MULTIPLIER_ONE = 10**18
CUSTODY = sorted([digest("custody account 1"), digest("custody account 2")])
LEI = b"HWUPKR0MPOU8FGXBT394"
SCOPE_MINT, SCOPE_REDEEM, SCOPE_TRANSFER = 1, 2, 4


def build(make: Callable[..., Instruction], change: dict[str, Any], **fields: Any) -> Instruction:
    """The instruction with `fields`, some of them changed."""
    return make(**(fields | change))


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer whose role keys are named after it."""

    chain: Chain
    name: str
    nonce: int = 1
    delay: int = 1

    @property
    def admin(self) -> Pubkey:
        """The first admin."""
        return key(f"{self.name} admin")

    @property
    def address(self) -> Pubkey:
        """The issuer account."""
        return addresses.issuer_address(addresses.issuer_id(self.admin, self.nonce))

    def key(self, kind: RoleKind, number: int = 1) -> Pubkey:
        """The key that holds a role here."""
        return key(f"{self.name} {kind.name} {number}")

    def role(self, kind: RoleKind, holder: Pubkey | int = 1) -> Pubkey:
        """The role account of a key, or of the numbered key of that kind."""
        return addresses.role_address(self.address, kind, self.key(kind, holder) if isinstance(holder, int) else holder)

    @property
    def state(self) -> accounts.Issuer:
        """The account."""
        return self.chain.read(accounts.Issuer, self.address)

    def initialize(self, **change: Any) -> Instruction:
        """Create it, with its first guardian."""
        params = types.InitializeParams(
            nonce=self.nonce,
            guardian=self.key(RoleKind.GUARDIAN),
            delay=self.delay,
            name=encode_text(self.name, 64),
            lei=LEI,
        )
        return build(
            instructions.initialize,
            change,
            payer=self.chain.payer,
            admin=self.admin,
            upgrade_authority=self.chain.upgrade_authority,
            issuer=self.address,
            params=params,
        )

    def propose_admin(self, pending: Pubkey, **change: Any) -> Instruction:
        """Name the next admin."""
        params = types.ProposeAdminParams(pending_admin=pending)
        return build(instructions.propose_admin, change, admin=self.admin, issuer=self.address, params=params)

    def accept_admin(self, pending: Pubkey, **change: Any) -> Instruction:
        """Take over."""
        return build(instructions.accept_admin, change, pending_admin=pending, issuer=self.address)

    def grant_role(self, kind: RoleKind, holder: Pubkey | int = 1, **change: Any) -> Instruction:
        """Grant a role."""
        wallet = self.key(kind, holder) if isinstance(holder, int) else holder
        params = types.GrantRoleParams(kind=kind, holder=wallet)
        return build(
            instructions.grant_role,
            change,
            payer=self.chain.payer,
            admin=self.admin,
            issuer=self.address,
            params=params,
        )

    def revoke_role(self, kind: RoleKind, holder: Pubkey | int = 1, **change: Any) -> Instruction:
        """End a role."""
        return build(
            instructions.revoke_role, change, admin=self.admin, issuer=self.address, role=self.role(kind, holder)
        )

    def veto(self, subject: VetoSubject | None = None, **change: Any) -> Instruction:
        """Stop what waits; the proposed admin unless a role, a limit with its security, or another subject is named."""
        if subject is None:
            named = VetoSubject.ROLE if "role" in change else VetoSubject.LIMIT if "limit" in change else None
            subject = VetoSubject.ADMIN if named is None else named
        return build(
            instructions.veto,
            change,
            guardian=self.key(RoleKind.GUARDIAN),
            guardian_role=self.role(RoleKind.GUARDIAN),
            issuer=self.address,
            params=types.VetoParams(subject),
        )

    def beside(self, kind: RoleKind, number: int = 1) -> dict[str, Pubkey]:
        """A key and its role as the one that signs beside another."""
        return {"cosigner": self.key(kind, number), "cosigner_role": self.role(kind, number)}

    def holder(self, wallet: Pubkey) -> Pubkey:
        """The record of a wallet."""
        return addresses.holder_address(self.address, wallet)

    def approve_holder(self, wallet: Pubkey, **change: Any) -> Instruction:
        """Approve a wallet; `classes` and `approved_until` may be given."""
        params = types.ApproveHolderParams(
            wallet=wallet,
            investor_id=digest("investor"),
            classes=1,
            approved_until=self.chain.now + 365 * DAY,
            evidence_hash=digest("evidence"),
        )
        params = replace(params, **{name: change.pop(name) for name in params.__slots__ if name in change})
        return build(
            instructions.approve_holder,
            change,
            payer=self.chain.payer,
            compliance=self.key(RoleKind.COMPLIANCE),
            role=self.role(RoleKind.COMPLIANCE),
            issuer=self.address,
            params=params,
        )

    def suspend_holder(self, wallet: Pubkey, **change: Any) -> Instruction:
        """Suspend a wallet."""
        return build(
            instructions.suspend_holder,
            change,
            compliance=self.key(RoleKind.COMPLIANCE),
            role=self.role(RoleKind.COMPLIANCE),
            issuer=self.address,
            holder=self.holder(wallet),
            params=types.SuspendHolderParams(digest("suspicion")),
        )

    # Doing -----------------------------------------------------------------------------------------------------------

    def do_open(self, **counts: int) -> Issuer:
        """Initialize, and grant every role to a key of its own; `attestor=3` grants it to three. All in force."""
        self.chain.send(self.initialize())
        wanted = {"attestor": 2, "operator": 1, "compliance": 1, "reconciliation": 1, "corporate_actions": 1} | counts
        for name, count in wanted.items():
            for number in range(1 + (name == "guardian"), count + 1):
                self.chain.send(self.grant_role(RoleKind[name.upper()], number))
        self.chain.warp(self.delay)
        return self

    def do_approve(self, *wallets: Pubkey) -> None:
        """Approve wallets."""
        for wallet in wallets:
            self.chain.send(self.approve_holder(wallet))


def copy_to(chain: Chain, source: Pubkey, target: Pubkey, owner: Pubkey = PROGRAM_ID) -> Pubkey:
    """The same bytes at another address or under another owner."""
    account = chain.find(source)
    assert account is not None
    chain.write(target, Account(account.lamports, account.data, owner, account.executable, 0))
    return target
