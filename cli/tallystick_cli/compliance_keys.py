"""Compliance keys of the profile: which one signs, and which second one signs beside or after it."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from solders.pubkey import Pubkey
from tallystick.errors import ConfigurationError

from tallystick_cli.context import Tally, TransactionSigner

ROLE: Final = "compliance"
KeyOption = Annotated[
    int | None, typer.Option("--key", help="Number of the compliance key of the profile; else one that may.", min=1)
]


def compliance_key(tally: Tally, number: int | None) -> TransactionSigner:
    """The key of that number, else the first. ConfigurationError when the profile names none such."""
    return tally.signer(f"{ROLE}.{number}" if number else ROLE)


def second_key(tally: Tally, first: Pubkey, number: int | None) -> TransactionSigner:
    """The key of that number, else one of the profile that is not `first`, else the first, which the plan then refuses.

    ConfigurationError when the profile names none.
    """
    if number is not None:
        return tally.signer(f"{ROLE}.{number}")
    keys = [tally.signer(each) for each in tally.numbered(ROLE)]
    if not keys:
        raise ConfigurationError(
            "The profile names no compliance keys.",
            hint=f"Run it where the second key is, or name its file under [keys] {ROLE} in {tally.path}.",
        )
    return next((each for each in keys if each.pubkey != first), keys[0])
