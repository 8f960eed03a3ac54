"""Holders: which wallets compliance approved to order, and the suspension of one."""

from __future__ import annotations

from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.canonical import sha256
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import holder_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Holder, Issuer, Role
from tallystick.program.generated.types import ApproveHolderParams, RoleKind, SuspendHolderParams
from tallystick.services.chain_reads import read, read_snapshot, require
from tallystick.services.plans import Plan, last_change, new_action, require_text_reference
from tallystick.services.rules import require_role

INVESTOR_TAG: Final = b"tallystick:investor"
MINIMUM_SALT: Final = 16
"""Bytes. With less, whoever knows the customer list finds the hash by trying."""


def investor_id(salt: bytes, reference: str) -> bytes:
    """32 bytes for an investor's record: SHA-256("tallystick:investor" || u8 length || salt || reference).

    The salt is a secret of the issuer (16 to 255 bytes), the same for all its investors, so that one investor's wallets
    are seen to be one's. InputError for another salt or a reference that is none.
    """
    if not MINIMUM_SALT <= len(salt) <= 255:
        raise InputError(f"A salt of {MINIMUM_SALT} to 255 bytes is expected, not {len(salt)}.")
    return sha256(INVESTOR_TAG, bytes([len(salt)]), salt, require_text_reference(reference).encode())


async def plan_approve_holder(
    chain: Chain,
    *,
    payer: Pubkey,
    issuer: Pubkey,
    compliance: Pubkey,
    wallet: Pubkey,
    investor_id: bytes,
    classes: int,
    approved_until: int,
    evidence_hash: bytes,
) -> Plan:
    """Let a wallet order until `approved_until` (seconds since 1970 UTC). Signed by a compliance key.

    `classes` are permission classes, one bit each. A suspended or lapsed wallet is approved again in place.
    """
    _require_hash("investor id", investor_id)
    _require_hash("evidence hash", evidence_hash)
    if not 0 < classes < 2**64:
        raise InputError("At least one permission class (a bit of 64) is expected.", hint="Class 0 is written as 1.")
    address, role = holder_address(issuer, wallet), role_address(issuer, RoleKind.COMPLIANCE, compliance)
    snapshot = await read_snapshot(chain, [issuer, address, role])
    snapshot.require(Issuer, issuer)
    title = f"Approve {wallet} until {instant(approved_until)}"
    existing = snapshot.find(Holder, address)
    wanted = (investor_id, classes, approved_until, evidence_hash, 0)
    if existing is not None and _decision(existing) == wanted:
        return Plan(title, notes=("It is approved like that already.",))
    require_role(snapshot.find(Role, role), RoleKind.COMPLIANCE, compliance, snapshot.now)
    if approved_until <= snapshot.now:
        raise Refused(
            f"The approval would have lapsed on {instant(approved_until)}.", hint="Name an end in the future."
        )

    async def is_done() -> bool:
        found = await read(chain, Holder, address)
        return found is not None and _decision(found) == wanted

    params = ApproveHolderParams(
        wallet=wallet,
        investor_id=investor_id,
        classes=classes,
        approved_until=approved_until,
        evidence_hash=evidence_hash,
    )
    content = sha256(investor_id, classes.to_bytes(8, "little"), approved_until.to_bytes(8, "little"), evidence_hash)
    action = new_action(
        f"approve:{address}:{content[:8].hex()}:{await last_change(chain, address)}",
        title,
        instructions.approve_holder(payer=payer, compliance=compliance, role=role, issuer=issuer, params=params),
        payer,
        (compliance, "compliance"),
        is_done=is_done,
    )
    notes: list[str] = []
    if existing is not None and existing.suspended_at:
        notes.append(f"This ends its suspension of {instant(existing.suspended_at)}.")
    if existing is not None and existing.investor_id != investor_id:
        notes.append("The wallet was another investor's until now.")
    return Plan(title, (action,), tuple(notes))


async def plan_suspend_holder(
    chain: Chain, *, payer: Pubkey, issuer: Pubkey, compliance: Pubkey, wallet: Pubkey, evidence_hash: bytes
) -> Plan:
    """Stop a wallet's orders and settlements; what it has in escrow still returns to it. Signed by a compliance key."""
    _require_hash("evidence hash", evidence_hash)
    address, role = holder_address(issuer, wallet), role_address(issuer, RoleKind.COMPLIANCE, compliance)
    snapshot = await read_snapshot(chain, [address, role])
    holder = snapshot.require(Holder, address, hint=f"{wallet} was never approved, so there is nothing to suspend.")
    title = f"Suspend {wallet}"
    if holder.suspended_at:
        return Plan(title, notes=(f"It is suspended since {instant(holder.suspended_at)}.",))
    require_role(snapshot.find(Role, role), RoleKind.COMPLIANCE, compliance, snapshot.now)

    async def is_done() -> bool:
        return (await require(chain, Holder, address)).suspended_at != 0

    action = new_action(
        f"suspend:{address}:{await last_change(chain, address)}",
        title,
        instructions.suspend_holder(
            compliance=compliance,
            role=role,
            issuer=issuer,
            holder=address,
            params=SuspendHolderParams(evidence_hash=evidence_hash),
        ),
        payer,
        (compliance, "compliance"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


def _decision(holder: Holder) -> tuple[bytes, int, int, bytes, int]:
    return holder.investor_id, holder.classes, holder.approved_until, holder.evidence_hash, holder.suspended_at


def _require_hash(name: str, value: bytes) -> None:
    if len(value) != 32 or not any(value):
        raise InputError(f"The {name} is a hash of 32 bytes, not all zero.")
