"""tally action: corporate actions, announced by one key and approved by a second before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import canonical_spelling, event_hash
from tallystick.errors import ConfigurationError, Refused
from tallystick.program.addresses import action_address
from tallystick.program.generated.accounts import CorporateAction
from tallystick.program.generated.types import ActionKind, ActionTerms
from tallystick.services.action_reads import (
    CHANGES_MULTIPLIER,
    CODES,
    ActionDetails,
    ActionState,
    action_details,
    currency_text,
    effect_notes,
    find_versions,
    gross_text,
    kind_text,
    moment_text,
    multiplier_text,
    next_step,
    percent_text,
    ratio_text,
    state_of,
    terms_text,
)
from tallystick.services.chain_reads import chain_time, list_actions
from tallystick.services.corporate_actions import (
    NO_CURRENCY,
    announced_version,
    plan_announce_action,
    plan_approve_action,
    plan_cancel_action,
    plan_execute_action,
)
from tallystick.services.plans import Plan
from tallystick.services.reinvestment import plan_execute_reinvested
from tallystick.services.securities import CustodyAccount, security_of

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import command
from tallystick_cli.context import KnownEvent, Tally, TransactionSigner
from tallystick_cli.files import notice_hash
from tallystick_cli.moments import FORM, parse_moment
from tallystick_cli.render import facts, heading, short, stack, table
from tallystick_cli.terms import KINDS, parse_currency, parse_gross, parse_kind, parse_percent, parse_ratio

app = typer.Typer(
    no_args_is_help=True,
    help="Corporate actions: one key announces, a second approves, and only then does anything happen.",
)
SecurityArgument = Annotated[str, typer.Argument(metavar="SECURITY", help="Symbol, ISIN or id.")]
EventArgument = Annotated[str, typer.Argument(metavar="EVENT", help="The custodian's id of the event.")]
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


@dataclass(frozen=True, slots=True)
class ActionsShown:
    """Actions as (symbol, event id or empty, address, action). `now` is the chain's clock."""

    now: int
    actions: tuple[tuple[str, str, Pubkey, CorporateAction], ...]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Each action with its state."""
        return {
            "actions": [
                {"security": symbol, **action_document(address, event, action, self.now)}
                for symbol, event, address, action in self.actions
            ]
        }

    def view(self) -> RenderableType:
        """A table of actions, the newest last."""
        if not self.actions:
            return Text("No corporate actions.", style="dim")
        rows = table("Security", "Event", "v", "Kind", "Terms", "When (UTC)", "State")
        for symbol, event, _, action in self.actions:
            terms = action.terms
            state = state_of(action, self.now)
            rows.add_row(
                symbol,
                event or short(bytes(action.event_hash)),
                str(action.action_version),
                CODES[action.kind],
                terms_text(action.kind, terms),
                moment_text(terms.effective_at or terms.record_at),
                Text(state.value, style=_STYLES.get(state, "")),
            )
        return rows


_STYLES = {
    ActionState.ANNOUNCED: "yellow",
    ActionState.APPROVED: "yellow",
    ActionState.LAPSED: "red",
    ActionState.PENDING: "cyan",
    ActionState.IN_EFFECT: "green",
    ActionState.CANCELLED: "dim",
    ActionState.REPLACED: "dim",
}


@command(app, "list", examples=("tally action list", "tally action list tAAPL --all --json"))
async def list_(
    tally: Tally,
    security: Annotated[str | None, typer.Argument(help="One security; else all.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Cancelled and replaced ones too.")] = False,
) -> ActionsShown:
    """Which actions there are, and how far each one is."""
    chain, books = tally.open_chain(), await tally.open_store()
    known = {(each.security, each.hash): each.event_id for each in await books.events.list()}
    rows: list[tuple[str, str, Pubkey, CorporateAction]] = []
    for section in [tally.profile.security(security)] if security else tally.profile.securities:
        address = security_of(tally.issuer, section.id).security
        found = await list_actions(chain, address)
        rows += [
            (section.symbol, known.get((bytes(address), bytes(each.event_hash)), ""), action, each)
            for action, each in found.accounts.items()
        ]
    now = await chain_time(chain)
    ended = (ActionState.CANCELLED, ActionState.REPLACED)
    rows = [row for row in rows if all_ or state_of(row[3], now) not in ended]
    rows.sort(key=lambda row: (row[3].announced_at, row[3].action_version, bytes(row[2])))
    return ActionsShown(now, tuple(rows))


@dataclass(frozen=True, slots=True)
class ActionShown:
    """One version of an action and what it means. `names` are ours, by address."""

    symbol: str
    event: str
    details: ActionDetails
    names: dict[Pubkey, str]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The action, its effect, what comes next, and every version."""
        details, effect = self.details, self.details.effect
        versions = [
            {"version": each.action_version, "action": str(address), "status": each.status.name.lower()}
            for address, each in details.versions
        ]
        changed = None
        if effect is not None:
            changed = {
                "multiplier_before": multiplier_text(effect.before),
                "multiplier_after": multiplier_text(effect.after) if effect.after else None,
                "no_mint_from": moment_text(effect.window_from),
                "notes": list(effect_notes(effect, details.security)),
            }
        return {
            "security": self.symbol,
            **action_document(details.address, self.event, details.action, details.now),
            "effect": changed,
            "next": next_step(details) or None,
            "versions": versions,
        }

    def view(self) -> RenderableType:
        """Facts, then what it means, then the versions."""
        details, action, terms = self.details, self.details.action, self.details.action.terms
        effect, state = details.effect, details.state
        approved = f"{self._key(action.approver)} on {moment_text(action.approved_at)}" if action.approved_at else ""
        head = facts(
            [
                ("Event", f"{self.event} of {self.symbol}, version {action.action_version}"),
                ("Kind", f"{kind_text(action.kind)} ({CODES[action.kind]})"),
                ("Terms", terms_text(action.kind, terms)),
                ("Ex", _moment_shown(terms.ex_at)),
                ("Record", _moment_shown(terms.record_at)),
                ("Pay", _moment_shown(terms.pay_at)),
                ("Effective", _moment_shown(terms.effective_at)),
                ("State", Text(state.value, style=_STYLES.get(state, ""))),
                ("Announced", f"{self._key(action.announcer)} on {moment_text(action.announced_at)}"),
                ("Approved", approved),
                ("Notice", f"SHA-256 {bytes(terms.evidence_hash).hex()}"),
                ("Address", str(details.address)),
                ("Next", next_step(details)),
            ]
        )
        notes: RenderableType | None = None
        if effect is not None and state not in (ActionState.CANCELLED, ActionState.REPLACED):
            notes = Group(*(Text(f"• {note}") for note in effect_notes(effect, details.security)))
        if len(details.versions) == 1:
            return stack(head, notes)
        rows = table("Version", "Terms", "Status", "Since (UTC)", "Action")
        for address, each in details.versions:
            rows.add_row(
                str(each.action_version),
                terms_text(each.kind, each.terms),
                each.status.name.lower(),
                moment_text(each.status_at),
                str(address),
            )
        return stack(head, notes, heading("Versions"), rows)

    def _key(self, key: Pubkey) -> str:
        return f"{self.names.get(key, '')} {key}".strip()


