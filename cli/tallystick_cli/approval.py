"""Plan, question, signature: what will be signed is shown, a person agrees, and only then is anything sent."""

from __future__ import annotations

import sys
import termios
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from tallystick.errors import ConfigurationError, Refused
from tallystick.services.plans import Action, Plan, execute

from tallystick_cli.context import KeypairSigner, SendResult, Tally, TransactionSigner
from tallystick_cli.dry_run import end_dry_run
from tallystick_cli.render import facts, short, stack, table


@dataclass(frozen=True, slots=True)
class Signed:
    """What became of a plan. `details` is what there is to know about its effect; `names` are ours, by address."""

    plan: Plan
    results: tuple[SendResult, ...]
    details: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The plan, its transactions and the details."""
        return {
            "plan": self.plan.title,
            "notes": list(self.plan.notes),
            "transactions": [
                result_document(action, result) for action, result in zip(self.plan.actions, self.results, strict=False)
            ],
            **self.details,
        }

    def view(self) -> RenderableType:
        """One line for each transaction, then the details."""
        if not self.results:
            lines = [Text.assemble(("✓ ", "green"), f"{self._named(self.plan.title)}: nothing left to do.")]
            return stack(Group(*lines, *(Text(f"  {note}", style="dim") for note in self.plan.notes)), self._details())
        done = Table.grid(padding=(0, 1))
        done.add_column()
        done.add_column(ratio=1)
        done.add_column(style="dim", no_wrap=True)
        for action, result in zip(self.plan.actions, self.results, strict=False):
            done.add_row(Text("✓", style="green"), self._named(action.summary), short(str(result.signature or ""), 6))
        return stack(done, self._details())

    def _named(self, text: str) -> str:
        # After the fact names read better; before signing, and in JSON, it is always the address.
        for address, name in self.names.items():
            text = text.replace(address, name)
        return text

    def _details(self) -> RenderableType | None:
        if not self.details:
            return None
        return facts([(name.replace("_", " "), Text(value)) for name, value in self.details.items()])


def result_document(action: Action, result: SendResult) -> dict[str, object]:
    """One transaction as plain data."""
    return {
        "intent": result.intent,
        "summary": action.summary,
        "outcome": result.outcome.value,
        "signature": str(result.signature) if result.signature else None,
        "slot": result.slot,
        "compute_units": result.units,
        "fee_lamports": result.fee,
    }


async def sign(
    tally: Tally,
    plan: Plan,
    *signers: TransactionSigner,
    details: Mapping[str, str] | None = None,
    prepare: Callable[[], Awaitable[object]] | None = None,
) -> Signed:
    """Show the plan, ask, carry it out with these keys. An empty plan asks nothing. A dry run ends here.

    `prepare` is what has to be in place first; it is called between the answer and the first signature. Each
    transaction is in the audit log before it is signed and again when its outcome is known.

    Refused when the answer is no; ConfigurationError when there is nobody to ask and --yes was not given; else what
    `execute` and `SendResult.require_done` raise.
    """
    await end_dry_run(tally, plan, signers, details)
    names = {str(key): name for key, name in tally.known_names().items()}
    if plan.is_empty:
        return Signed(plan, (), details or {}, names)
    if not tally.is_yes:
        ask(tally, plan)
    if prepare is not None:
        await prepare()
    sender = await tally.open_sender()
    with tally.err.status("") as status:

        def tell(action: Action, result: SendResult | None) -> None:
            if result is None:
                status.update(f"{action.summary} …")

        results = await execute(plan, sender, tally.ring(*signers), tell, trail=await tally.open_trail())
    for result in results:
        result.require_done()
    return Signed(plan, results, details or {}, names)


def joined(title: str, plans: Sequence[Plan]) -> Plan:
    """Several plans as one, agreed to once."""
    shared = set.intersection(*({*plan.notes} for plan in plans)) if plans else set()
    # What holds for one of them alone has to say for which.
    notes = [
        note if note in shared or len(plans) == 1 else f"{plan.title}: {note}" for plan in plans for note in plan.notes
    ]
    return Plan(title, tuple(action for plan in plans for action in plan.actions), tuple(dict.fromkeys(notes)))


def ask(tally: Tally, plan: Plan) -> None:
    """Show the plan on stderr and ask. Refused for no, ConfigurationError when there is nobody to ask."""
    what = f"{plan.title}: this signs {count(len(plan.actions), 'transaction')}"
    confirm(tally, lambda: plan_panel(tally, plan), what, "Sign and send this?")


def confirm(tally: Tally, panel: Callable[[], RenderableType], what: str, question: str) -> None:
    """Show on stderr what would be signed, and ask. Refused for no, ConfigurationError when there is nobody to ask."""
    if not tally.can_ask:
        raise ConfigurationError(
            f"{what}, and there is no terminal to ask at.",
            hint="Look at the plan on a terminal first; in a script, agree beforehand with --yes.",
        )
    tally.err.print(panel())
    # A key that was pressed before the plan could be read is no consent to it.
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    if not typer.confirm(question, default=False, err=True):
        raise Refused("You said no; nothing was signed.", hint="Run it again when it is right.")


def plan_panel(tally: Tally, plan: Plan) -> RenderableType:
    """What would be signed, by which keys, on which cluster."""
    actions = table("#", "Transaction", right=["#"])
    for number, action in enumerate(plan.actions, start=1):
        actions.add_row(str(number), action.summary)
    names = tally.known_names()
    keys = facts(
        [(", ".join(roles), Text(f"{key} {names.get(key, '')}".strip())) for key, roles in plan.signers.items()]
    )
    notes = Group(*(Text(f"• {note}") for note in plan.notes)) if plan.notes else None
    cluster = Text(f"on {tally.cluster_name}", style="dim")
    title = f"[bold]{plan.title}[/bold]"
    return Panel(stack(actions, keys, notes, cluster), title=title, title_align="left", border_style="cyan")


def count(number: int, noun: str) -> str:
    """1 transaction, 2 transactions, 1,000 transactions."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def given_key(file: Path) -> KeypairSigner:
    """The key in a file that was named by --key. ConfigurationError when it cannot be used."""
    if not file.is_file():
        raise ConfigurationError(f"There is no key file {file}.", hint="Give the path of the key file: --key FILE")
    return KeypairSigner.from_file(file)
