"""Holds: reasons, each with an owner, why a security may not mint, redeem or transfer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.canonical import sha256
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import hold_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Hold, Issuer, Role, Security
from tallystick.program.generated.types import PlaceHoldParams, RoleKind
from tallystick.services.chain_reads import list_roles, read, read_snapshot, require
from tallystick.services.plans import Plan, new_action, require_text_reference
from tallystick.services.rules import (
    FOREVER,
    HOLDS_EXPIRE,
    MACHINE_HOLD,
    MAY_HOLD,
    is_in_force,
    kind_name,
    require_role,
)

HOLD_TAG: Final = b"tallystick:hold"
REASON_TAG: Final = b"tallystick:hold-reason"


class Scope(IntFlag):
    """What a hold stops. TRANSFER stops the other two with it: Token-2022's pause stops all."""

    MINT = 1
    REDEEM = 2
    TRANSFER = 4


class ReleasePath(Enum):
    """Who may lift a hold now."""

    EXPIRED = "anyone, since it expired"
    OWNER = "its owner"
    OWNER_AND_COMPLIANCE = "its owner together with compliance"
    ADMIN_AND_GUARDIAN = "admin and guardian together, since its owner's role has ended"


@dataclass(frozen=True, slots=True)
class Release:
    """How a hold can be lifted: the path, whoever must sign first, and keys of which one must sign beside it."""

    path: ReleasePath
    authority: Pubkey | None
    cosigners: tuple[Pubkey, ...] = ()
    cosigner_kind: RoleKind | None = None


def hold_id(reference: str) -> int:
    """The u64 under which a hold is kept: the first 8 bytes of SHA-256("tallystick:hold" || reference), little endian.

    Each owner uses a reference once. InputError for a reference that is none.
    """
    return int.from_bytes(sha256(HOLD_TAG, require_text_reference(reference).encode())[:8], "little")


def reason_hash(reason: str) -> bytes:
    """32 bytes for a hold's reason: SHA-256("tallystick:hold-reason" || text). InputError for a text that is none."""
    return sha256(REASON_TAG, require_text_reference(reason, 2_000).encode())


async def plan_place_hold(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    owner: Pubkey,
    kind: RoleKind,
    reference: str,
    scope: Scope,
    reason_code: int,
    reason: str,
    expires_at: int | None = None,
) -> Plan:
    """Stop minting, redeeming or transfers. Signed by its owner, under the role `kind`.

    `reference` names the hold in the owner's books, used once. `reason_code` (u16) is from the issuer's own table; of
    `reason` only a hash goes on chain. `expires_at` in seconds since 1970 UTC, None until it is released; operator,
    distributor, reconciliation, publisher and guardian must name one at most 72 hours ahead.
    """
    if not scope or scope & ~(Scope.MINT | Scope.REDEEM | Scope.TRANSFER) or not 0 <= reason_code < 2**16:
        raise InputError("A scope of mint, redeem or transfer and a reason code of 0 to 65535 are expected.")
    number, reason_digest = hold_id(reference), reason_hash(reason)
    address = hold_address(security, owner, number)
    account = await require(chain, Security, security)
    role = role_address(account.issuer, kind, owner)
    snapshot = await read_snapshot(chain, [role, address])
    what = " and ".join(str(each.name).lower() for each in Scope if each in scope)
    title = f"Hold {what} of {_ticker(account)}"
    existing = snapshot.find(Hold, address)
    if existing is not None:
        same = (existing.scope, existing.reason_code, existing.reason_hash, existing.owner_kind)
        if same != (scope, reason_code, reason_digest, kind):
            raise Refused(f"{reference!r} is another hold of {owner}.", hint="Choose another reference.")
        state = f"was released on {instant(existing.released_at)}" if existing.released_at else "is in place"
        return Plan(title, notes=(f"The hold {address} {state}; a reference is used once.",))
    if kind not in MAY_HOLD:
        raise Refused(
            f"The role {kind_name(kind)} may not hold a security.",
            hint="Operator, compliance, corporate actions, reconciliation and guardian may.",
        )
    require_role(snapshot.find(Role, role), kind, owner, snapshot.now)
    if expires_at is not None and expires_at <= snapshot.now:
        raise Refused(f"The hold would have expired on {instant(expires_at)}.", hint="Name an end in the future.")
    if kind in HOLDS_EXPIRE and (expires_at is None or expires_at - snapshot.now > MACHINE_HOLD):
        raise Refused(
            f"A hold of the role {kind_name(kind)} must expire within 72 hours.",
            hint="Name an earlier end; compliance or corporate actions may hold for longer.",
        )

    async def is_done() -> bool:
        return await read(chain, Hold, address) is not None

    params = PlaceHoldParams(
        hold_id=number, scope=int(scope), reason_code=reason_code, reason_hash=reason_digest, expires_at=expires_at
    )
    until = "until it is released" if expires_at is None else f"until {instant(expires_at)}"
    action = new_action(
        f"hold:{address}",
        f"{title} {until}: {reason}",
        instructions.place_hold(
            payer=payer, owner=owner, role=role, security=security, mint=account.mint, params=params
        ),
        payer,
        (owner, kind_name(kind)),
        is_done=is_done,
        is_guarded=True,
    )
    notes = ("No token of this security moves while transfers are held.",) if Scope.TRANSFER in scope else ()
    return Plan(title, (action,), notes)


