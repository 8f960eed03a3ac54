"""The `tally` command: its groups and commands, each imported when it is called.

Importing them all takes longer than most of them take to run, and the list of what there is needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "demo": (
        "The whole path once: statement, attestation, tokens, redemption, dividend, a break, closes, a reserve report.",
        ("demo",),
    ),
    "init": (
        "Write a profile: the issuer, the cluster, the custodian and its accounts, and key files by role.",
        ("init",),
    ),
    "status": ("One screen: what is backed, what is open, what is stale.", ("status",)),
    "attest": ("Approve, as attestors, what the newest statements say; in force at the threshold.", ("attest",)),
    "close": (
        "Close a day: supply, register root, statements and breaks of every security, chained to the close before.",
        ("close",),
    ),
    "closes": ("All daily closes, after checking that none was changed, removed or inserted.", ("close",)),
    "reconcile": (
        "Compare custodians, chain and order book of every security. Exit 1 when anything differs.",
        ("reconcile",),
    ),
    "localnet": (
        "Serve Solana JSON-RPC from this process, for development: in memory, gone when it ends.",
        ("localnet",),
    ),
    "fund": ("Ask the faucet of a test cluster for SOL, for every key that the profile names.", ("localnet",)),
    "issuer": ("The issuer on chain: open it, and say who may act for it.", ("issuer",)),
    "security": (
        "Tokenised share classes: list them, limit them, look at them.",
        ("security", "security_terms"),
    ),
    "holder": ("Holders: which wallets compliance lets order.", ("holder",)),
    "statement": ("Statements of holdings: receive the custodian's files and read them.", ("statement",)),
    "order": ("Orders: subscriptions (shares in, tokens out) and redemptions.", ("order",)),
    "hold": ("Holds: reasons, each with an owner, why a security stands still.", ("hold",)),
    "holding": ("Holdings: what a wallet has, and what compliance freezes, thaws, reissues.", ("holding",)),
    "seizure": ("Seizures: one compliance key proposes, a second moves the tokens within 7 days.", ("seizure",)),
    "action": (
        "Corporate actions: one key announces, a second approves, and only then does anything happen.",
        ("action", "action_view"),
    ),
    "dividend": (
        "Pay a cash dividend: every holder at the record date, once, from cash that the custodian confirmed.",
        ("dividend", "dividend_push", "dividend_record", "dividend_reinvest", "dividend_view"),
    ),
    "report": (
        "The monthly reserve report that a stranger can check.",
        (
            "report",
            "report_build",
            "report_days",
            "report_declare",
            "report_line",
            "report_publish",
            "report_serve",
            "report_verify",
        ),
    ),
    "outbox": ("Signed transactions whose fate is not known yet.", ("outbox",)),
    "audit": ("The audit log: who signed and decided what, and when.", ("audit", "audit_export")),
    "program": ("The on-chain program: deploy it to a test cluster, verify it anywhere.", ("program",)),
}
"""Each with the first words of its help, and the files below commands/ that make it: the first has its app, to which
the others add."""


class Commands(TyperGroup):
    """Knows every command by its first words alone, and imports the one that is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=words) for name, (words, _) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, in the place of its first words."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found if name is None else load(name), rest


def load(name: str) -> TyperCommand | TyperGroup:
    """A command or group of the table."""
    modules = [import_module(f"tallystick_cli.commands.{each}") for each in COMMANDS[name][1]]
    found = typer.main.get_command(modules[0].app)
    if isinstance(found, TyperGroup) and name in found.commands:
        found = found.commands[name]
    assert isinstance(found, TyperCommand | TyperGroup)
    found.name = name
    return found


app = typer.Typer(
    name="tally",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tokenised shares two halves of one stick: for every token on Solana there is a share at a custodian, and "
    "anyone can check.",
    epilog="[dim]Try it: tally demo   ·   Begin: tally init   ·   Each day: tally statement add, attest, close, "
    "reconcile[/dim]",
)


@app.callback()
def tally() -> None:
    """Nothing of its own to do."""


def main() -> None:
    """The entry point."""
    app()
