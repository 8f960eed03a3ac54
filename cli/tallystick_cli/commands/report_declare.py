"""tally report declare and assert: what no chain and no statement says of a month, and who stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.domain.report_anchors import day_text, days_in, first_day, parse_period, period_text
from tallystick.errors import InputError
from tallystick.services.declaration_template import declaration_template
from tallystick.services.report_assertion import Assertable, assert_report, read_assertable
from tallystick.services.report_declaration import (
    Declaration,
    declaration_content,
    parse_declaration,
    require_known,
)

from tallystick_cli.approval import confirm, count, given_key
from tallystick_cli.command import command
from tallystick_cli.commands.report import MonthArgument, app
from tallystick_cli.context import StoredAssertion, StoredDeclaration, Tally
from tallystick_cli.files import read_file, write_file
from tallystick_cli.profile import CustodyAccountReference, SecuritySection
from tallystick_cli.render import facts, instant_text, shown_path, stack, when


@dataclass(frozen=True, slots=True)
class Template:
    """A declared file to fill in."""

    text: str
    written: Path | None = None
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The template as text."""
        return {"template": self.text, "written": str(self.written) if self.written else None}

    def view(self) -> RenderableType:
        """Where it is; what was printed already, so that a console folds no line of it, is not printed again."""
        if self.written is None:
            return Group()
        return Text.assemble(("✓ ", "green"), f"Written to {shown_path(self.written)}. Fill it in, then keep it.")


@dataclass(frozen=True, slots=True)
class DeclarationKept:
    """What was declared, and whether it is new."""

    kept: StoredDeclaration
    declaration: Declaration
    is_new: bool
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The number among the month's declarations, its digest, and how much it says of what."""
        return {
            "period": period_text(self.kept.period),
            "number": self.kept.number,
            "digest": self.kept.digest.hex(),
            "declared_at": instant_text(self.kept.declared_at),
            "is_new": self.is_new,
            "custodians": len(self.declaration.custodians),
            "prices": len(self.declaration.prices),
            "accounts": len(self.declaration.on_the_way),
            "lost": sum(len(each.wallets) for each in self.declaration.lost),
            "officers": [each.name for each in self.declaration.officers],
            "is_examined": self.declaration.examination is not None,
        }

    def view(self) -> RenderableType:
        """What it says, what it does not, and what comes next."""
        declaration, month = self.declaration, period_text(self.kept.period)
        done = "Declared" if self.is_new else "Declared before, word for word"
        head = Text.assemble(("✓ ", "green"), f"{done}: declaration {self.kept.number} for {month}.")
        officers = ", ".join(f"{each.name}, {each.title}" for each in declaration.officers)
        rows = facts(
            [
                ("Custodians", f"{len(declaration.custodians)}"),
                ("Prices", f"{len(declaration.prices)}" if declaration.prices else "none: no market value"),
                ("On their way", count(len(declaration.on_the_way), "account")),
                ("Lost wallets", f"{sum(len(each.wallets) for each in declaration.lost)}"),
                ("Asserted by", officers or "nobody: the report says so"),
                ("Examined by", declaration.examination.examiner if declaration.examination else "not examined"),
                ("Digest", self.kept.digest.hex()),
            ]
        )
        unsigned = f"Each officer signs: tally report assert {month} --officer NAME --key FILE" if officers else ""
        return stack(head, rows, Text(unsigned or f"Next: tally report build {month}", style="dim"))


@command(
    app,
    "declare",
    examples=(
        "tally report declare 2026-10 --template > 2026-10.toml",
        "tally report declare 2026-10 2026-10.toml",
    ),
)
async def declare(
    tally: Tally,
    month: MonthArgument,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The declared file, in TOML.")] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print a file to fill in, with this profile's custodians and securities.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the template here instead.")] = None,
) -> Template | DeclarationKept:
    """Declare what no chain and no statement says: custodians' terms, prices, lost wallets, assertion, examination.

    Checked strictly, kept with its history; the newest counts. What is left out is said to be absent in the report.
    """
    period = parse_period(month)
    if template == (file is not None):
        raise InputError("Give the declared file, or --template for one to fill in.")
    if template:
        holding = {one.custodian for _, one in _accounts(tally)}
        text = declaration_template(
            tally.profile.issuer.name or "the issuer",
            period_text(period),
            f"{day_text(first_day(period) + days_in(period) - 1)}T20:00:00Z",
            {each.lei: each.name for each in tally.profile.custodians if each.lei in holding},
            [(each.symbol, each.isin, one.custodian, one.account) for each, one in _accounts(tally)],
        )
        if out is not None:
            write_file(out, text.encode("utf-8"))
        elif not tally.is_json:
            tally.out.file.write(text)
        return Template(text, out)
    assert file is not None
    declaration = parse_declaration(_text(file))
    accounts = {(each.isin, one.custodian, one.account) for each, one in _accounts(tally)}
    require_known(declaration, {each.isin for each in tally.profile.securities}, accounts)
    books = await tally.open_store()
    before = await books.declarations.newest(bytes(tally.issuer), period)
    kept = await books.declarations.declare(
        bytes(tally.issuer), period, declaration_content(declaration), tally.clock.now()
    )
    is_new = before is None or before.number != kept.number
    if is_new:
        await (await tally.open_trail()).note(
            "report declare", period_text(period), {"number": kept.number, "digest": kept.digest.hex()}
        )
    return DeclarationKept(kept, declaration, is_new)