async def release_of(chain: Chain, hold: Pubkey) -> Release:
    """Who may lift a hold now. Refused when there is none, or it was released."""
    account = await require(chain, Hold, hold)
    if account.released_at:
        raise Refused(f"The hold {hold} was released on {instant(account.released_at)}.", hint="Nothing to do.")
    issuer = (await require(chain, Security, account.security)).issuer
    role = role_address(issuer, account.owner_kind, account.owner)
    snapshot = await read_snapshot(chain, [issuer, role])
    if snapshot.now >= account.expires_at:
        return Release(ReleasePath.EXPIRED, None)
    if is_in_force(snapshot.find(Role, role), snapshot.now):
        if account.owner_kind is not RoleKind.RECONCILIATION:
            return Release(ReleasePath.OWNER, account.owner)
        keys = await _keys(chain, issuer, RoleKind.COMPLIANCE, snapshot.now)
        return Release(ReleasePath.OWNER_AND_COMPLIANCE, account.owner, keys, RoleKind.COMPLIANCE)
    keys = await _keys(chain, issuer, RoleKind.GUARDIAN, snapshot.now)
    admin = snapshot.require(Issuer, issuer).admin
    return Release(ReleasePath.ADMIN_AND_GUARDIAN, admin, keys, RoleKind.GUARDIAN)


async def plan_release_hold(chain: Chain, *, payer: Pubkey, hold: Pubkey, keys: Collection[Pubkey]) -> Plan:
    """Lift a hold, by whichever path is open; `keys` are those that can sign.

    Refused when the path needs keys that are not among them; they are named.
    """
    account = await require(chain, Hold, hold)
    title = f"Release the hold {hold}"
    if account.released_at:
        return Plan(title, notes=(f"It was released on {instant(account.released_at)}.",))
    release = await release_of(chain, hold)
    security = await require(chain, Security, account.security)
    authority = release.authority or payer
    cosigner = next((key for key in release.cosigners if key in keys), None)
    missing = [str(authority)] if release.authority is not None and authority not in keys else []
    if release.cosigner_kind is not None and cosigner is None:
        choice = " or ".join(map(str, release.cosigners)) or "nobody now"
        missing.append(f"a {kind_name(release.cosigner_kind)} key ({choice})")
    if missing:
        end = "never" if account.expires_at == FOREVER else f"on {instant(account.expires_at)}"
        raise Refused(
            f"This hold can be lifted by {release.path.value}; the signature of {' and of '.join(missing)} is missing.",
            hint=f"It expires {end}; after that anyone lifts it.",
        )

    async def is_done() -> bool:
        return (await require(chain, Hold, hold)).released_at != 0

    cosigner_role = None
    signatories = [(authority, "anyone" if release.authority is None else _capacity(release))]
    if cosigner is not None and release.cosigner_kind is not None:
        cosigner_role = role_address(security.issuer, release.cosigner_kind, cosigner)
        signatories.append((cosigner, kind_name(release.cosigner_kind)))
    instruction = instructions.release_hold(
        authority=authority,
        issuer=security.issuer,
        security=account.security,
        hold=hold,
        owner_role=role_address(security.issuer, account.owner_kind, account.owner),
        cosigner=cosigner,
        cosigner_role=cosigner_role,
        mint=security.mint,
    )
    action = new_action(f"release:{hold}", title, instruction, payer, *signatories, is_done=is_done, is_guarded=True)
    return Plan(title, (action,), (f"Lifted by {release.path.value}.",))


async def _keys(chain: Chain, issuer: Pubkey, kind: RoleKind, now: int) -> tuple[Pubkey, ...]:
    roles = (await list_roles(chain, issuer)).accounts.values()
    return tuple(sorted((r.holder for r in roles if r.kind is kind and is_in_force(r, now)), key=bytes))


def _capacity(release: Release) -> str:
    return "admin" if release.path is ReleasePath.ADMIN_AND_GUARDIAN else "owner of the hold"


def _ticker(security: Security) -> str:
    return security.ticker.rstrip(b"\0").decode(errors="replace")
