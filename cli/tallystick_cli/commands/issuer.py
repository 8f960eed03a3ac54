"""tally issuer: open the issuer, say who may act for it, hand it over, veto what waits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.errors import ConfigurationError, InputError
from tallystick.program.addresses import issuer_address, issuer_id
from tallystick.program.generated.types import RoleKind, VetoSubject
from tallystick.program.text import decode_text
from tallystick.services.issuers import (
    NOBODY,
    IssuerStatus,
    RoleState,
    issuer_status,
    plan_accept_admin,
    plan_grant_role,
    plan_initialize,
    plan_propose_admin,
    plan_revoke_role,
)
from tallystick.services.securities import security_of
from tallystick.services.vetoes import plan_veto_admin, plan_veto_limit, plan_veto_role, plan_veto_setting

from tallystick_cli.approval import Signed, joined, sign
from tallystick_cli.command import command
from tallystick_cli.context import Tally
from tallystick_cli.render import facts, instant_text, span, stack, table, when, when_short, words

DAY = 24 * 3600

app = typer.Typer(no_args_is_help=True, help="The issuer on chain: open it, and say who may act for it.")
role_app = typer.Typer(no_args_is_help=True, help="Grant and revoke roles.")
admin_app = typer.Typer(no_args_is_help=True, help="Hand the issuer over to another admin, in two steps.")
app.add_typer(role_app, name="role")
app.add_typer(admin_app, name="admin")


class RoleName(StrEnum):
    """A kind of role, as it is typed."""

    ATTESTOR = "attestor"
    OPERATOR = "operator"
    COMPLIANCE = "compliance"
    CORPORATE_ACTIONS = "corporate-actions"
    DISTRIBUTOR = "distributor"
    RECONCILIATION = "reconciliation"
    PUBLISHER = "publisher"
    GUARDIAN = "guardian"

    @property
    def kind(self) -> RoleKind:
        """The same on chain."""
        return RoleKind[self.name]


RoleArgument = Annotated[RoleName, typer.Argument(help="The kind of role.")]
KeysArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Addresses, or names of the profile; without any, the profile's own keys of that role."),
]


@dataclass(frozen=True, slots=True)
class IssuerShown:
    """The issuer and its roles."""

    status: IssuerStatus
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Issuer, and each role with its state and times."""
        issuer = self.status.issuer
        return {
            "issuer": str(self.status.address),
            "name": decode_text(issuer.name),
            "lei": decode_text(issuer.lei),
            "admin": str(issuer.admin),
            "pending_admin": str(issuer.pending_admin) if issuer.pending_admin != NOBODY else None,
            "pending_admin_from": instant_text(issuer.pending_admin_from),
            "delay_seconds": issuer.delay,
            "securities": issuer.securities,
            "slot": self.status.slot,
            "roles": [
                {
                    "kind": RoleName[each.role.kind.name].value,
                    "key": str(each.role.holder),
                    "state": each.state.value,
                    "in_force_from": instant_text(each.role.in_force_from),
                }
                for each in self.status.roles
            ],
        }

    def view(self) -> RenderableType:
        """Facts, then a table of roles."""
        issuer = self.status.issuer
        pending = ""
        if issuer.pending_admin != NOBODY:
            pending = f"{issuer.pending_admin} may accept from {when(issuer.pending_admin_from)} UTC"
        head = facts(
            [
                ("Issuer", f"{decode_text(issuer.name)} · LEI {decode_text(issuer.lei)}"),
                ("Address", str(self.status.address)),
                ("Admin", str(issuer.admin)),
                ("Next admin", pending),
                ("Delay", f"{span(issuer.delay)}, open to the guardian's veto"),
                ("Securities", str(issuer.securities)),
            ]
        )
        roles = table("Role", "Key", "State", "From (UTC)")
        for each in self.status.roles:
            style = {RoleState.WAITING: "yellow", RoleState.ENDED: "dim", RoleState.ENDING: "yellow"}.get(
                each.state, ""
            )
            roles.add_row(
                words(each.role.kind.name),
                str(each.role.holder),
                Text(each.state.value, style=style),
                when_short(each.role.in_force_from),
            )
        return stack(head, roles)


