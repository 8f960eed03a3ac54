"""--dry-run: what a command would sign is simulated, and each effect shown; nothing is signed, stored or sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units
from tallystick.domain.report_anchors import day_text, period_text
from tallystick.errors import LedgerError
from tallystick.program.text import decode_text
from tallystick.program.units import Unit
from tallystick.services.effects import AccountChange, EventShown, FieldChange, Value
from tallystick.services.holds import Scope
from tallystick.services.plans import Plan
from tallystick.services.rules import FOREVER
from tallystick.services.simulation import ActionEffects, PlanEffects, Simulated, simulate_plan

from tallystick_cli.context import Tally, TransactionSigner
from tallystick_cli.failures import DONE, exit_code, failure_document, failure_panel
from tallystick_cli.profile import Keys
from tallystick_cli.render import amount, facts, heading, instant_text, short, span, stack, when, words

LAMPORT_DECIMALS: Final = 9
MULTIPLIER_DECIMALS: Final = 18
_STYLES: Final = {Simulated.SUCCEEDS: "green", Simulated.REFUSED: "red", Simulated.UNKNOWN: "yellow"}
_MARKS: Final = {Simulated.SUCCEEDS: "✓", Simulated.REFUSED: "✗", Simulated.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a plan would do. `details` and `names` as of a plan that was signed; keys in `absent` would have to sign and
    are not here, which a simulation does not ask."""

    effects: PlanEffects
    details: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[Pubkey, str] = field(default_factory=dict)
    absent: tuple[Pubkey, ...] = ()

    @property
    def exit_code(self) -> int:
        """What the command would end with, as far as the simulation tells."""
        return exit_code(self.effects.refusal) if self.effects.refusal else DONE

    def document(self) -> dict[str, object]:
        """The plan and each transaction's effects; the refusal as a real one is told."""
        effects, plan = self.effects, self.effects.plan
        document: dict[str, object] = {
            "dry_run": True,
            "plan": plan.title,
            "notes": list(plan.notes),
            "signers": [
                {"key": str(key), "roles": list(roles), "is_here": key not in self.absent}
                for key, roles in plan.signers.items()
            ],
            "slot": effects.slot,
            "fee_lamports": effects.fee,
            "transactions": [self._action_document(each) for each in effects.actions],
            **self.details,
        }
        return document | failure_document(effects.refusal) if effects.refusal else document

    def view(self) -> RenderableType:
        """Each transaction with its events and changes, then what it would cost, or the refusal."""
        effects, plan = self.effects, self.effects.plan
        lines = [Text(f"• {note}", style="dim") for note in plan.notes]
        for key in self.absent:
            roles = " and ".join(plan.signers[key])
            lines.append(Text(f"• The command itself needs a key that is not here: {key} ({roles}).", style="yellow"))
        notes = Group(*lines) if lines else None
        head = Text.assemble(("Dry run: nothing was signed, stored or sent. ", "bold"), plan.title)
        if plan.is_empty:
            return stack(head, Text("✓ Nothing is left to do.", style="green"), notes)
        parts = [self._action_view(number, each) for number, each in enumerate(effects.actions, start=1)]
        end: RenderableType
        if effects.refusal is not None:
            end = failure_panel(effects.refusal)
        else:
            fee = amount(effects.fee, LAMPORT_DECIMALS)
            end = Text(f"Fees {fee} SOL, simulated on the state of slot {effects.slot}.", style="dim")
        return stack(head, notes, *parts, self._details(), end)

    def _action_document(self, each: ActionEffects) -> dict[str, object]:
        return {
            "intent": each.action.intent,
            "summary": each.action.summary,
            "outcome": each.outcome.value,
            "reason": each.reason or None,
            "simulated_together_with": list(each.together_with),
            "compute_units": each.units,
            "fee_lamports": each.fee,
            "events": [
                {"event": event.name, "fields": {name: self._plain(value) for name, value in event.fields}}
                for event in each.events
            ],
            "changes": [
                {
                    "address": str(change.address),
                    "kind": change.kind,
                    "name": self.names.get(change.address),
                    "is_new": change.is_new,
                    "is_closed": change.is_closed,
                    "fields": [
                        {"name": one.name, "old": self._plain(one.old), "new": self._plain(one.new)}
                        for one in change.fields
                    ],
                }
                for change in each.changes
            ],
            "refusal": failure_document(each.error)["error"] if each.error else None,
        }

    def _action_view(self, number: int, each: ActionEffects) -> RenderableType:
        outcome = f"{_MARKS[each.outcome]} {each.outcome.value}"
        if each.units is not None and each.fee is not None:
            outcome += f" · {each.units:,} compute units · fee {amount(each.fee, LAMPORT_DECIMALS)} SOL"
        if each.together_with:
            outcome += f" · simulated together with {', '.join(map(str, each.together_with))}, on which it builds"
        lines: list[RenderableType] = [
            heading(f"{number} · {each.action.summary}"),
            _indented(Text(outcome, style=_STYLES[each.outcome]), 2),
        ]
        if each.reason:
            lines.append(_indented(Text(each.reason), 2))
        lines += [_indented(self._event_view(event), 2) for event in each.events]
        for change in each.changes:
            lines += self._change_view(change)
        return Group(*lines)

    def _event_view(self, event: EventShown) -> RenderableType:
        said = ", ".join(
            f"{words(name)} {text}" for name, value in event.fields if (text := self._text(value, is_short=True))
        )
        return Text.assemble(("» ", "cyan"), (_sentence(event.name), "cyan"), f": {said}")

    def _change_view(self, change: AccountChange) -> list[RenderableType]:
        mark = "+" if change.is_new else "-" if change.is_closed else "~"
        kind = _sentence(change.kind).lower()
        state = "new " if change.is_new else "closed " if change.is_closed else ""
        title = Text.assemble(f"{mark} {state}{kind} ", (str(change.address), "dim"), overflow="fold")
        if name := self.names.get(change.address):
            title.append(f" {words_of(name)}", style="bold")
        rows = [
            ("balance" if each.name == "lamports" else words(each.name), self._field_view(each, change))
            for each in change.fields
        ]
        return [_indented(title, 2), _indented(facts(rows), 6)]

    def _field_view(self, each: FieldChange, change: AccountChange) -> RenderableType:
        old, new = self._text(each.old) or "none", self._text(each.new) or "none"
        if change.is_new and each.old is None:
            return Text(new)
        return Text.assemble((old, "dim"), " → ", new)

    def _details(self) -> RenderableType | None:
        if not self.details:
            return None
        return facts([(words(name), Text(value)) for name, value in self.details.items()])

    def _text(self, value: Value | None, *, is_short: bool = False) -> str:
        """A value in words; empty for none and for nothing. `is_short` where it stands in full elsewhere."""
        if value is None:
            return ""
        content = value.content
        if isinstance(content, Pubkey):
            if content == Pubkey.default():
                return ""
            name = words_of(self.names.get(content, ""))
            return (name or short(content)) if is_short else f"{content} {name}".strip()
        text = value_text(value)
        return short(text) if is_short and isinstance(content, bytes) and text == content.hex() else text

    def _plain(self, value: Value | None) -> object:
        """A value for JSON: amounts as exact decimal text, times as RFC 3339."""
        return None if value is None else plain_value(value)


