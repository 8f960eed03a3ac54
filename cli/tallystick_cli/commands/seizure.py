"""tally seizure: one compliance key proposes to take tokens, a second one does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units, parse_base_units
from tallystick.program.generated.accounts import Seizure
from tallystick.services.chain_reads import chain_time, require
from tallystick.services.holdings import Reason
from tallystick.services.securities import security_of
from tallystick.services.seizures import SeizureState, find_seizures, plan_propose_seizure, plan_seize, state_of

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.compliance_keys import KeyOption, compliance_key, second_key
from tallystick_cli.context import Tally
from tallystick_cli.render import amount, instant_text, table, when_short

app = typer.Typer(
    no_args_is_help=True, help="Seizures: one compliance key proposes, a second moves the tokens within 7 days."
)
_STYLES = {SeizureState.PROPOSED: "yellow", SeizureState.EXECUTED: "red", SeizureState.EXPIRED: "dim"}


@command(
    app,
    "propose",
    signs=True,
    examples=(
        "tally seizure propose tAAPL anna --reference CASE-7 --reason 'court order 7 of 2026'",
        "tally seizure propose tAAPL anna --quantity 12.5 --reference CASE-8 --reason 'court order 8' --yes",
    ),
)
async def propose(
    tally: Tally,
    security: SecurityArgument,
    wallet: Annotated[str, typer.Argument(metavar="WALLET", help="The wallet's address, or its name in the profile.")],
    reference: Annotated[str, typer.Option(help="Your own name of the case; used once for an account.")],
    reason: Annotated[str, typer.Option(help="Why; only a hash goes on chain.")],
    quantity: Annotated[str | None, typer.Option(help="Tokens to take; else all.")] = None,
    reason_code: Annotated[int, typer.Option(help="From your own table of reasons.", min=0, max=65535)] = 0,
    account: Annotated[
        str | None, typer.Option(help="The wallet's token account, where it has several.", metavar="ADDRESS")
    ] = None,
    key: KeyOption = None,
) -> Signed:
    """Propose to take tokens of a wallet. Freeze it first, or its owner moves them away."""
    section = tally.profile.security(security)
    compliance = compliance_key(tally, key)
    payer = tally.payer(compliance)
    plan = await plan_propose_seizure(
        tally.open_chain(),
        payer=payer.pubkey,
        security=security_of(tally.issuer, section.id).security,
        compliance=compliance.pubkey,
        wallet=tally.profile.wallet(wallet),
        reference=reference,
        reason=Reason(reason, reason_code),
        raw=parse_base_units(quantity, section.decimals) if quantity else None,
        account=tally.profile.wallet(account) if account else None,
    )
    return await sign(tally, plan, payer, compliance)


@command(
    app, "execute", signs=True, examples=("tally seizure execute 9aB3…", "tally seizure execute 9aB3… --key 2 --yes")
)
async def execute(
    tally: Tally,
    seizure: Annotated[str, typer.Argument(help="The seizure's address; tally seizure list shows it.")],
    key: KeyOption = None,
) -> Signed:
    """Move the tokens of a proposed seizure to the seizure account. By another compliance key than proposed it."""
    chain, address = tally.open_chain(), tally.profile.wallet(seizure)
    found = await require(chain, Seizure, address, hint="See: tally seizure list")
    compliance = second_key(tally, found.proposer, key)
    payer = tally.payer(compliance)
    plan = await plan_seize(chain, payer=payer.pubkey, compliance=compliance.pubkey, seizure=address)
    return await sign(tally, plan, payer, compliance, details={"seizure": str(address)})


@dataclass(frozen=True, slots=True)
class SeizuresShown:
    """Seizures as (symbol, decimals, address, seizure). `now` is the chain's clock."""

    now: int
    seizures: tuple[tuple[str, int, Pubkey, Seizure], ...]
    names: dict[Pubkey, str]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Each with its state, keys and times."""
        return {
            "seizures": [
                {
                    "seizure": str(address),
                    "security": symbol,
                    "state": state_of(each, self.now).value,
                    "wallet": str(each.wallet),
                    "name": self.names.get(each.wallet),
                    "source": str(each.source),
                    "tokens": format_base_units(each.raw, decimals),
                    "reason_code": each.reason_code,
                    "reason_hash": bytes(each.reason_hash).hex(),
                    "proposer": str(each.proposer),
                    "proposed_at": instant_text(each.proposed_at),
                    "expires_at": instant_text(each.expires_at),
                    "executed_by": str(each.seized_by) if each.executed_at else None,
                    "executed_at": instant_text(each.executed_at),
                    "destination": str(each.destination) if each.executed_at else None,
                }
                for symbol, decimals, address, each in self.seizures
            ]
        }

    def view(self) -> RenderableType:
        """A table, the newest last."""
        if not self.seizures:
            return Text("No seizure waits.", style="dim")
        rows = table("Security", "Wallet", "Tokens", "State", "Proposed (UTC)", "Expires", "Seizure", right=["Tokens"])
        for symbol, decimals, address, each in self.seizures:
            state = state_of(each, self.now)
            rows.add_row(
                symbol,
                self.names.get(each.wallet) or str(each.wallet),
                amount(each.raw, decimals),
                Text(state.value, style=_STYLES[state]),
                when_short(each.proposed_at),
                when_short(each.expires_at) if state is SeizureState.PROPOSED else "",
                str(address),
            )
        return rows


@command(app, "list", examples=("tally seizure list", "tally seizure list tAAPL --all --json"))
async def list_(
    tally: Tally,
    security: Annotated[str | None, typer.Argument(help="One security; else all.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Executed and expired ones too.")] = False,
) -> SeizuresShown:
    """Seizures that wait for a second key."""
    chain = tally.open_chain()
    rows: list[tuple[str, int, Pubkey, Seizure]] = []
    for section in [tally.profile.security(security)] if security else tally.profile.securities:
        address = security_of(tally.issuer, section.id).security
        rows += [(section.symbol, section.decimals, *each) for each in await find_seizures(chain, address)]
    now = await chain_time(chain)
    shown = tuple(row for row in rows if all_ or state_of(row[3], now) is SeizureState.PROPOSED)
    return SeizuresShown(now, shown, tally.known_names())