@command(
    app,
    "init",
    signs=True,
    examples=("tally issuer init", "tally issuer init --delay 172800 --guardian 7xKX… --yes --json"),
)
async def init(
    tally: Tally,
    delay: Annotated[
        int, typer.Option(help="Seconds that grants and loosened settings wait, open to the guardian's veto.", min=1)
    ] = DAY,
    guardian: Annotated[str | None, typer.Option(help="The guardian's address; else the profile's key.")] = None,
    nonce: Annotated[int, typer.Option(help="Another number opens another issuer of the same admin.", min=0)] = 0,
) -> Signed:
    """Open the issuer that the profile names, with its first guardian; write its address to the profile."""
    section = tally.profile.issuer
    if not section.name or not section.lei:
        raise ConfigurationError("The profile has no name or LEI under [issuer].", hint="Fill both in, or: tally init")
    admin = tally.signer("admin")
    authority = tally.signer("upgrade_authority") if tally.profile.keys.upgrade_authority else admin
    payer = tally.payer(admin)
    address = issuer_address(issuer_id(admin.pubkey, nonce))
    plan = await plan_initialize(
        tally.open_chain(),
        payer=payer.pubkey,
        admin=admin.pubkey,
        guardian=tally.address(guardian or "guardian"),
        nonce=nonce,
        name=section.name,
        lei=section.lei,
        delay=delay,
    )
    signed = await sign(tally, plan, payer, admin, authority, details={"issuer": str(address)})

    def write(document: dict[str, Any]) -> None:
        document.setdefault("issuer", {})["address"] = str(address)

    tally.change_profile(write)
    return signed


@command(app, "status", examples=("tally issuer status", "tally issuer status --json | jq '.roles[]'"))
async def status(tally: Tally) -> IssuerShown:
    """Who administers the issuer, and everybody who was ever given a role."""
    found = await issuer_status(tally.open_chain(), tally.issuer)
    return IssuerShown(found)


@command(
    role_app,
    "grant",
    signs=True,
    examples=("tally issuer role grant attestor", "tally issuer role grant operator 7xKX… --yes"),
)
async def grant(tally: Tally, kind: RoleArgument, keys: KeysArgument = None) -> Signed:
    """Give keys a role; it is in force after the issuer's delay, unless a guardian vetoes it."""
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    plans = [
        await plan_grant_role(tally.open_chain(), payer=payer.pubkey, issuer=tally.issuer, kind=kind.kind, holder=key)
        for key in _keys(tally, kind, keys)
    ]
    plan = joined(f"Grant the role {words(kind.name)}", plans) if len(plans) > 1 else plans[0]
    return await sign(tally, plan, payer, admin)


@command(role_app, "revoke", signs=True, examples=("tally issuer role revoke operator 7xKX…",))
async def revoke(
    tally: Tally,
    kind: RoleArgument,
    key: Annotated[str, typer.Argument(help="The key's address, or a name of the profile.")],
) -> Signed:
    """Take a role from a key: at once; a guardian's after the delay."""
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    plan = await plan_revoke_role(
        tally.open_chain(), payer=payer.pubkey, issuer=tally.issuer, kind=kind.kind, holder=tally.address(key)
    )
    return await sign(tally, plan, payer, admin)


@command(
    admin_app,
    "propose",
    signs=True,
    examples=("tally issuer admin propose 7xKX…", "tally issuer admin propose --withdraw"),
)
async def propose(
    tally: Tally,
    key: Annotated[str | None, typer.Argument(help="The next admin's address.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the proposal back.")] = False,
) -> Signed:
    """Name the next admin, who may accept after the delay."""
    if (key is None) != withdraw:
        raise InputError("Name the next admin's address, or --withdraw.")
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    plan = await plan_propose_admin(
        tally.open_chain(), payer=payer.pubkey, issuer=tally.issuer, new_admin=tally.address(key) if key else None
    )
    return await sign(tally, plan, payer, admin)