@dataclass(frozen=True, slots=True)
class Asserted:
    """An officer's signature; `kept` is None in a dry run."""

    assertable: Assertable
    key: Pubkey
    kept: StoredAssertion | None
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Who signed what."""
        return {
            "dry_run": self.kept is None,
            "period": period_text(self.assertable.period),
            "officer": self.assertable.officer.name,
            "title": self.assertable.officer.title,
            "text": self.assertable.text,
            "as_of_day": self.assertable.day,
            "as_of_close": self.assertable.close_hash.hex(),
            "key": str(self.key),
            "signature": str(Signature.from_bytes(self.kept.signature)) if self.kept else None,
            "asserted_at": instant_text(self.kept.asserted_at) if self.kept else None,
        }

    def view(self) -> RenderableType:
        """One line, then the signature."""
        month = period_text(self.assertable.period)
        if self.kept is None:
            return stack(Text("Dry run: nothing was signed or stored.", style="bold"), _assertion(self.assertable))
        rows = facts(
            [
                ("As of", f"{self.assertable.day}, close {self.assertable.close_hash.hex()}"),
                ("Key", str(self.key)),
                ("Signature", str(Signature.from_bytes(self.kept.signature))),
                ("At", f"{when(self.kept.asserted_at)} UTC"),
            ]
        )
        done = Text.assemble(("✓ ", "green"), f"{self.assertable.officer.name} asserts the report of {month}.")
        return stack(done, rows, Text(f"Next: tally report build {month}", style="dim"))


@command(
    app,
    "assert",
    signs=True,
    examples=("tally report assert 2026-10 --officer 'Jo Bell' --key /media/stick/jo.json",),
)
async def assert_month(
    tally: Tally,
    month: MonthArgument,
    officer: Annotated[str, typer.Option(metavar="NAME", help="Of the declared file's officers.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="The officer's own key file; it moves nothing on chain.")],
) -> Asserted:
    """Sign management's assertion: of its text, and of the month's last close, once that is on chain.

    Declaring another text, or closing a later day of the month, takes another signature.
    """
    period = parse_period(month)
    books = await tally.open_store()
    assertable = await read_assertable(tally.open_chain(), books.report_books(), tally.issuer, period, officer)
    signer = given_key(key)
    if tally.is_dry_run:
        return Asserted(assertable, signer.pubkey, None)
    if not tally.is_yes:
        title = f"Assert the report of {period_text(period)}"
        panel = stack(_assertion(assertable), facts([("Signs", str(signer.pubkey))]))
        confirm(
            tally,
            lambda: Panel(panel, title=f"[bold]{title}[/bold]", title_align="left", border_style="cyan"),
            f"{title}: this signs its text",
            "Sign this assertion?",
        )
    kept = await assert_report(books.report_books(), tally.issuer, assertable, signer, tally.clock)
    await (await tally.open_trail()).note(
        "report assert",
        period_text(period),
        {
            "officer": kept.officer,
            "key": str(signer.pubkey),
            "close": kept.close_hash.hex(),
            "text": kept.text_hash.hex(),
        },
    )
    return Asserted(assertable, signer.pubkey, kept)


def _assertion(assertable: Assertable) -> RenderableType:
    rows = facts(
        [
            ("Officer", f"{assertable.officer.name}, {assertable.officer.title}"),
            ("As of", f"{assertable.day}, close {assertable.close_hash.hex()}"),
        ]
    )
    return stack(rows, Text(assertable.text))


def _accounts(tally: Tally) -> list[tuple[SecuritySection, CustodyAccountReference]]:
    return [(each, one) for each in tally.profile.securities for one in each.accounts]


def _text(file: Path) -> str:
    try:
        return read_file(file).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text in UTF-8: {error.reason}.") from error


__all__ = ["app"]
