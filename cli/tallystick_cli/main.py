"""The `tally` command: its groups, put together."""

from __future__ import annotations

import typer

from tallystick_cli.commands import (
    action,
    action_view,
    attest,
    audit,
    audit_export,
    close,
    demo,
    dividend,
    dividend_push,
    dividend_record,
    dividend_reinvest,
    dividend_view,
    hold,
    holder,
    holding,
    init,
    issuer,
    localnet,
    order,
    outbox,
    program,
    reconcile,
    report,
    report_build,
    report_days,
    report_declare,
    report_line,
    report_publish,
    report_serve,
    report_verify,
    security,
    security_terms,
    seizure,
    statement,
    status,
)

# Commands of their own file in a group of another: they are there once they are imported.
assert security_terms.app is security.app
assert action_view.app is action.app
for each in (dividend_push, dividend_record, dividend_reinvest, dividend_view):
    assert each.app is dividend.app
assert audit_export.app is audit.app
for each in (report_build, report_days, report_declare, report_line, report_publish, report_serve, report_verify):
    assert each.app is report.app

app = typer.Typer(
    name="tally",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tokenised shares two halves of one stick: for every token on Solana there is a share at a custodian, and "
    "anyone can check.",
    epilog="[dim]Try it: tally demo   ·   Begin: tally init   ·   Each day: tally statement add, attest, close, "
    "reconcile[/dim]",
)

for each in (demo, init, status, attest, close, reconcile, localnet):
    app.add_typer(each.app)
for name, group in (
    ("issuer", issuer),
    ("security", security),
    ("holder", holder),
    ("statement", statement),
    ("order", order),
    ("hold", hold),
    ("holding", holding),
    ("seizure", seizure),
    ("action", action),
    ("dividend", dividend),
    ("report", report),
    ("outbox", outbox),
    ("audit", audit),
    ("program", program),
):
    app.add_typer(group.app, name=name)


def main() -> None:
    """The entry point."""
    app()
