"""tally hold: stop a security's minting, redeeming or transfers for a reason, and lift that again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.errors import TallystickError
from tallystick.program.addresses import hold_address
from tallystick.program.generated.accounts import Hold
from tallystick.program.generated.types import RoleKind
from tallystick.services.chain_reads import chain_time, list_holds
from tallystick.services.holds import Scope, hold_id, plan_place_hold, plan_release_hold
from tallystick.services.rules import FOREVER
from tallystick.services.securities import security_of

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import command
from tallystick_cli.context import KeypairSigner, Tally
from tallystick_cli.moments import FORM, parse_moment
from tallystick_cli.render import instant_text, table, when, words

app = typer.Typer(no_args_is_help=True, help="Holds: reasons, each with an owner, why a security stands still.")


class ScopeName(StrEnum):
    """What a hold stops, as it is typed."""

    MINT = "mint"
    REDEEM = "redeem"
    TRANSFER = "transfer"


class OwnerName(StrEnum):
    """Roles that may hold."""

    OPERATOR = "operator"
    COMPLIANCE = "compliance"
    CORPORATE_ACTIONS = "corporate-actions"
    RECONCILIATION = "reconciliation"
    GUARDIAN = "guardian"


@command(
    app,
    "place",
    signs=True,
    examples=(
        "tally hold place tAAPL --by reconciliation --scope mint --reference REC-7 --reason 'ten short' --expires 72h",
        "tally hold place tAAPL --by compliance --scope transfer --reference CASE-7 --reason 'court order' --yes",
    ),
)
async def place(
    tally: Tally,
    security: Annotated[str, typer.Argument(help="Symbol, ISIN or id.")],
    by: Annotated[OwnerName, typer.Option(help="The role that owns it; the profile has its key.")],
    scope: Annotated[list[ScopeName], typer.Option(help="What stops; repeat for more.")],
    reference: Annotated[str, typer.Option(help="Your own name of the hold; used once.")],
    reason: Annotated[str, typer.Option(help="Why; only a hash goes on chain.")],
    reason_code: Annotated[int, typer.Option(help="From your own table of reasons.", min=0, max=65535)] = 0,
    expires: Annotated[
        str | None, typer.Option(help=f"When it ends by itself: {FORM}. Machine roles must say, 72 h at most.")
    ] = None,
) -> Signed:
    """Stop minting, redeeming or transfers of a security."""
    section = tally.profile.security(security)
    owner = tally.signer(by.name.lower())
    payer, chain = tally.payer(owner), tally.open_chain()
    address = security_of(tally.issuer, section.id).security
    plan = await plan_place_hold(
        chain,
        payer=payer.pubkey,
        security=address,
        owner=owner.pubkey,
        kind=RoleKind[by.name],
        reference=reference,
        scope=reduce(or_, (Scope[each.name] for each in scope)),
        reason_code=reason_code,
        reason=reason,
        expires_at=parse_moment(expires, await chain_time(chain)) if expires else None,
    )
    hold = hold_address(address, owner.pubkey, hold_id(reference))
    return await sign(tally, plan, payer, owner, details={"hold": str(hold)})


@command(app, "release", signs=True, examples=("tally hold release 9aB3…",))
async def release(
    tally: Tally, hold: Annotated[str, typer.Argument(help="The hold's address; tally hold list shows it.")]
) -> Signed:
    """Lift a hold, by whichever way is open with the keys of this profile."""
    signers: list[KeypairSigner] = []
    several = [each for role in ("compliance", "corporate_actions") for each in tally.numbered(role)]
    for role in ("reconciliation", "operator", *several, "guardian", "admin"):
        try:
            signers.append(tally.signer(role))
        except TallystickError:
            continue
    payer = tally.payer(signers[0]) if signers else tally.signer("payer")
    plan = await plan_release_hold(
        tally.open_chain(), payer=payer.pubkey, hold=tally.profile.wallet(hold), keys=[each.pubkey for each in signers]
    )
    return await sign(tally, plan, payer, *signers)


@dataclass(frozen=True, slots=True)
class HoldsShown:
    """Holds as (symbol, address, hold). `now` is the chain's clock."""

    now: int
    holds: tuple[tuple[str, Pubkey, Hold], ...]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Each hold with its state."""
        return {
            "holds": [
                {
                    "hold": str(address),
                    "security": symbol,
                    "scope": _scope(hold).split(", "),
                    "owner": str(hold.owner),
                    "role": words(hold.owner_kind.name),
                    "reason_code": hold.reason_code,
                    "state": self._state(hold),
                    "placed_at": instant_text(hold.placed_at),
                    "expires_at": None if hold.expires_at == FOREVER else instant_text(hold.expires_at),
                }
                for symbol, address, hold in self.holds
            ]
        }

    def view(self) -> RenderableType:
        """A table of holds."""
        if not self.holds:
            return Text("No holds.", style="dim")
        rows = table("Security", "Hold", "Stops", "Owner", "State", "Expires (UTC)")
        for symbol, address, hold in self.holds:
            state = self._state(hold)
            rows.add_row(
                symbol,
                Text(str(address), overflow="fold"),
                _scope(hold),
                words(hold.owner_kind.name),
                Text(state, style={"in place": "red", "expired": "yellow"}.get(state, "dim")),
                "" if hold.expires_at == FOREVER else when(hold.expires_at),
            )
        return rows

    def _state(self, hold: Hold) -> str:
        if hold.released_at:
            return "released"
        return "in place" if hold.expires_at > self.now else "expired"


@command(app, "list", examples=("tally hold list", "tally hold list tAAPL --all --json"))
async def list_(
    tally: Tally,
    security: Annotated[str | None, typer.Argument(help="One security; else all.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Released ones too.")] = False,
) -> HoldsShown:
    """Which holds there are, whose, and until when."""
    chain = tally.open_chain()
    sections = [tally.profile.security(security)] if security else list(tally.profile.securities)
    rows: list[tuple[str, Pubkey, Hold]] = []
    for section in sections:
        found = await list_holds(chain, security_of(tally.issuer, section.id).security)
        rows += [(section.symbol, address, hold) for address, hold in found.accounts.items()]
    rows = [row for row in rows if all_ or not row[2].released_at]
    rows.sort(key=lambda row: (row[2].placed_at, bytes(row[1])))
    return HoldsShown(await chain_time(chain), tuple(rows))


def _scope(hold: Hold) -> str:
    return ", ".join(str(each.name).lower() for each in Scope if each & hold.scope)
