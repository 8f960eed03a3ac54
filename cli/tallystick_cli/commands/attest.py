"""tally attest: attestors approve what the newest statements say."""

from __future__ import annotations

from typing import Annotated

import typer
from tallystick.errors import ConfigurationError, InputError
from tallystick.services.attestation import plan_attest
from tallystick.services.plans import Plan
from tallystick.services.securities import CustodyAccount, security_of

from tallystick_cli.approval import Signed, joined, sign
from tallystick_cli.command import command
from tallystick_cli.context import Tally

app = typer.Typer()


@command(
    app,
    "attest",
    signs=True,
    examples=(
        "tally attest tAAPL",
        "tally attest --all --yes",
        "tally attest tAAPL --attestor 2   # one key's approval",
    ),
)
async def attest(
    tally: Tally,
    securities: Annotated[
        list[str] | None, typer.Argument(metavar="SECURITY...", help="Symbols, ISINs or ids.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every security of the profile.")] = False,
    attestor: Annotated[
        list[int] | None,
        typer.Option(help="Number of an attestor key of the profile; else all, as many as are needed."),
    ] = None,
) -> Signed:
    """Approve, as attestors, what the newest statements say; in force at the threshold."""
    if bool(securities) == all_:
        raise InputError("Name securities, or --all.")
    sections = [tally.profile.security(each) for each in securities or ()] or list(tally.profile.securities)
    numbers = attestor or list(range(1, len(tally.profile.keys.attestors) + 1))
    signers = [tally.signer(f"attestors.{number}") for number in numbers]
    if not signers or not sections:
        raise ConfigurationError(
            "The profile names no attestor keys, or no security.", hint="Attest where an attestor's key is."
        )
    payer, chain, books = tally.payer(signers[0]), tally.open_chain(), await tally.open_store()
    plans: list[Plan] = []
    for section in sections:
        plans.append(
            await plan_attest(
                chain,
                books.statements,
                payer=payer.pubkey,
                security=security_of(tally.issuer, section.id).security,
                custody_accounts=[CustodyAccount(each.custodian, each.account) for each in section.accounts],
                attestors=[each.pubkey for each in signers],
                journal=books.journal,
            )
        )
    plan = plans[0] if len(plans) == 1 else joined(f"Attest {len(plans)} securities", plans)
    return await sign(tally, plan, payer, *signers)
