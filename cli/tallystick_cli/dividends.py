"""What the dividend commands share: the event and its plan by the names people type, and the terms of the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units, parse_quantity
from tallystick.domain.confirmations import settled_cash
from tallystick.domain.dividends import PayoutRecord, PayoutState
from tallystick.domain.identifiers import canonical_spelling
from tallystick.errors import ConfigurationError, Refused
from tallystick.program.generated.accounts import CorporateAction
from tallystick.services.confirmation_intake import receive_confirmation
from tallystick.services.dividend_rules import DividendRequest, DividendRules
from tallystick.services.payout_lines import plan_document
from tallystick.services.securities import CustodyAccount

from tallystick_cli.actions import find_action
from tallystick_cli.context import Tally, TransactionSigner, statement_profile
from tallystick_cli.files import read_file
from tallystick_cli.moments import parse_moment
from tallystick_cli.profile import SEVERAL, Keys, SecuritySection
from tallystick_cli.render import amount
from tallystick_cli.terms import parse_percent

NumberOption = Annotated[
    int | None,
    typer.Option("--number", help="A distribution of the event, counted from 0; else the newest.", min=0, max=65535),
]
ConfirmationOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--confirmation",
        metavar="FILE",
        help="A custodian's confirmation of the cash, MT566 or seev.036; repeat it. Read ones are kept.",
        dir_okay=False,
    ),
]
MinimumOption = Annotated[
    str | None, typer.Option(help="Least that is paid, in the currency; less is carried forward. Else the profile's.")
]
FeeOption = Annotated[
    str | None, typer.Option(help="The issuer's fee on the gross amount, in per cent: 0.5%; else the profile's.")
]
AcceptOption = Annotated[
    str | None,
    typer.Option(
        "--accept-difference", metavar="REASON", help="Why confirmation and announcement may differ; it is kept."
    ),
]
CorrectOption = Annotated[
    bool,
    typer.Option("--correct", help="Pay what earlier distributions of the event did not, as a linked one."),
]


@dataclass(frozen=True, slots=True)
class Dividend:
    """A security of the profile, an event of it, and the newest version of the corporate action."""

    section: SecuritySection
    security: Pubkey
    event: str
    address: Pubkey
    action: CorporateAction


async def find_dividend(tally: Tally, security: str, event: str) -> Dividend:
    """The event as announced. Refused when it was not."""
    section = tally.profile.security(security)
    _, address, action, found = await find_action(tally, security, event, None)
    return Dividend(section, address, canonical_spelling(event), action, found)


async def find_record(tally: Tally, dividend: Dividend, number: int | None) -> PayoutRecord:
    """The plan of a distribution of the event, the newest unless one is named. Refused when there is none."""
    records = await (await tally.open_store()).payouts.list(action=bytes(dividend.address))
    standing = [each for each in records if number is not None or each.state is not PayoutState.DISCARDED]
    for record in reversed(standing):
        if number is None or record.number == number:
            return record
    which = "No distribution" if number is None else f"No distribution {number}"
    raise Refused(f"{which} of {dividend.event} is planned in this store.", hint="Plan it with: tally dividend plan")


async def receive_confirmations(tally: Tally, dividend: Dividend, files: list[Path] | None) -> None:
    """Keep, read and register confirmations of the event."""
    books = await tally.open_store()
    for file in files or []:
        leis = {account.custodian for account in dividend.section.accounts}
        custodians = [each for each in tally.profile.custodians if each.lei in leis or each.name in leis]
        content = read_file(file)
        refused: Refused | None = None
        for custodian in custodians:
            try:
                await receive_confirmation(
                    content,
                    statement_profile(custodian),
                    tally.open_archive(),
                    books.confirmations,
                    accounts=custodian.accounts,
                    received_at=tally.clock.now(),
                    isin=dividend.section.isin,
                    event_id=dividend.event,
                )
                break
            except Refused as error:
                refused = error
        else:
            raise refused or ConfigurationError(
                f"The profile declares no custodian of {dividend.section.symbol}.",
                hint="Add a [[custodians]] section with its lei and accounts.",
            )


async def require_still_confirmed(tally: Tally, record: PayoutRecord) -> None:
    """Refused when a plan is made from cash that is not confirmed any more: a reversal was read since."""
    plan = plan_document(record)
    cash = settled_cash(await (await tally.open_store()).confirmations.list(plan["isin"], plan["event"]))
    planned = [each["reference"] for each in plan["cash"]["standing"]]
    standing = [each.reference for each in cash.standing]
    if sorted(planned) != sorted(standing):
        raise Refused(
            f"It was planned from {', '.join(planned)}, and now the custodian stands by {', '.join(standing)}.",
            hint="Plan it again: tally dividend plan",
        )


def dividend_rules(tally: Tally, minimum: str | None, fee: str | None) -> DividendRules:
    """What the profile declares of dividends, with what was given for this one. ConfigurationError when it declares
    none."""
    section = tally.profile.dividends
    if not section.refund or not section.default_class:
        missing = "refund" if not section.refund else "default_class"
        raise ConfigurationError(
            f"The profile says nothing of dividends yet: [dividends] {missing} is missing.",
            hint="Add [dividends] with refund, default_class, default_reason, [[dividends.payment]] and"
            " [[dividends.withholding]]; docs/operations.md shows one.",
        )
    return DividendRules(
        payment_mints={each.currency: Pubkey.from_string(each.mint) for each in section.payment},
        table=section.table,
        refund_owner=tally.profile.wallet(section.refund),
        tax_classes={bytes(tally.profile.wallet(each.wallet)): each.tax_class for each in section.holders},
        fee=section.fee_points if fee is None else parse_percent(fee),
        minimum=section.minimum_quantity if minimum is None else parse_quantity(minimum),
    )


def dividend_request(
    tally: Tally,
    dividend: Dividend,
    *,
    payout_key: Pubkey,
    expires: str | None = None,
    corrects: bool = False,
    accepted: str | None = None,
) -> DividendRequest:
    """What is asked of the event; it expires a span after the pay date, the profile's unless one is given."""
    pay_at = dividend.action.terms.pay_at
    expires_at = pay_at + tally.profile.dividends.claim_seconds if expires is None else parse_moment(expires, pay_at)
    return DividendRequest(
        action=dividend.address,
        event_id=dividend.event,
        isin=dividend.section.isin,
        accounts=tuple(CustodyAccount(each.custodian, each.account) for each in dividend.section.accounts),
        payout_key=payout_key,
        expires_at=expires_at,
        corrects=corrects,
        accepted=accepted or "",
    )