@command(
    app,
    "show",
    examples=("tally action show tAAPL CA-2026-17", "tally action show tAAPL CA-2026-17 --version 1 --json"),
)
async def show(
    tally: Tally, security: SecurityArgument, event: EventArgument, version: VersionOption = None
) -> ActionShown:
    """One action: its terms, what they mean, who stands behind it and what comes next."""
    symbol, _, action, _ = await find_action(tally, security, event, version)
    details = await action_details(tally.open_chain(), action)
    return ActionShown(symbol, canonical_spelling(event), details, tally.known_names())


def action_document(address: Pubkey, event: str, action: CorporateAction, now: int) -> dict[str, object]:
    """One version of an action as plain data; ratio, cash and multipliers as exact decimal text."""
    terms = action.terms
    return {
        "action": str(address),
        "event": event or None,
        "event_hash": bytes(action.event_hash).hex(),
        "version": action.action_version,
        "kind": kind_text(action.kind).replace(" ", "-"),
        "code": CODES[action.kind],
        "state": state_of(action, now).value,
        "status": action.status.name.lower(),
        "ratio": ratio_text(terms) or None,
        "gross_per_share": gross_text(terms) if terms.gross_per_share else None,
        "currency": currency_text(terms) or None,
        "withholding": percent_text(terms.withholding),
        "ex_at": _moment_shown(terms.ex_at) or None,
        "record_at": _moment_shown(terms.record_at) or None,
        "pay_at": _moment_shown(terms.pay_at) or None,
        "effective_at": _moment_shown(terms.effective_at) or None,
        "evidence_hash": bytes(terms.evidence_hash).hex(),
        "announcer": str(action.announcer),
        "approver": str(action.approver) if action.approved_at else None,
        "announced_at": moment_text(action.announced_at),
        "approved_at": _moment_shown(action.approved_at) or None,
        "multiplier_before": multiplier_text(action.multiplier_before) if action.multiplier_after else None,
        "multiplier_after": multiplier_text(action.multiplier_after) if action.multiplier_after else None,
        "changes_multiplier": action.kind in CHANGES_MULTIPLIER,
    }


async def find_action(
    tally: Tally, security: str, event: str, version: int | None
) -> tuple[str, Pubkey, Pubkey, CorporateAction]:
    """Symbol, the security, the action and its address; the newest version unless one is named.

    Refused when the event, or that version of it, was not announced.
    """
    section = tally.profile.security(security)
    address = security_of(tally.issuer, section.id).security
    versions = await find_versions(tally.open_chain(), address, event_hash(event))
    if not versions:
        raise Refused(
            f"Nothing was announced of the event {canonical_spelling(event)} of {section.symbol}.",
            hint="Check the id in the custodian's notice; see: tally action list",
        )
    wanted = version or versions[-1][1].action_version
    for action, found in versions:
        if found.action_version == wanted:
            return section.symbol, address, action, found
    raise Refused(
        f"{canonical_spelling(event)} has no version {wanted}; the newest is {versions[-1][1].action_version}.",
        hint="See: tally action show",
    )


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


def _moment_shown(seconds: int) -> str:
    return moment_text(seconds) if seconds else ""
