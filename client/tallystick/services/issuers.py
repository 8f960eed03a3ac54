"""The issuer and who may act for it: initialize, roles, the admin's handover, and the guardian's veto."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account, Chain
from tallystick.adapters.clock import instant
from tallystick.domain.identifiers import parse_lei
from tallystick.errors import InputError, LedgerError, Refused
from tallystick.program.addresses import (
    UPGRADEABLE_LOADER,
    issuer_address,
    issuer_id,
    program_data_address,
    role_address,
)
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, Role
from tallystick.program.generated.types import (
    GrantRoleParams,
    InitializeParams,
    ProposeAdminParams,
    RoleKind,
)
from tallystick.program.text import encode_text
from tallystick.services.chain_reads import Snapshot, list_roles, read, read_snapshot, require
from tallystick.services.plans import Plan, last_change, new_action
from tallystick.services.rules import EXCLUSIVE, FOREVER, has_not_ended, is_in_force, kind_name

NOBODY: Final = Pubkey.default()
MINIMUM_DELAY: Final = 1
MAXIMUM_DELAY: Final = 30 * 24 * 3600
"""Bounds, in seconds, of an issuer's delay (programs/tallystick/src/constants.rs)."""
_UPGRADE_AUTHORITY: Final = slice(13, 45)
"""In a program data account: u32 kind, u64 slot, one byte that says there is an authority, its 32 bytes."""


class RoleState(StrEnum):
    """Where a role stands by the chain's clock."""

    WAITING = "waiting"
    IN_FORCE = "in force"
    ENDING = "ending"
    """In force, and a guardian's removal that waits."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role and where it stands."""

    address: Pubkey
    role: Role
    state: RoleState


@dataclass(frozen=True, slots=True)
class IssuerStatus:
    """An issuer and everybody who was ever given a role, sorted by kind and key. `now` is the chain's clock."""

    slot: int
    now: int
    address: Pubkey
    issuer: Issuer
    roles: tuple[RoleStatus, ...]

    def keys(self, kind: RoleKind) -> tuple[Pubkey, ...]:
        """Keys whose role of that kind is in force."""
        live = (RoleState.IN_FORCE, RoleState.ENDING)
        return tuple(each.role.holder for each in self.roles if each.role.kind is kind and each.state in live)


async def issuer_status(chain: Chain, issuer: Pubkey) -> IssuerStatus:
    """The issuer and its roles as they stand. Refused when there is no such issuer."""
    snapshot = await read_snapshot(chain, [issuer])
    account = snapshot.require(Issuer, issuer)
    found = await list_roles(chain, issuer, min_context_slot=snapshot.slot)
    roles = [RoleStatus(address, role, _state(role, snapshot.now)) for address, role in found.accounts.items()]
    roles.sort(key=lambda each: (each.role.kind, bytes(each.role.holder)))
    return IssuerStatus(found.slot, snapshot.now, issuer, account, tuple(roles))


async def plan_initialize(
    chain: Chain, *, payer: Pubkey, admin: Pubkey, guardian: Pubkey, nonce: int, name: str, lei: str, delay: int
) -> Plan:
    """Create an issuer and its first guardian. Signed by the admin and by the program's upgrade authority.

    Its address follows from the admin and `nonce` (u64). `delay` in seconds is what grants and loosened settings wait.
    InputError or IdentifierError for a name, LEI or delay that the program refuses.
    """
    parse_lei(lei)
    if not MINIMUM_DELAY <= delay <= MAXIMUM_DELAY:
        raise InputError(f"A delay of {MINIMUM_DELAY} to {MAXIMUM_DELAY} seconds is expected, not {delay}.")
    if not name.strip():
        raise InputError("An issuer has a name.")
    address = issuer_address(issuer_id(admin, nonce))
    title = f"Create the issuer {name}"
    snapshot = await read_snapshot(chain, [address, program_data_address()])
    params = InitializeParams(
        nonce=nonce, guardian=guardian, delay=delay, name=encode_text(name, 64, "name"), lei=lei.encode()
    )
    existing = snapshot.find(Issuer, address)
    if existing is not None:
        if (existing.name, existing.lei) != (params.name, params.lei):
            raise Refused(f"{address} is another issuer of the same admin.", hint="Choose another nonce.")
        return Plan(title, notes=(f"The issuer {address} exists already.",))
    if guardian in (NOBODY, admin):
        raise Refused("The guardian must be a key of its own, not the admin's.", hint="Its veto is against the admin.")
    authority = _upgrade_authority(snapshot.accounts[program_data_address()])

    async def is_done() -> bool:
        return await read(chain, Issuer, address) is not None

    instruction = instructions.initialize(
        payer=payer, admin=admin, upgrade_authority=authority, issuer=address, params=params
    )
    action = new_action(
        f"initialize:{address}",
        f"Create the issuer {name} ({lei}) at {address}",
        instruction,
        payer,
        (admin, "admin"),
        (authority, "upgrade authority of the program"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,), (f"Grants and loosened settings will wait {delay} s, open to the guardian's veto.",))


