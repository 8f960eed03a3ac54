"""tally holding: what a wallet holds, and what compliance does about it: freeze, thaw, reissue."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units
from tallystick.services.holding_reads import Holding, HoldingAccount, find_holding, list_frozen
from tallystick.services.holdings import Reason, plan_freeze, plan_reissue, plan_thaw
from tallystick.services.securities import security_of

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.compliance_keys import KeyOption, compliance_key, second_key
from tallystick_cli.context import Tally
from tallystick_cli.render import amount, facts, instant_text, stack, table, when

app = typer.Typer(
    no_args_is_help=True, help="Holdings: what a wallet has, and what compliance freezes, thaws, reissues."
)
WalletArgument = Annotated[
    str, typer.Argument(metavar="WALLET", help="The wallet's address, or its name in the profile.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; only a hash goes on chain.")]
ReasonCodeOption = Annotated[int, typer.Option(help="From your own table of reasons.", min=0, max=65535)]
AccountOption = Annotated[
    str | None, typer.Option(help="One of the wallet's token accounts; else all of them.", metavar="ADDRESS")
]


@command(
    app,
    "freeze",
    signs=True,
    examples=(
        "tally holding freeze tAAPL anna --reason 'court order 7 of 2026'",
        "tally holding freeze tAAPL 7xKX… --reason 'sanctions match' --reason-code 12 --yes",
    ),
)
async def freeze(
    tally: Tally,
    security: SecurityArgument,
    wallet: WalletArgument,
    reason: ReasonOption,
    reason_code: ReasonCodeOption = 0,
    account: AccountOption = None,
    key: KeyOption = None,
) -> Signed:
    """Stop everything in and out of a wallet's token accounts. By compliance."""
    compliance = compliance_key(tally, key)
    payer = tally.payer(compliance)
    plan = await plan_freeze(
        tally.open_chain(),
        payer=payer.pubkey,
        security=_security(tally, security),
        compliance=compliance.pubkey,
        wallet=tally.profile.wallet(wallet),
        reason=Reason(reason, reason_code),
        account=tally.profile.wallet(account) if account else None,
    )
    return await sign(tally, plan, payer, compliance)


@command(
    app,
    "thaw",
    signs=True,
    examples=(
        "tally holding thaw tAAPL anna --reason 'order lifted'",
        "tally holding thaw tFUND anna --reason 'approved holder'   # makes the account of a permissioned security",
    ),
)
async def thaw(
    tally: Tally,
    security: SecurityArgument,
    wallet: WalletArgument,
    reason: ReasonOption,
    reason_code: ReasonCodeOption = 0,
    account: AccountOption = None,
    key: KeyOption = None,
) -> Signed:
    """Let a wallet's frozen token accounts take part again. By compliance; of a permissioned security, before the first
    order is settled."""
    compliance = compliance_key(tally, key)
    payer = tally.payer(compliance)
    plan = await plan_thaw(
        tally.open_chain(),
        payer=payer.pubkey,
        security=_security(tally, security),
        compliance=compliance.pubkey,
        wallet=tally.profile.wallet(wallet),
        reason=Reason(reason, reason_code),
        account=tally.profile.wallet(account) if account else None,
    )
    return await sign(tally, plan, payer, compliance)


@command(
    app,
    "reissue",
    signs=True,
    examples=(
        "tally holding reissue tAAPL anna anna-new --evidence affidavit.pdf",
        "tally holding reissue tAAPL 7xKX… 9aB3… --evidence affidavit.pdf --key 1 --second-key 3 --yes",
    ),
)
async def reissue(
    tally: Tally,
    security: SecurityArgument,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The wallet whose key is lost.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another approved wallet of the same investor.")],
    evidence: Annotated[
        Path,
        typer.Option(
            help="What shows that the key is lost and whose the new wallet is; only its SHA-256 goes on chain.",
            exists=True,
            dir_okay=False,
        ),
    ],
    key: KeyOption = None,
    second: Annotated[
        int | None, typer.Option("--second-key", help="Number of the second compliance key; else another one.", min=1)
    ] = None,
) -> Signed:
    """Move all that a wallet holds to another wallet of the same investor: its key is lost. By two compliance keys."""
    compliance = compliance_key(tally, key)
    beside = second_key(tally, compliance.pubkey, second)
    payer = tally.payer(compliance)
    plan = await plan_reissue(
        tally.open_chain(),
        payer=payer.pubkey,
        security=_security(tally, security),
        compliance=compliance.pubkey,
        second=beside.pubkey,
        old_wallet=tally.profile.wallet(old),
        new_wallet=tally.profile.wallet(new),
        evidence_hash=hashlib.sha256(evidence.read_bytes()).digest(),
    )
    return await sign(tally, plan, payer, compliance, beside)


