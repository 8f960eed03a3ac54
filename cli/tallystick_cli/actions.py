"""What the commands of corporate actions and of dividends share: events by the names people type."""

from __future__ import annotations

from typing import Annotated

import typer
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import canonical_spelling, event_hash
from tallystick.errors import Refused
from tallystick.program.generated.accounts import CorporateAction
from tallystick.services.action_reads import find_versions
from tallystick.services.securities import security_of

from tallystick_cli.context import Tally

EventArgument = Annotated[str, typer.Argument(metavar="EVENT", help="The custodian's id of the event.")]


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