async def plan_grant_role(chain: Chain, *, payer: Pubkey, issuer: Pubkey, kind: RoleKind, holder: Pubkey) -> Plan:
    """Give a key a role, in force after the issuer's delay. Signed by the admin.

    Refused when the key is the admin's, or holds another role that it may not hold beside this one.
    """
    address = role_address(issuer, kind, holder)
    siblings = {each: role_address(issuer, each, holder) for each in EXCLUSIVE}
    snapshot = await read_snapshot(chain, [issuer, address, *siblings.values()])
    account = snapshot.require(Issuer, issuer)
    title = f"Make {holder} {kind_name(kind)}"
    role = snapshot.find(Role, address)
    if has_not_ended(role, snapshot.now) and role is not None:
        return Plan(title, notes=(f"It is already; in force from {instant(role.in_force_from)}.",))
    if holder == NOBODY:
        raise Refused("The default key is nobody's.", hint="Name the key that will sign.")
    if kind in EXCLUSIVE:
        if holder in (account.admin, account.pending_admin):
            raise Refused(f"{holder} is the admin, and so cannot be {kind_name(kind)}.", hint="Use a separate key.")
        for other, sibling in siblings.items():
            if other is not kind and has_not_ended(snapshot.find(Role, sibling), snapshot.now):
                raise Refused(
                    f"{holder} is {kind_name(other)}, and so cannot be {kind_name(kind)}.",
                    hint="Use a separate key for each role, or revoke the other one first.",
                )
    grants = (role.grants if role else 0) + 1

    async def is_done() -> bool:
        now = await read(chain, Role, address)
        return now is not None and now.grants >= grants

    instruction = instructions.grant_role(
        payer=payer, admin=account.admin, issuer=issuer, params=GrantRoleParams(kind=kind, holder=holder)
    )
    action = new_action(
        f"grant:{address}:{grants}",
        f"{title}, in force {account.delay} s after the grant",
        instruction,
        payer,
        (account.admin, "admin"),
        is_done=is_done,
        is_guarded=True,
    )
    notes = ("Every grant of an attestor voids approvals of attestations that are still open.",)
    return Plan(title, (action,), notes if kind is RoleKind.ATTESTOR else ())