@dataclass(frozen=True, slots=True)
class HoldingShown:
    """What one wallet has of a security."""

    symbol: str
    name: str
    holding: Holding
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Amounts as decimal text of tokens."""
        holding, decimals = self.holding, self.holding.listed.decimals
        record = holding.record
        return {
            "security": self.symbol,
            "wallet": str(holding.wallet),
            "name": self.name or None,
            "state": holding.state,
            "tokens": format_base_units(holding.raw, decimals),
            "frozen_tokens": format_base_units(holding.frozen_raw, decimals),
            "approved_until": instant_text(record.approved_until) if record else None,
            "suspended_at": instant_text(record.suspended_at) if record else None,
            "slot": holding.slot,
            "accounts": [
                {
                    "address": str(each.address),
                    "is_associated": each.address == holding.associated,
                    "is_frozen": each.is_frozen,
                    "tokens": format_base_units(each.raw, decimals),
                }
                for each in holding.accounts
            ],
        }

    def view(self) -> RenderableType:
        """The wallet, then its accounts."""
        holding, decimals = self.holding, self.holding.listed.decimals
        record = holding.record
        approval: str | Text = Text("never approved", style="yellow")
        if record is not None and record.suspended_at:
            approval = Text(f"suspended on {when(record.suspended_at)} UTC", style="red")
        elif record is not None:
            approval = f"approved until {when(record.approved_until)} UTC"
        head = facts(
            [
                ("Wallet", f"{self.name} {holding.wallet}".strip()),
                ("Holder", approval),
                ("Holds", f"{amount(holding.raw, decimals)} {self.symbol}"),
                ("State", Text(holding.state, style="red" if "frozen" in holding.state else "")),
            ]
        )
        if not holding.accounts:
            return head
        return stack(head, _accounts_table(holding.accounts, decimals))


@dataclass(frozen=True, slots=True)
class FrozenShown:
    """Every frozen account of a security."""

    symbol: str
    decimals: int
    accounts: tuple[HoldingAccount, ...]
    names: dict[Pubkey, str]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Wallet, account and tokens of each."""
        return {
            "security": self.symbol,
            "frozen": [
                {
                    "wallet": str(each.account.owner),
                    "name": self.names.get(each.account.owner),
                    "address": str(each.address),
                    "tokens": format_base_units(each.raw, self.decimals),
                }
                for each in self.accounts
            ],
        }

    def view(self) -> RenderableType:
        """A table by account."""
        if not self.accounts:
            return Text(f"No account of {self.symbol} is frozen.", style="dim")
        rows = table("Wallet", "Name", "Token account", "Tokens", right=["Tokens"])
        for each in self.accounts:
            owner = each.account.owner
            rows.add_row(str(owner), self.names.get(owner, ""), str(each.address), amount(each.raw, self.decimals))
        return rows


@command(
    app,
    "show",
    examples=("tally holding show tAAPL anna", "tally holding show tAAPL --json   # every frozen account"),
)
async def show(
    tally: Tally,
    security: SecurityArgument,
    wallet: Annotated[str | None, typer.Argument(help="One wallet; else every frozen account.")] = None,
) -> HoldingShown | FrozenShown:
    """What a wallet holds, in which token accounts, frozen or not; without a wallet, every frozen account."""
    section, chain = tally.profile.security(security), tally.open_chain()
    address = _security(tally, security)
    if wallet is None:
        return FrozenShown(section.symbol, section.decimals, await list_frozen(chain, address), tally.known_names())
    owner = tally.profile.wallet(wallet)
    return HoldingShown(section.symbol, tally.name_of(owner), await find_holding(chain, address, owner))


def _accounts_table(accounts: tuple[HoldingAccount, ...], decimals: int) -> RenderableType:
    rows = table("Token account", "Tokens", "State", right=["Tokens"])
    for each in accounts:
        state = Text("frozen", style="red") if each.is_frozen else "free"
        rows.add_row(str(each.address), amount(each.raw, decimals), state)
    return rows


def _security(tally: Tally, security: str) -> Pubkey:
    return security_of(tally.issuer, tally.profile.security(security).id).security
