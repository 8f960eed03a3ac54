"""tally security: list a share class as a token, bound what operators may mint, and show how it stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text
from tallystick.domain.amounts import format_base_units, parse_base_units
from tallystick.domain.identifiers import parse_isin
from tallystick.errors import InputError
from tallystick.program.generated.types import Policy
from tallystick.program.generated.types import SecurityStatus as ChainStatus
from tallystick.services.action_execution import find_delisting, plan_retire_security
from tallystick.services.action_reads import moment_text, multiplier_text
from tallystick.services.chain_reads import list_limits
from tallystick.services.rules import burn_left, mint_left, multiplier_at, policy_at, seizure_account_at
from tallystick.services.securities import (
    CustodyAccount,
    SecuritySpec,
    SecurityStatus,
    plan_list_security,
    plan_set_limit,
    security_of,
    security_status,
)
from tallystick.services.waiting_changes import Waiting, waiting_changes

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import command
from tallystick_cli.context import Tally
from tallystick_cli.profile import CustodyAccountReference, SecuritySection
from tallystick_cli.render import ago, amount, facts, heading, instant_text, span, stack, table, when
from tallystick_cli.waiting import policy_document, waiting_document, waiting_text

HOUR = 3600
DAY = 24 * HOUR
TERMS = "Terms are published by the issuer."

app = typer.Typer(no_args_is_help=True, help="Tokenised share classes: list them, limit them, look at them.")
SecurityArgument = Annotated[str, typer.Argument(metavar="SECURITY", help="Symbol, ISIN or id of the security.")]


@command(
    app,
    "list",
    signs=True,
    examples=(
        "tally security list US0378331005 --symbol tAAPL --name 'Apple Inc.' --cap 1000000 --terms terms.pdf",
        "tally security list US5949181045 --symbol tMSFT --name Microsoft --cap 500000 --account 5493…/SAFE-001 --yes",
    ),
)
async def list_security(
    tally: Tally,
    isin: Annotated[str, typer.Argument(help="The share's ISIN.")],
    symbol: Annotated[str, typer.Option(help="The token's symbol, at most 16 bytes.")],
    name: Annotated[str, typer.Option(help="The token's name, at most 64 bytes.")],
    cap: Annotated[str, typer.Option(help="Most tokens there may ever be.")],
    security_id: Annotated[
        str | None, typer.Option("--id", help="Names it at this issuer for ever; else the ISIN.")
    ] = None,
    decimals: Annotated[int, typer.Option(help="Decimals of the token.", min=0, max=9)] = 8,
    account: Annotated[
        list[str] | None,
        typer.Option(help="A custody account as LEI/ACCOUNT; repeat for more. Else all accounts of the profile."),
    ] = None,
    uri: Annotated[str | None, typer.Option(help="Where the token's metadata is.")] = None,
    terms: Annotated[
        Path | None, typer.Option(help="The terms as a file; its SHA-256 goes on chain.", exists=True, dir_okay=False)
    ] = None,
    threshold: Annotated[int, typer.Option(help="Attestors that have to agree.", min=2, max=8)] = 2,
    margin: Annotated[int, typer.Option(help="Basis points of the reserve that back nothing.", min=0, max=5000)] = 0,
    max_age: Annotated[int, typer.Option(help="Seconds after which a statement backs no mint.", min=1)] = DAY,
    accept_period: Annotated[int, typer.Option(help="Seconds to accept a redemption.", min=1)] = 2 * DAY,
    settle_period: Annotated[int, typer.Option(help="Seconds to settle an accepted one.", min=1)] = 5 * DAY,
    notice: Annotated[int, typer.Option(help="Seconds a corporate action is announced before.", min=1)] = DAY,
    change_window: Annotated[
        int, typer.Option(help="Seconds before a multiplier change in which nothing is minted.", min=1)
    ] = HOUR,
    max_change: Annotated[str, typer.Option(help="Largest multiplier change, as a ratio.")] = "50/1",
    classes: Annotated[int, typer.Option(help="Bits of the holder classes that may order.", min=1)] = 1,
    permissioned: Annotated[
        bool,
        typer.Option("--permissioned", help="Token accounts start frozen; only approved holders' are thawed."),
    ] = False,
) -> Signed:
    """List a share class as a token: mint, escrow and policy; remember it in the profile."""
    numerator, _, denominator = max_change.partition("/")
    if not numerator.isdecimal() or not (denominator or "1").isdecimal():
        raise InputError(f"{max_change!r} is no ratio.", hint="Write 50/1 for at most fifty to one.")
    accounts = _accounts(tally, account)
    section = SecuritySection(
        isin=parse_isin(isin),
        symbol=symbol,
        name=name,
        id=security_id or isin,
        decimals=decimals,
        accounts=tuple(
            CustodyAccountReference(custodian=each.custodian_lei, account=each.account) for each in accounts
        ),
    )
    spec = SecuritySpec(
        security_id=section.id,
        isin=section.isin,
        ticker=symbol,
        name=name,
        decimals=decimals,
        custody_accounts=accounts,
        policy=Policy(
            threshold=threshold,
            margin=margin,
            max_attestation_age=max_age,
            supply_cap=parse_base_units(cap, decimals),
            accept_period=accept_period,
            settle_period=settle_period,
            notice=notice,
            change_window=change_window,
            max_change_numerator=int(numerator),
            max_change_denominator=int(denominator or 1),
            allowed_classes=classes,
        ),
        terms_hash=hashlib.sha256(terms.read_bytes() if terms else TERMS.encode()).digest(),
        uri=uri or f"urn:isin:{section.isin}",
        permissioned=permissioned,
    )
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    addresses = security_of(tally.issuer, section.id)
    plan = await plan_list_security(tally.open_chain(), payer=payer.pubkey, issuer=tally.issuer, spec=spec)
    signed = await sign(
        tally,
        plan,
        payer,
        admin,
        details={
            "security": str(addresses.security),
            "mint": str(addresses.mint),
            "escrow": str(addresses.escrow),
        },
    )

    def write(document: dict[str, Any]) -> None:
        listed = document.setdefault("securities", [])
        if all(each["id"] != section.id for each in listed):
            listed.append(section.model_dump(exclude_defaults=True) | {"decimals": decimals})

    tally.change_profile(write)
    return signed


@command(
    app,
    "limit",
    signs=True,
    examples=(
        "tally security limit tAAPL --mint 5000 --burn 5000",
        "tally security limit tAAPL operator --window 3600 …",
    ),
)
async def limit(
    tally: Tally,
    security: SecurityArgument,
    mint: Annotated[str, typer.Option(help="Most tokens that may be minted in one window.")],
    burn: Annotated[str, typer.Option(help="Most tokens that may be burnt in one window.")],
    operator: Annotated[str, typer.Argument(help="The operator's address, or a name of the profile.")] = "operator",
    window: Annotated[int, typer.Option(help="Seconds in which what was used recovers in full.", min=1)] = DAY,
) -> Signed:
    """Set what one operator may mint and burn. Tightening is immediate; anything else waits the issuer's delay."""
    section = tally.profile.security(security)
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    plan = await plan_set_limit(
        tally.open_chain(),
        payer=payer.pubkey,
        security=security_of(tally.issuer, section.id).security,
        operator=tally.address(operator),
        mint_cap=parse_base_units(mint, section.decimals),
        burn_cap=parse_base_units(burn, section.decimals),
        window=window,
    )
    return await sign(tally, plan, payer, admin)