async def plan_revoke_role(chain: Chain, *, payer: Pubkey, issuer: Pubkey, kind: RoleKind, holder: Pubkey) -> Plan:
    """Take a role from a key: at once, a guardian's after the delay. Signed by the admin."""
    address = role_address(issuer, kind, holder)
    snapshot = await read_snapshot(chain, [issuer, address])
    account = snapshot.require(Issuer, issuer)
    title = f"End the role {kind_name(kind)} of {holder}"
    role = snapshot.find(Role, address)
    if role is None:
        raise Refused(f"{holder} was never {kind_name(kind)} of this issuer.", hint="Check the key and the kind.")
    if role.ends_at != FOREVER:
        return Plan(title, notes=(f"It ends, or ended, at {instant(role.ends_at)}.",))

    async def is_done() -> bool:
        now = await read(chain, Role, address)
        return now is not None and now.grants == role.grants and now.ends_at != FOREVER

    waits = kind is RoleKind.GUARDIAN and is_in_force(role, snapshot.now)
    when = f"in {account.delay} s, unless a guardian vetoes it" if waits else "at once"
    action = new_action(
        f"revoke:{address}:{role.grants}:{await last_change(chain, address)}",
        f"{title} {when}",
        instructions.revoke_role(admin=account.admin, issuer=issuer, role=address),
        payer,
        (account.admin, "admin"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def plan_propose_admin(chain: Chain, *, payer: Pubkey, issuer: Pubkey, new_admin: Pubkey | None) -> Plan:
    """Name the next admin, who may accept after the delay; None withdraws a proposal. Signed by the admin."""
    account = await require(chain, Issuer, issuer)
    proposed = new_admin or NOBODY
    title = f"Propose {new_admin} as admin" if new_admin else "Withdraw the proposed admin"
    if account.pending_admin == proposed:
        when = f" {proposed} may accept from {instant(account.pending_admin_from)}." if new_admin else ""
        return Plan(title, notes=(f"That is how it stands.{when}",))
    if proposed == account.admin:
        raise Refused(f"{proposed} is the admin already.", hint="Name another key.")

    async def is_done() -> bool:
        return (await require(chain, Issuer, issuer)).pending_admin == proposed

    action = new_action(
        f"propose-admin:{issuer}:{proposed}:{await last_change(chain, issuer)}",
        title,
        instructions.propose_admin(
            admin=account.admin, issuer=issuer, params=ProposeAdminParams(pending_admin=proposed)
        ),
        payer,
        (account.admin, "admin"),
        is_done=is_done,
    )
    return Plan(title, (action,), (f"It may accept {account.delay} s later.",) if new_admin else ())


async def plan_accept_admin(chain: Chain, *, payer: Pubkey, issuer: Pubkey, new_admin: Pubkey) -> Plan:
    """Take over as admin. Signed by the proposed key, once the delay is over."""
    siblings = {kind: role_address(issuer, kind, new_admin) for kind in EXCLUSIVE}
    snapshot = await read_snapshot(chain, [issuer, *siblings.values()])
    account, title = snapshot.require(Issuer, issuer), f"Make {new_admin} admin"
    if account.admin == new_admin:
        return Plan(title, notes=("It is admin already.",))
    if account.pending_admin != new_admin:
        raise Refused(f"{new_admin} was not proposed as admin.", hint="The admin proposes it first.")
    if snapshot.now < account.pending_admin_from:
        raise Refused(
            f"{new_admin} may accept only from {instant(account.pending_admin_from)}.",
            hint=f"Run this again in {account.pending_admin_from - snapshot.now} s.",
        )
    for kind, sibling in siblings.items():
        if has_not_ended(snapshot.find(Role, sibling), snapshot.now):
            raise Refused(f"{new_admin} is {kind_name(kind)}, and so cannot be admin.", hint="Revoke that role first.")

    async def is_done() -> bool:
        return (await require(chain, Issuer, issuer)).admin == new_admin

    action = new_action(
        f"accept-admin:{issuer}:{new_admin}:{account.pending_admin_from}",
        title,
        instructions.accept_admin(pending_admin=new_admin, issuer=issuer),
        payer,
        (new_admin, "proposed admin"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


def require_guardian(snapshot: Snapshot, issuer: Pubkey, guardian: Pubkey) -> None:
    """Refused unless the key is a guardian in force; its role's address must be in the snapshot."""
    role = snapshot.find(Role, role_address(issuer, RoleKind.GUARDIAN, guardian))
    if not is_in_force(role, snapshot.now):
        raise Refused(f"{guardian} is no guardian of this issuer now.", hint="Sign with a guardian's key.")


def _state(role: Role, now: int) -> RoleState:
    if now >= role.ends_at:
        return RoleState.ENDED
    if now < role.in_force_from:
        return RoleState.WAITING
    return RoleState.IN_FORCE if role.ends_at == FOREVER else RoleState.ENDING


def _upgrade_authority(account: Account | None) -> Pubkey:
    if account is None:
        raise Refused("The program is not on this cluster.", hint="Deploy it with: tally program deploy")
    if account.owner != UPGRADEABLE_LOADER or len(account.data) < _UPGRADE_AUTHORITY.stop:
        raise LedgerError(f"{program_data_address()} does not hold the program's data.")
    if account.data[_UPGRADE_AUTHORITY.start - 1] != 1:
        raise Refused(
            "The program has no upgrade authority any more, and only that can create an issuer.",
            hint="Use an issuer that exists, or deploy a program of your own.",
        )
    return Pubkey.from_bytes(account.data[_UPGRADE_AUTHORITY])