@command(admin_app, "accept", signs=True, examples=("tally issuer admin accept --profile ./next-admin.toml",))
async def accept(tally: Tally) -> Signed:
    """Take over as admin, with the proposed key as the profile's admin key."""
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    plan = await plan_accept_admin(tally.open_chain(), payer=payer.pubkey, issuer=tally.issuer, new_admin=admin.pubkey)
    return await sign(tally, plan, payer, admin)


@command(
    app,
    "veto",
    signs=True,
    examples=(
        "tally issuer veto --role operator --key 7xKX…",
        "tally issuer veto --limit AAPL --key operator",
        "tally issuer veto --admin",
        "tally issuer veto --policy tAAPL",
        "tally issuer veto --seizure-account tAAPL",
        "tally issuer veto --metadata tAAPL --yes",
    ),
)
async def veto(
    tally: Tally,
    role: Annotated[RoleName | None, typer.Option(help="A grant of this role that waits; with --key.")] = None,
    limit: Annotated[str | None, typer.Option(help="A security whose limit waits; with --key.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="The proposed admin.")] = False,
    policy: Annotated[str | None, typer.Option(help="A security whose loosened policy waits.")] = None,
    seizure_account: Annotated[str | None, typer.Option(help="A security whose seizure account waits.")] = None,
    metadata: Annotated[str | None, typer.Option(help="A security whose metadata is announced.")] = None,
    key: Annotated[str | None, typer.Option(help="Whose role or limit.")] = None,
    with_compliance: Annotated[
        bool, typer.Option("--with-compliance", help="Compliance signs too: for the guardian's own removal.")
    ] = False,
) -> Signed:
    """Stop one change that waits. By a guardian; its own removal together with compliance."""
    settings = [
        (subject, named)
        for subject, named in (
            (VetoSubject.POLICY, policy),
            (VetoSubject.SEIZURE_ACCOUNT, seizure_account),
            (VetoSubject.METADATA, metadata),
        )
        if named is not None
    ]
    has_key = role is not None or limit is not None
    if sum((role is not None, limit is not None, admin, len(settings))) != 1 or (key is not None) != has_key:
        raise InputError(
            "Name one change: --role KIND --key KEY, --limit SECURITY --key KEY, --admin, or --policy,"
            " --seizure-account or --metadata with a SECURITY."
        )
    guardian = tally.signer("guardian")
    beside = [tally.signer("compliance")] if with_compliance else []
    payer, chain, issuer = tally.payer(guardian), tally.open_chain(), tally.issuer
    whose = tally.address(key) if key else NOBODY
    if role is not None:
        plan = await plan_veto_role(
            chain,
            payer=payer.pubkey,
            issuer=issuer,
            guardian=guardian.pubkey,
            kind=role.kind,
            holder=whose,
            compliance=beside[0].pubkey if beside else None,
        )
    elif settings:
        [(subject, named)] = settings
        security = security_of(issuer, tally.profile.security(named).id).security
        plan = await plan_veto_setting(
            chain, payer=payer.pubkey, security=security, guardian=guardian.pubkey, subject=subject
        )
    elif limit is not None:
        security = security_of(issuer, tally.profile.security(limit).id).security
        plan = await plan_veto_limit(
            chain, payer=payer.pubkey, security=security, guardian=guardian.pubkey, operator=whose
        )
    else:
        plan = await plan_veto_admin(chain, payer=payer.pubkey, issuer=issuer, guardian=guardian.pubkey)
    return await sign(tally, plan, payer, guardian, *beside)


def _keys(tally: Tally, kind: RoleName, given: list[str] | None) -> list[Pubkey]:
    if given:
        return [tally.address(each) for each in given]
    several = {
        RoleName.ATTESTOR: "attestors",
        RoleName.CORPORATE_ACTIONS: "corporate_actions",
        RoleName.COMPLIANCE: "compliance",
    }
    if kind not in several:
        return [tally.signer(kind.name.lower()).pubkey]
    found = [tally.signer(each).pubkey for each in tally.numbered(several[kind])]
    if not found:
        raise ConfigurationError(
            f"The profile names no {words(kind.name)} keys.", hint="Name the addresses after the role."
        )
    return found