def any_signer(tally: Tally, name: str) -> TransactionSigner:
    """The key of a wallet of the profile, or of a role. ConfigurationError without one."""
    role = name.partition(".")[0]
    if role in Keys.model_fields and (role in SEVERAL or "." not in name):
        return tally.signer(name)
    return tally.wallet_signer(name)


def cash_text(record: PayoutRecord, units: int) -> str:
    """An amount of cash as grouped decimal text."""
    return amount(units, record.payment_decimals)


def exact_text(record: PayoutRecord, units: int | str) -> str:
    """An amount of cash as exact decimal text, for JSON."""
    return format_base_units(int(units), record.payment_decimals)


TOTALS: tuple[tuple[str, str], ...] = (
    ("entitled", "Owed to holders"),
    ("withheld", "Withheld by the issuer"),
    ("fee", "Fee"),
    ("carried_forward", "Below the minimum, carried forward"),
    ("inventory", "The issuer's own tokens"),
    ("surplus", "Shares that no token stands for"),
    ("residue", "Fractions of base units"),
)
"""Where the net amount goes, in the order of the table."""


def plan_notes(record: PayoutRecord, plan: Mapping[str, Any]) -> tuple[str, ...]:
    """The plan's sources and totals in sentences, for whoever signs."""
    cash, register, totals = plan["cash"], plan["register"], plan["totals"]
    parts = ", ".join(
        f"{title.lower()} {cash_text(record, int(totals[name]))}" for name, title in TOTALS if int(totals[name])
    )
    names = ", ".join(each["reference"] for each in cash["standing"])
    notes = [
        f"The custodian confirmed {cash['net']} {cash['currency']} net for {cash['eligible']} shares: {names}.",
        f"Register of slot {register['slot']:,}: {register['owners']:,} owners.",
        f"Of the net amount: {parts}.",
    ]
    found = plan["differences"]
    notes += [f"{each} Accepted: {found['accepted']}" for each in found["found"]]
    return tuple(notes)
