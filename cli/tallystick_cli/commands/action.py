"""tally action: corporate actions, announced by one key and approved by a second before anything happens.

What only looks at them is in action_view.py.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import canonical_spelling, event_hash
from tallystick.errors import ConfigurationError
from tallystick.program.addresses import action_address
from tallystick.program.generated.accounts import CorporateAction
from tallystick.program.generated.types import ActionKind, ActionTerms
from tallystick.services.action_execution import plan_execute_action
from tallystick.services.action_reads import find_versions
from tallystick.services.action_rules import NO_CURRENCY
from tallystick.services.chain_reads import chain_time
from tallystick.services.corporate_actions import (
    announced_version,
    plan_announce_action,
    plan_approve_action,
    plan_cancel_action,
)
from tallystick.services.plans import Plan
from tallystick.services.reinvestment import plan_execute_reinvested
from tallystick.services.securities import CustodyAccount, security_of

from tallystick_cli.actions import EventArgument, find_action
from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.context import KnownEvent, Tally, TransactionSigner
from tallystick_cli.files import notice_hash
from tallystick_cli.moments import FORM, parse_moment
from tallystick_cli.terms import KINDS, parse_currency, parse_gross, parse_kind, parse_percent, parse_ratio

app = typer.Typer(
    no_args_is_help=True,
    help="Corporate actions: one key announces, a second approves, and only then does anything happen.",
)
VersionOption = Annotated[
    int | None, typer.Option("--version", help="A version of the announcement; else the newest.", min=1, max=65535)
]
KeyOption = Annotated[
    int | None,
    typer.Option("--key", help="Number of the corporate actions key of the profile; else one that may.", min=1),
]
ROLE = "corporate_actions"
NOTICE_OPTION = "--evidence notice.xml"


class CancellerName(StrEnum):
    """Roles that may cancel."""

    CORPORATE_ACTIONS = "corporate-actions"
    GUARDIAN = "guardian"


@command(
    app,
    "announce",
    signs=True,
    examples=(
        "tally action announce tAAPL CA-17 --kind forward-split --ratio 4:1 --effective 2026-12-07T14:30:00Z "
        + NOTICE_OPTION,
        "tally action announce tAAPL CA-17 --kind SPLF --ratio 4:1 --effective 2026-12-09T14:30:00Z --corrects "
        + NOTICE_OPTION,
        "tally action announce tAAPL CA-21 --kind reverse-split --ratio 1:500 --effective 3d --evidence notice.pdf",
        "tally action announce tAAPL CA-30 --kind cash-dividend --gross 0.24 --currency USD --withholding 15% "
        "--ex 2026-11-09T14:30:00Z --record 2026-11-10 --pay 2026-11-13 " + NOTICE_OPTION,
        "tally action announce tAAPL CA-44 --kind delisting --effective 30d --evidence notice.pdf",
    ),
)
async def announce(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    kind: Annotated[str, typer.Option(help=f"What happens: {KINDS}.")],
    evidence: Annotated[
        Path, typer.Option(help="The custodian's notice as a file; its SHA-256 goes on chain.", dir_okay=False)
    ],
    ratio: Annotated[
        str | None, typer.Option(help="New to old shares: 4:1 is four for one, 1:500 one for five hundred.")
    ] = None,
    effective: Annotated[
        str | None,
        typer.Option(help=f"When it takes effect: {FORM}. A date means its end, 24:00 UTC: better name the time."),
    ] = None,
    ex: Annotated[str | None, typer.Option(help=f"From when the share trades without it: {FORM}.")] = None,
    record: Annotated[str | None, typer.Option(help=f"When holders are counted: {FORM}; a date means its end.")] = None,
    pay: Annotated[str | None, typer.Option(help=f"From when it is paid: {FORM}.")] = None,
    gross: Annotated[str | None, typer.Option(help="Cash for one share before tax, as exact decimal text.")] = None,
    currency: Annotated[str | None, typer.Option(help="The cash's currency, ISO 4217.")] = None,
    withholding: Annotated[str, typer.Option(help="Tax withheld, in per cent: 15% or 12.5.")] = "0%",
    corrects: Annotated[
        bool, typer.Option("--corrects", help="Replace the newest version of this event; notice and approval anew.")
    ] = False,
    key: KeyOption = None,
) -> Signed:
    """Announce an event of the custodian's. Its notice starts now; a second key has to approve it."""
    section, chain = tally.profile.security(security), tally.open_chain()
    address = security_of(tally.issuer, section.id).security
    announcer = tally.signer(f"{ROLE}.{key or 1}")
    payer, now = tally.payer(announcer), await chain_time(chain)
    numerator, denominator = parse_ratio(ratio) if ratio else (0, 0)
    terms = ActionTerms(
        ex_at=_moment(ex, now),
        record_at=_moment(record, now),
        pay_at=_moment(pay, now),
        effective_at=_moment(effective, now),
        numerator=numerator,
        denominator=denominator,
        gross_per_share=parse_gross(gross) if gross else 0,
        currency=parse_currency(currency) if currency else NO_CURRENCY,
        withholding=parse_percent(withholding),
        evidence_hash=notice_hash(evidence),
    )
    happens, hashed = parse_kind(kind), event_hash(event)
    version = announced_version(await find_versions(chain, address, hashed), happens, terms)
    plan = await plan_announce_action(
        chain,
        payer=payer.pubkey,
        security=address,
        announcer=announcer.pubkey,
        event_id=event,
        kind=happens,
        terms=terms,
        corrects=corrects,
    )
    made = action_address(address, hashed, version)
    details = {"event": canonical_spelling(event), "version": str(version), "action": str(made)}
    signed = await sign(tally, plan, payer, announcer, details=details)
    await (await tally.open_store()).events.record(KnownEvent(bytes(address), event, now))
    return signed