@command(
    app, "retire", signs=True, examples=("tally security retire tAAPL", "tally security retire tAAPL --yes --json")
)
async def retire(tally: Tally, security: SecurityArgument) -> Signed:
    """Retire a security by its approved delisting, for good: no subscriptions and mints; redemptions go on."""
    section, chain = tally.profile.security(security), tally.open_chain()
    action = await find_delisting(chain, security_of(tally.issuer, section.id).security)
    executor = tally.signer("corporate_actions")
    payer = tally.payer(executor)
    plan = await plan_retire_security(chain, payer=payer.pubkey, executor=executor.pubkey, action=action)
    return await sign(tally, plan, payer, executor, details={"action": str(action)})


@dataclass(frozen=True, slots=True)
class SecurityShown:
    """One security as the chain has it; limits as (operator, mint left, mint cap, burn left, burn cap, window)."""

    section: SecuritySection
    status: SecurityStatus
    limits: tuple[tuple[str, int, int, int, int, int], ...]
    waiting: tuple[Waiting, ...] = ()
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Amounts as decimal text of shares or tokens."""
        status, decimals = self.status, self.section.decimals
        security = status.security
        return {
            "security": str(status.address),
            "isin": self.section.isin,
            "symbol": self.section.symbol,
            "mint": str(security.mint),
            "decimals": decimals,
            "slot": status.slot,
            "supply": format_base_units(status.supply, decimals),
            "required_shares": format_base_units(status.required, decimals),
            "reserve_shares": format_base_units(security.reserve, decimals),
            "reserve_as_of": instant_text(security.reserve_as_of),
            "backing_shares": format_base_units(status.backing, decimals),
            "mintable": format_base_units(status.room, decimals),
            "status": security.status.name.lower(),
            "multiplier": multiplier_text(multiplier_at(security, status.now)),
            "pending_multiplier": multiplier_text(security.pending_multiplier) if status.is_changing else None,
            "multiplier_changes_at": moment_text(security.multiplier_effective_at) if status.is_changing else None,
            "trouble": status.trouble,
            "is_permissioned": security.permissioned,
            "policy": policy_document(policy_at(security, status.now), decimals),
            "seizure_account": str(seizure_account_at(security, status.now) or "") or None,
            "waiting": [waiting_document(each) for each in self.waiting],
            "holds": {
                "mint": security.mint_holds,
                "redeem": security.redeem_holds,
                "transfer": security.transfer_holds,
            },
            "limits": [
                {
                    "operator": operator,
                    "mint_left": format_base_units(mint, decimals),
                    "mint_cap": format_base_units(mint_cap, decimals),
                    "burn_left": format_base_units(burn, decimals),
                    "burn_cap": format_base_units(burn_cap, decimals),
                    "window_seconds": window,
                }
                for operator, mint, mint_cap, burn, burn_cap, window in self.limits
            ],
        }

    def view(self) -> RenderableType:
        """Backing first, then policy and limits."""
        status, decimals = self.status, self.section.decimals
        security, policy = status.security, policy_at(status.security, status.now)
        as_of = f"{when(security.reserve_as_of)} UTC ({ago(security.reserve_as_of, status.now)})"
        head = facts(
            [
                ("Security", f"{self.section.symbol} · {self.section.name} · {self.section.isin}"),
                ("Mint", str(security.mint)),
                ("Supply", f"{amount(status.supply, decimals)} tokens, {amount(status.required, decimals)} shares"),
                (
                    "Reserve",
                    f"{amount(security.reserve, decimals)} shares as of {as_of}" if security.reserve_as_of else "none",
                ),
                ("Backs", f"{amount(status.backing, decimals)} shares, after redemptions and margin"),
                ("May be minted", amount(status.room, decimals)),
                ("Status", "" if security.status is ChainStatus.ACTIVE else Text("retired", style="yellow")),
                ("Multiplier", _multiplier(status)),
                ("Why not more", Text(status.trouble, style="yellow") if status.trouble else ""),
                (
                    "Holds",
                    f"mint {security.mint_holds}, redeem {security.redeem_holds}, transfer {security.transfer_holds}",
                ),
                (
                    "Policy",
                    f"{policy.threshold} attestors, statements up to {span(policy.max_attestation_age)} old",
                ),
                (
                    "At most",
                    f"{amount(policy.supply_cap, decimals)} tokens; margin {format_base_units(policy.margin, 2)}%",
                ),
                ("Notice", f"{span(policy.notice)}; nothing is minted {span(policy.change_window)} before a change"),
                (
                    "Redemptions",
                    f"accepted within {span(policy.accept_period)}, settled within {span(policy.settle_period)}",
                ),
                ("Permissioned", "token accounts start frozen" if security.permissioned else ""),
                ("Seizures go to", str(seizure_account_at(security, status.now) or "")),
            ]
        )
        waits = stack(heading("Waits"), waiting_text(self.waiting)) if self.waiting else None
        if not self.limits:
            return stack(head, waits, Text("No operator has a limit yet, so nobody can mint.", style="yellow"))
        rows = table(
            "Operator", "May mint now", "of", "May burn now", "of ", "per", right=["May mint now", "May burn now"]
        )
        for operator, mint, mint_cap, burn, burn_cap, window in self.limits:
            rows.add_row(
                operator,
                amount(mint, decimals),
                amount(mint_cap, decimals),
                amount(burn, decimals),
                amount(burn_cap, decimals),
                span(window),
            )
        return stack(head, waits, rows)


@command(app, "show", examples=("tally security show tAAPL", "tally security show US0378331005 --json"))
async def show(tally: Tally, security: SecurityArgument) -> SecurityShown:
    """How one security stands: supply, reserve, what may be minted, limits."""
    section = tally.profile.security(security)
    chain, address = tally.open_chain(), security_of(tally.issuer, section.id).security
    status = await security_status(chain, address)
    found = await list_limits(chain, address, min_context_slot=status.slot)
    limits = tuple(
        (
            tally.name_of(each.holder) or str(each.holder),
            mint_left(each, status.now),
            each.mint_cap,
            burn_left(each, status.now),
            each.burn_cap,
            each.window,
        )
        for each in found.accounts.values()
    )
    waiting = await waiting_changes(chain, address, status.security, status.now)
    return SecurityShown(section, status, limits, waiting)


def _multiplier(status: SecurityStatus) -> str:
    """The one in force, and the one that is pending; empty while it is and stays one."""
    security = status.security
    current = multiplier_text(multiplier_at(security, status.now))
    if status.is_changing:
        at = moment_text(security.multiplier_effective_at)
        return f"{current}, from {at} {multiplier_text(security.pending_multiplier)}"
    return "" if current == "1" else f"{current} shares a token"


def _accounts(tally: Tally, given: list[str] | None) -> tuple[CustodyAccount, ...]:
    if given:
        pairs = [each.partition("/") for each in given]
        return tuple(CustodyAccount(lei, account) for lei, _, account in pairs)
    found = tuple(
        CustodyAccount(custodian.lei, account)
        for custodian in tally.profile.custodians
        for account in custodian.accounts
    )
    if not found:
        raise InputError("No custody account is declared.", hint="Give --account LEI/ACCOUNT, or add [[custodians]].")
    return found
