"""tally action list and show: how far corporate actions are, what they mean, and who stands behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import canonical_spelling
from tallystick.program.generated.accounts import CorporateAction
from tallystick.services.action_reads import (
    CHANGES_MULTIPLIER,
    CODES,
    ActionDetails,
    ActionState,
    action_details,
    currency_text,
    effect_notes,
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
from tallystick.services.securities import security_of

from tallystick_cli.actions import EventArgument, find_action
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.commands.action import VersionOption, app
from tallystick_cli.context import Tally
from tallystick_cli.render import facts, heading, short, stack, table

__all__ = ["app"]


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
                {"security": symbol, **_document(address, event, action, self.now)}
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
            **_document(details.address, self.event, details.action, details.now),
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


def _document(address: Pubkey, event: str, action: CorporateAction, now: int) -> dict[str, object]:
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


def _moment_shown(seconds: int) -> str:
    return moment_text(seconds) if seconds else ""
