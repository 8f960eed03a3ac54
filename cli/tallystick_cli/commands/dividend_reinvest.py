"""tally dividend reinvest: the shares that a dividend bought reach the holders by the multiplier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from tallystick.domain.amounts import parse_base_units
from tallystick.domain.identifiers import canonical_spelling, event_hash
from tallystick.program.addresses import action_address
from tallystick.services.action_reads import find_versions
from tallystick.services.chain_reads import chain_time
from tallystick.services.reinvestment import find_reinvestment, plan_reinvest
from tallystick.services.securities import CustodyAccount, security_of

from tallystick_cli.actions import EventArgument
from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.commands.dividend import app
from tallystick_cli.context import KnownEvent, Tally
from tallystick_cli.files import notice_hash
from tallystick_cli.moments import FORM, parse_moment

__all__ = ["app"]


@command(
    app,
    "reinvest",
    signs=True,
    examples=(
        "tally dividend reinvest tAAPL CA-2026-31 --bought 12.5 --effective 2026-12-07T14:30:00Z",
        "tally dividend reinvest tAAPL CA-2026-31 --bought 12.5 --effective 3d --evidence confirmation.xml",
        "tally dividend reinvest tAAPL CA-2026-31 --bought 12 --effective 4d --corrects",
    ),
)
async def reinvest(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    bought: Annotated[str, typer.Option(help="Shares bought with the holders' dividend, as exact decimal text.")],
    effective: Annotated[str, typer.Option(help=f"When the multiplier changes: {FORM}; after the policy's notice.")],
    evidence: Annotated[
        Path | None,
        typer.Option(
            help="The custodian's confirmation of the purchase; else the newest statement is the evidence.",
            dir_okay=False,
        ),
    ] = None,
    corrects: Annotated[
        bool, typer.Option("--corrects", help="Replace the newest version of this event; notice and approval anew.")
    ] = False,
    key: Annotated[int, typer.Option("--key", help="Number of the corporate actions key of the profile.", min=1)] = 1,
) -> Signed:
    """Announce a reinvested dividend, once the custodian's statement shows the shares it bought.

    The newest statements are compared with those before the purchase; movements in the journal are left out. A second
    key approves it (tally action approve), and tally action execute sets it before its effective time.
    """
    section, chain, books = tally.profile.security(security), tally.open_chain(), await tally.open_store()
    address = security_of(tally.issuer, section.id).security
    announcer = tally.signer(f"corporate_actions.{key}")
    payer, now = tally.payer(announcer), await chain_time(chain)
    reinvestment = await find_reinvestment(
        chain,
        books.statements,
        books.journal,
        security=address,
        custody_accounts=[CustodyAccount(each.custodian, each.account) for each in section.accounts],
        event_id=event,
        bought=parse_base_units(bought, section.decimals),
    )
    plan = await plan_reinvest(
        chain,
        reinvestment,
        payer=payer.pubkey,
        announcer=announcer.pubkey,
        event_id=event,
        effective_at=parse_moment(effective, now),
        evidence_hash=None if evidence is None else notice_hash(evidence),
        corrects=corrects,
    )
    versions = await find_versions(chain, address, event_hash(event))
    newest = versions[-1][1].action_version if versions else 0
    version = newest if plan.is_empty else newest + 1
    details = {
        "event": canonical_spelling(event),
        "version": str(version),
        "action": str(action_address(address, event_hash(event), version)),
        **reinvestment.details,
    }
    signed = await sign(tally, plan, payer, announcer, details=details)
    await books.events.record(KnownEvent(bytes(address), event, now))
    return signed