@command(
    app,
    "approve",
    signs=True,
    examples=(
        "tally action approve tAAPL CA-2026-17 --evidence notice.xml",
        "tally action approve tAAPL CA-2026-17 --key 2 --yes",
    ),
)
async def approve(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    evidence: Annotated[
        Path | None,
        typer.Option(help="The notice as you got it from the custodian; refused when it is another.", dir_okay=False),
    ] = None,
    version: VersionOption = None,
    key: KeyOption = None,
) -> Signed:
    """Approve what another key announced. Read the plan: you stand behind all of it."""
    _, address, action, found = await find_action(tally, security, event, version)
    signer = _second_key(tally, found, key)
    payer = tally.payer(signer)
    plan = await plan_approve_action(
        tally.open_chain(),
        payer=payer.pubkey,
        approver=signer.pubkey,
        action=action,
        evidence_hash=notice_hash(evidence) if evidence else None,
    )
    return await _sign(tally, plan, payer, signer, address, event, found, action)


@command(
    app,
    "cancel",
    signs=True,
    examples=(
        "tally action cancel tAAPL CA-2026-17 --reason 'withdrawn by the company'",
        "tally action cancel tAAPL CA-2026-17 --reason 'wrong ratio' --by guardian --yes",
    ),
)
async def cancel(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    reason: Annotated[str, typer.Option(help="Why; only a hash goes on chain.")],
    reason_code: Annotated[int, typer.Option(help="From your own table of reasons.", min=0, max=65535)] = 0,
    by: Annotated[CancellerName, typer.Option(help="The role that cancels.")] = CancellerName.CORPORATE_ACTIONS,
    version: VersionOption = None,
    key: KeyOption = None,
) -> Signed:
    """Cancel an action; one that was executed too, until its effective time."""
    _, address, action, found = await find_action(tally, security, event, version)
    signer = tally.signer("guardian" if by is CancellerName.GUARDIAN else f"{ROLE}.{key or 1}")
    payer = tally.payer(signer)
    plan = await plan_cancel_action(
        tally.open_chain(),
        payer=payer.pubkey,
        authority=signer.pubkey,
        action=action,
        reason=reason,
        reason_code=reason_code,
    )
    return await _sign(tally, plan, payer, signer, address, event, found, action)


@command(
    app,
    "execute",
    signs=True,
    examples=(
        "tally action execute tAAPL CA-2026-17",
        "tally action execute tAAPL CA-2026-17 --json --yes",
    ),
)
async def execute(
    tally: Tally, security: SecurityArgument, event: EventArgument, version: VersionOption = None, key: KeyOption = None
) -> Signed:
    """Let an approved action change the multiplier, at its effective time and by itself.

    A reinvested dividend is held against the newest statements, once nothing is minted any more.
    """
    _, address, action, found = await find_action(tally, security, event, version)
    signer = tally.signer(f"{ROLE}.{key or 1}")
    payer, chain = tally.payer(signer), tally.open_chain()
    if found.kind is ActionKind.REINVESTED_DIVIDEND:
        books, accounts = await tally.open_store(), tally.profile.security(security).accounts
        plan = await plan_execute_reinvested(
            chain,
            books.statements,
            books.journal,
            payer=payer.pubkey,
            executor=signer.pubkey,
            action=action,
            custody_accounts=[CustodyAccount(each.custodian, each.account) for each in accounts],
        )
    else:
        plan = await plan_execute_action(chain, payer=payer.pubkey, executor=signer.pubkey, action=action)
    return await _sign(tally, plan, payer, signer, address, event, found, action)


def _second_key(tally: Tally, action: CorporateAction, number: int | None) -> TransactionSigner:
    """The key of that number, else the first of the profile that did not announce the action, else the first."""
    if number is not None:
        return tally.signer(f"{ROLE}.{number}")
    keys = [tally.signer(each) for each in tally.numbered(ROLE)]
    if not keys:
        raise ConfigurationError(
            "The profile names no corporate actions keys.",
            hint="Run it where the second key is, or name its file under [keys] corporate_actions.",
        )
    return next((each for each in keys if each.pubkey != action.announcer), keys[0])


async def _sign(
    tally: Tally,
    plan: Plan,
    payer: TransactionSigner,
    signer: TransactionSigner,
    security: Pubkey,
    event: str,
    found: CorporateAction,
    action: Pubkey,
) -> Signed:
    """Carry the plan out, and keep the event's id where it is not known yet."""
    details = {"event": canonical_spelling(event), "version": str(found.action_version), "action": str(action)}
    signed = await sign(tally, plan, payer, signer, details=details)
    now = await chain_time(tally.open_chain())
    await (await tally.open_store()).events.record(KnownEvent(bytes(security), event, now))
    return signed


def _moment(text: str | None, now: int) -> int:
    return parse_moment(text, now) if text else 0
