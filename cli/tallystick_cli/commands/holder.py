"""tally holder: which wallets may order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.errors import InputError
from tallystick.program.addresses import holder_address
from tallystick.program.generated.accounts import Holder
from tallystick.services.chain_reads import chain_time, list_holders
from tallystick.services.holders import investor_id, plan_approve_holder, plan_suspend_holder

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import command
from tallystick_cli.context import Tally
from tallystick_cli.moments import FORM, parse_moment
from tallystick_cli.profile import wallet_name
from tallystick_cli.render import instant_text, short, table, when_short

app = typer.Typer(no_args_is_help=True, help="Holders: which wallets compliance lets order.")
WalletArgument = Annotated[
    str, typer.Argument(metavar="WALLET", help="The wallet's address, or its name in the profile.")
]
EvidenceOption = Annotated[
    Path | None,
    typer.Option(
        help="The file that the decision rests on; only its SHA-256 goes on chain.", exists=True, dir_okay=False
    ),
]


@command(
    app,
    "approve",
    signs=True,
    examples=(
        "tally holder approve 7xKX… --investor KYC-2026-0412 --until 365d --name anna",
        "tally holder approve anna --investor KYC-2026-0412 --until 2027-12-31 --evidence kyc.pdf --yes",
    ),
)
async def approve(
    tally: Tally,
    wallet: WalletArgument,
    investor: Annotated[str, typer.Option(help="Your own reference of the investor; a salted hash goes on chain.")],
    until: Annotated[str, typer.Option(help=f"When the approval lapses: {FORM}.")] = "365d",
    classes: Annotated[int, typer.Option(help="Bits of the holder's classes.", min=1)] = 1,
    evidence: EvidenceOption = None,
    name: Annotated[str | None, typer.Option(help="Remember the wallet under this name in the profile.")] = None,
) -> Signed:
    """Let a wallet order. By compliance."""
    if name is not None:
        wallet_name(name)
    compliance = tally.signer("compliance")
    payer, chain, address = tally.payer(compliance), tally.open_chain(), tally.profile.wallet(wallet)
    number = investor_id(tally.investor_salt(), investor)
    # Without a file, the evidence is the reference itself, salted as the investor is.
    digest = hashlib.sha256(evidence.read_bytes() if evidence else b"tallystick:evidence" + number).digest()
    plan = await plan_approve_holder(
        chain,
        payer=payer.pubkey,
        issuer=tally.issuer,
        compliance=compliance.pubkey,
        wallet=address,
        investor_id=number,
        classes=classes,
        approved_until=parse_moment(until, await chain_time(chain)),
        evidence_hash=digest,
    )
    signed = await sign(tally, plan, payer, compliance, details={"holder": str(holder_address(tally.issuer, address))})
    if name is not None:

        def write(document: dict[str, Any]) -> None:
            document.setdefault("wallets", {}).setdefault(name, {})["address"] = str(address)

        tally.change_profile(write)
    return signed


@command(app, "suspend", signs=True, examples=("tally holder suspend anna --evidence decision.pdf",))
async def suspend(tally: Tally, wallet: WalletArgument, evidence: EvidenceOption = None) -> Signed:
    """Stop a wallet's orders; what it has in escrow still returns to it. By compliance."""
    compliance = tally.signer("compliance")
    payer, address = tally.payer(compliance), tally.profile.wallet(wallet)
    content = evidence.read_bytes() if evidence else b"tallystick:suspension" + bytes(address)
    plan = await plan_suspend_holder(
        tally.open_chain(),
        payer=payer.pubkey,
        issuer=tally.issuer,
        compliance=compliance.pubkey,
        wallet=address,
        evidence_hash=hashlib.sha256(content).digest(),
    )
    return await sign(tally, plan, payer, compliance)


@dataclass(frozen=True, slots=True)
class HoldersShown:
    """Wallets that were ever approved. `now` is the chain's clock."""

    now: int
    holders: tuple[Holder, ...]
    names: dict[Pubkey, str]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Each holder's state, classes and investor hash."""
        return {
            "holders": [
                {
                    "wallet": str(each.wallet),
                    "name": self.names.get(each.wallet),
                    "state": self._state(each)[0],
                    "classes": each.classes,
                    "approved_until": instant_text(each.approved_until),
                    "investor_id": each.investor_id.hex(),
                }
                for each in self.holders
            ]
        }

    def view(self) -> RenderableType:
        """A table of holders."""
        if not self.holders:
            return Text("No wallet was approved yet. Approve one with: tally holder approve", style="dim")
        rows = table("Wallet", "Name", "State", "Until", "Investor")
        for each in self.holders:
            state, style = self._state(each)
            rows.add_row(
                str(each.wallet),
                self.names.get(each.wallet, ""),
                Text(state, style=style),
                when_short(each.approved_until)[:10],
                short(each.investor_id),
            )
        return rows

    def _state(self, holder: Holder) -> tuple[str, str]:
        if holder.suspended_at:
            return "suspended", "red"
        return ("approved", "green") if holder.approved_until > self.now else ("lapsed", "yellow")


@command(app, "show", examples=("tally holder show", "tally holder show anna --json"))
async def show(
    tally: Tally,
    wallet: Annotated[str | None, typer.Argument(help="One wallet; else all.")] = None,
) -> HoldersShown:
    """Which wallets may order, until when, and which are suspended."""
    chain = tally.open_chain()
    found = await list_holders(chain, tally.issuer)
    wanted = tally.profile.wallet(wallet) if wallet else None
    holders = [each for each in found.accounts.values() if wanted in (None, each.wallet)]
    if wanted and not holders:
        raise InputError(f"{wallet} was never approved.", hint="Approve it with: tally holder approve")
    names = tally.known_names()
    holders.sort(key=lambda each: (names.get(each.wallet, "~"), bytes(each.wallet)))
    return HoldersShown(await chain_time(chain), tuple(holders), names)
