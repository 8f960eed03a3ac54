"""tally security policy, seizure-account and metadata: change what was promised and what wallets show, with notice."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from solders.pubkey import Pubkey
from tallystick.errors import InputError
from tallystick.program.generated.accounts import Security
from tallystick.services.chain_reads import chain_time, require
from tallystick.services.rules import custody_accounts_at
from tallystick.services.securities import CustodyAccount, security_of
from tallystick.services.security_metadata import (
    Metadata,
    announced_metadata,
    plan_announce_metadata,
    plan_update_metadata,
    read_metadata,
)
from tallystick.services.security_policy import accounts_hash, plan_update_policy
from tallystick.services.seizures import plan_name_seizure_account

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import command
from tallystick_cli.commands.security import SecurityArgument, app
from tallystick_cli.context import Tally
from tallystick_cli.policy_terms import NAMES, parse_settings

metadata_app = typer.Typer(no_args_is_help=True, help="Name, symbol, ISIN and terms: announced, then written.")
app.add_typer(metadata_app, name="metadata")

__all__ = ["app"]


@command(
    app,
    "policy",
    signs=True,
    examples=(
        "tally security policy tAAPL --set margin=1% --set notice=2d   # tighter: in force at once",
        "tally security policy tAAPL --set supply-cap=2000000          # looser: waits, open to a veto",
        "tally security policy tAAPL --account 5493…/SAFE-001 --account 5493…/SAFE-002",
        "tally security policy tAAPL --withdraw",
    ),
)
async def policy(
    tally: Tally,
    security: SecurityArgument,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=f"Repeat for more. Names: {NAMES}.")
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(help="All custody accounts that statements must cover, as LEI/ACCOUNT; repeat for more."),
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Drop the change that waits.")] = False,
) -> Signed:
    """Change a security's policy. Tightening counts at once; as soon as one setting loosens, all of it waits."""
    if withdraw == bool(settings or account):
        raise InputError("Name settings with --set NAME=VALUE or --account, or --withdraw.", hint=f"Names: {NAMES}.")
    section, chain = tally.profile.security(security), tally.open_chain()
    address = security_of(tally.issuer, section.id).security
    accounts = [_custody_account(each) for each in account] if account else None
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    plan = await plan_update_policy(
        chain,
        payer=payer.pubkey,
        security=address,
        changes=parse_settings(settings or (), section.decimals),
        custody_accounts=accounts,
    )
    details: dict[str, str] = {}
    if accounts:
        details["next"] = "Run it again once the accounts are in force: the profile then declares them too."
    signed = await sign(tally, plan, payer, admin, details=details)
    if accounts and custody_accounts_at(await require(chain, Security, address), await chain_time(chain)) == (
        accounts_hash(accounts)
    ):
        _declare(tally, section.id, accounts)
        signed = replace(signed, details={"profile": "It declares these custody accounts."})
    return signed


@command(
    app,
    "seizure-account",
    signs=True,
    examples=(
        "tally security seizure-account tAAPL treasury",
        "tally security seizure-account tAAPL --token-account 9aB3…",
        "tally security seizure-account tAAPL --none",
    ),
)
async def seizure_account(
    tally: Tally,
    security: SecurityArgument,
    wallet: Annotated[
        str | None, typer.Argument(metavar="WALLET", help="Whose associated account takes what is seized.")
    ] = None,
    token_account: Annotated[str | None, typer.Option(help="Another token account instead.", metavar="ADDRESS")] = None,
    none: Annotated[bool, typer.Option("--none", help="Name none, at once: nothing can be seized.")] = False,
) -> Signed:
    """Name where seizures move tokens to. It counts after the issuer's delay, open to the guardian's veto."""
    if sum((wallet is not None, token_account is not None, none)) != 1:
        raise InputError("Name a WALLET, a --token-account, or --none.")
    section = tally.profile.security(security)
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    plan = await plan_name_seizure_account(
        tally.open_chain(),
        payer=payer.pubkey,
        security=security_of(tally.issuer, section.id).security,
        wallet=tally.address(wallet) if wallet else None,
        account=tally.profile.wallet(token_account) if token_account else None,
    )
    return await sign(tally, plan, payer, admin)


@command(
    metadata_app,
    "announce",
    signs=True,
    examples=(
        "tally security metadata announce tAAPL --name 'Apple Holdings Inc.'",
        "tally security metadata announce tAAPL --isin US5949181045 --terms terms-2.pdf --yes",
    ),
)
async def announce(
    tally: Tally,
    security: SecurityArgument,
    name: Annotated[str | None, typer.Option(help="The token's name, at most 64 bytes.")] = None,
    symbol: Annotated[str | None, typer.Option(help="The token's symbol, at most 16 bytes.")] = None,
    uri: Annotated[str | None, typer.Option(help="Where the token's metadata is.")] = None,
    isin: Annotated[str | None, typer.Option(help="The share's new ISIN.")] = None,
    terms: Annotated[
        Path | None, typer.Option(help="The terms as a file; its SHA-256 goes on chain.", exists=True, dir_okay=False)
    ] = None,
) -> Signed:
    """Announce other names or terms; what is not named stays. They can be written after the policy's notice."""
    address = _security(tally, security)
    chain = tally.open_chain()
    given = {"name": name, "ticker": symbol, "uri": uri, "isin": isin}
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if terms is not None:
        changes["terms_hash"] = hashlib.sha256(terms.read_bytes()).digest()
    if not changes:
        raise InputError("Name what changes: --name, --symbol, --uri, --isin or --terms.")
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    wanted = replace(await read_metadata(chain, address), **changes)
    plan = await plan_announce_metadata(chain, payer=payer.pubkey, security=address, metadata=wanted)
    return await sign(tally, plan, payer, admin)


@command(
    metadata_app,
    "apply",
    signs=True,
    examples=("tally security metadata apply tAAPL", "tally security metadata apply tAAPL --yes --json"),
)
async def apply(tally: Tally, security: SecurityArgument) -> Signed:
    """Write what was announced, after its notice: into the mint, the security and the profile."""
    section, address = tally.profile.security(security), _security(tally, security)
    chain = tally.open_chain()
    admin = tally.signer("admin")
    payer = tally.payer(admin)
    found: Metadata | None = None
    if (await require(chain, Security, address)).pending_metadata_from:
        found = await announced_metadata(chain, address)
    plan = await plan_update_metadata(chain, payer=payer.pubkey, security=address, metadata=found)
    signed = await sign(tally, plan, payer, admin)
    written = await read_metadata(chain, address)
    names = {"name": written.name, "symbol": written.ticker, "isin": written.isin}
    if names != {"name": section.name, "symbol": section.symbol, "isin": section.isin}:
        _write(tally, section.id, names)
    return signed


def _custody_account(text: str) -> CustodyAccount:
    lei, slash, account = text.partition("/")
    if not slash:
        raise InputError(f"{text!r} is no custody account.", hint="Write it as LEI/ACCOUNT.")
    return CustodyAccount(lei, account)


def _declare(tally: Tally, security_id: str, accounts: list[CustodyAccount]) -> None:
    _write(
        tally,
        security_id,
        {"accounts": [{"custodian": each.custodian_lei, "account": each.account} for each in accounts]},
    )


def _write(tally: Tally, security_id: str, entries: dict[str, Any]) -> None:
    """Change a security's section of the profile."""

    def write(document: dict[str, Any]) -> None:
        for each in document.get("securities", ()):
            if each["id"] == security_id:
                each.update(entries)

    tally.change_profile(write)


def _security(tally: Tally, security: str) -> Pubkey:
    return security_of(tally.issuer, tally.profile.security(security).id).security