class DryRunEnded(Exception):  # noqa: N818 - it is an ending
    """A dry run is over where signing would have begun: nothing that a command does after it may happen."""

    def __init__(self, output: DryRun) -> None:
        super().__init__("the dry run is over")
        self.output = output


async def end_dry_run(
    tally: Tally,
    plan: Plan,
    signers: Sequence[TransactionSigner],
    details: Mapping[str, str] | None = None,
    *,
    withheld: Mapping[str, str] | None = None,
) -> None:
    """In a dry run, simulate the plan and raise DryRunEnded; else nothing. What cannot be simulated is in `withheld`,
    with the reason, by intent."""
    if not tally.is_dry_run:
        return
    with tally.err.status("Simulating …"):
        effects = await simulate_plan(tally.open_chain(), plan, withheld=withheld)
    names = {**effects.names, **tally.known_names()}
    raise DryRunEnded(DryRun(effects, details or {}, names, tally.absent(plan, signers)))


def words_of(name: str) -> str:
    """A role as words; wallets and symbols as they are."""
    return words(name) if name.partition(".")[0] in Keys.model_fields else name


def value_text(value: Value) -> str:
    """A value as a person reads it; empty where there is nothing."""
    content = value.content
    if isinstance(content, IntEnum):
        return words(content.name)
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, bytes):
        return _bytes_text(content)
    if not isinstance(content, int):
        return str(content)
    match value.unit:
        case Unit.TIME:
            return "never" if content == FOREVER else f"{when(content)} UTC" if content else ""
        case Unit.SECONDS:
            return span(content)
        case Unit.AMOUNT if value.decimals is not None:
            return amount(content, value.decimals)
        case Unit.MULTIPLIER:
            return amount(content, MULTIPLIER_DECIMALS)
        case Unit.LAMPORTS:
            return f"{amount(content, LAMPORT_DECIMALS)} SOL"
        case Unit.BASIS_POINTS:
            return f"{content:,} basis points"
        case Unit.SCOPE:
            return " and ".join(str(each.name).lower() for each in Scope if each & content)
        case Unit.DAY:
            return day_text(content) if content else "none"
        case Unit.PERIOD:
            return period_text(content) if content else "none"
    return f"{content:,}"


def plain_value(value: Value) -> object:
    """A value for JSON: amounts and multipliers as exact decimal text, times as RFC 3339, lamports as an integer."""
    content = value.content
    if isinstance(content, IntEnum):
        return content.name.lower()
    if isinstance(content, bytes):
        return _bytes_text(content) or None
    if isinstance(content, Pubkey):
        return None if content == Pubkey.default() else str(content)
    if isinstance(content, str | bool):
        return content
    match value.unit:
        case Unit.TIME:
            return "never" if content == FOREVER else instant_text(content)
        case Unit.AMOUNT if value.decimals is not None:
            return format_base_units(content, value.decimals)
        case Unit.MULTIPLIER:
            return format_base_units(content, MULTIPLIER_DECIMALS)
    return content


def _bytes_text(content: bytes) -> str:
    """Text where it is text padded with zeros, else hexadecimal; empty for zeros."""
    if not any(content):
        return ""
    try:
        text = decode_text(content)
    except LedgerError:
        return content.hex()
    return text if text.isprintable() else content.hex()


def _indented(part: RenderableType, by: int) -> RenderableType:
    return Padding(part, (0, 0, 0, by), expand=False)


def _sentence(name: str) -> str:
    """SubscriptionOpened as Subscription opened."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return spaced[:1].upper() + spaced[1:]
