"""What is refused twice: by the backoffice before anything is signed, and by the program whatever is sent to it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.domain.amounts import parse_base_units
from tallystick.errors import LedgerError, Refused, TallystickError, TransactionError
from tallystick.program.addresses import (
    fill_address,
    holder_address,
    limit_address,
    order_address,
    role_address,
)
from tallystick.program.generated import instructions
from tallystick.program.generated.types import (
    OpenSubscriptionParams,
    RoleKind,
    SettleSubscriptionParams,
)
from tallystick.program.token import associated_token_address
from tallystick.services.chain_reads import chain_time
from tallystick.services.movements import MovementReference
from tallystick.services.securities import security_of
from tallystick.services.subscription import order_id

from tallystick_cli.context import KeypairSigner, Tally, new_memory_outbox
from tallystick_cli.demo.cluster import HOUR
from tallystick_cli.render import Output


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was tried, what the backoffice and the program said, and what the program's words mean where they do not
    say it themselves."""

    tried: str
    backoffice: str
    program: str
    meaning: str = ""

    def document(self) -> dict[str, str]:
        """The same as plain data."""
        return {"tried": self.tried, "backoffice": self.backoffice, "program": self.program, "meaning": self.meaning}

    def named(self, names: Mapping[str, str]) -> Refusal:
        """The same with names in place of addresses."""
        backoffice, program = self.backoffice, self.program
        for address, name in names.items():
            backoffice, program = backoffice.replace(address, name), program.replace(address, name)
        return Refusal(self.tried, backoffice, program, self.meaning)


def refusals_table(refusals: Sequence[Refusal]) -> RenderableType:
    """One row for each attempt."""
    made = Table(box=box.SIMPLE_HEAD, show_lines=True, pad_edge=False, header_style="dim", show_edge=False)
    made.add_column("Tried", ratio=2)
    made.add_column("The backoffice, before signing", ratio=3)
    made.add_column("The program, when it is sent all the same", ratio=3)
    for each in refusals:
        program = Text(each.program, style="red")
        if each.meaning:
            program.append(f"\nIn plain words: {each.meaning}", style="not red italic")
        made.add_row(each.tried, Text(each.backoffice, style="yellow"), program)
    return made


async def backoffice_words(attempt: Awaitable[Output]) -> str:
    """What a command says that refuses. LedgerError when it does not refuse: then the demo shows something wrong."""
    try:
        await attempt
    except Refused as error:
        return error.message
    raise LedgerError("Expected the backoffice to refuse this, and it did it.", hint="Report this: it is a defect.")


async def program_words(tally: Tally, instruction: Instruction, *signers: KeypairSigner) -> str:
    """What the program says to an instruction that the backoffice would not send. LedgerError when it says nothing."""
    sender = tally.new_sender(new_memory_outbox())
    unique = list({each.pubkey: each for each in signers}.values())
    try:
        await sender.send([instruction], unique, intent=f"demo:{bytes(instruction.data).hex()}", payer=unique[0].pubkey)
    except TransactionError as error:
        return error.message
    except TallystickError as error:
        raise LedgerError(f"Expected the program to refuse this: {error.message}") from error
    raise LedgerError("Expected the program to refuse this, and it did it.", hint="Report this: it is a defect.")


def settle_instruction(
    tally: Tally,
    security_id: str,
    wallet: Pubkey,
    reference: str,
    movement: MovementReference,
    shares: str,
    decimals: int,
) -> Instruction:
    """A settlement past every check of the backoffice."""
    places = security_of(tally.issuer, security_id)
    operator, payer = tally.signer("operator").pubkey, tally.signer("payer").pubkey
    order = order_address(places.security, wallet, order_id(reference))
    place = movement.address(places.security)
    return instructions.settle_subscription(
        payer=payer,
        operator=operator,
        role=role_address(tally.issuer, RoleKind.OPERATOR, operator),
        security=places.security,
        limit=limit_address(places.security, operator),
        holder=holder_address(tally.issuer, wallet),
        order=order,
        movement=place,
        fill=fill_address(place, order),
        mint=places.mint,
        recipient=associated_token_address(wallet, places.mint),
        params=SettleSubscriptionParams(movement=movement.params, shares=parse_base_units(shares, decimals)),
    )


async def subscribe_instruction(tally: Tally, security_id: str, wallet: Pubkey, reference: str) -> Instruction:
    """An order past every check of the backoffice."""
    security = security_of(tally.issuer, security_id).security
    operator, payer = tally.signer("operator").pubkey, tally.signer("payer").pubkey
    params = OpenSubscriptionParams(
        order_id=order_id(reference), shares=1, settle_by=await chain_time(tally.open_chain()) + HOUR
    )
    return instructions.open_subscription(
        payer=payer,
        authority=operator,
        role=role_address(tally.issuer, RoleKind.OPERATOR, operator),
        security=security,
        holder=holder_address(tally.issuer, wallet),
        order=order_address(security, wallet, params.order_id),
        params=params,
    )
