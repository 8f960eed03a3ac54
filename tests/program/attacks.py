"""Attacks that fit any account, computed from the IDL: each breaks one thing of one account of a valid call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cases import CASES, VARIANTS
from chain_in_process import with_account
from distribution_attacks import DISTRIBUTION_CREATED, DISTRIBUTION_HARMLESS, DISTRIBUTION_OTHERWISE
from solders.account import Account
from solders.instruction import Instruction
from tallystick.program.generated.constants import ASSOCIATED_TOKEN_PROGRAM, PROGRAM_ID
from tallystick.program.generated.instructions import INSTRUCTIONS
from tallystick.program.layout import AccountRole
from tallystick.program.token import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM
from world import World, key

CREATED = {
    "initialize": {"issuer", "guardian_role"},
    "grant_role": {"role"},
    "list_security": {"security", "mint", "escrow"},
    "set_limit": {"limit"},
    "place_hold": {"hold"},
    "propose_seizure": {"seizure"},
    "approve_holder": {"holder"},
    "attest": {"attestation"},
    "open_subscription": {"order"},
    "settle_subscription": {"movement", "fill"},
    "request_redemption": {"order"},
    "settle_redemption": {"movement", "fill"},
    "correct_fill": {"correction"},
    "announce_action": {"action"},
    "request_draw": {"draw"},
    "publish_report": {"report"},
} | DISTRIBUTION_CREATED
"""What an instruction may create; some of these may be there already, which cases.py shows."""
ADDRESS_ONLY = {"attestor_role", "operator_role", "compliance_role", "corporate_actions_role", "guardian_role"}
"""Accounts of grant_role and accept_admin that may be missing: their address is what counts."""
WALLETS = {"wallet": "WrongWallet", "old_wallet": "WrongHolderRecord"}
"""Owners of token accounts that do not sign: any account but one of this program, at the address that names it."""
PROGRAMS = {"system_program", "token_program", "associated_token_program", "program"}


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing broken of one account, and the error that says so."""

    instruction: str
    account: str
    name: str
    expected: str
    run: Callable[[World, Instruction, int], Instruction]

    def __str__(self) -> str:
        return f"{self.instruction}-{self.account}-{self.name}".replace(" ", "_")


def _unsigned(world: World, call: Instruction, index: int) -> Instruction:
    return with_account(call, index, is_signer=False)


def _read_only(world: World, call: Instruction, index: int) -> Instruction:
    return with_account(call, index, is_writable=False)


def _elsewhere(world: World, call: Instruction, index: int) -> Instruction:
    return with_account(call, index, pubkey=key("elsewhere"))


def _nothing_there(world: World, call: Instruction, index: int) -> Instruction:
    return with_account(call, index, pubkey=key("nothing there"))


def _owned_by_another(world: World, call: Instruction, index: int) -> Instruction:
    """The same bytes at the same address, owned by another program."""
    address = call.accounts[index].pubkey
    account = world.chain.find(address)
    assert account is not None
    world.chain.write(address, Account(account.lamports, account.data, ASSOCIATED_TOKEN_PROGRAM, False, 0))
    return call


def _owned_by_this_program(world: World, call: Instruction, index: int) -> Instruction:
    """As escrows' owners are."""
    world.chain.write(call.accounts[index].pubkey, Account(10**9, b"ours", PROGRAM_ID, False, 0))
    return call


def _of_another_type(world: World, call: Instruction, index: int) -> Instruction:
    """The same program's account, but of another type."""
    address = call.accounts[index].pubkey
    account = world.chain.find(address)
    assert account is not None
    if account.owner == TOKEN_2022_PROGRAM:
        other = world.acme.mint if len(account.data) < 300 else world.acme.tokens(world.alice)
    else:
        other = world.acme.address if address == world.alpha.address else world.alpha.address
    return with_account(call, index, pubkey=other)


def _taken_by_another(world: World, call: Instruction, index: int) -> Instruction:
    """Somebody else's program has an account at the address already."""
    world.chain.write(call.accounts[index].pubkey, Account(10**9, b"taken", ASSOCIATED_TOKEN_PROGRAM, False, 0))
    return call


def _another_program(world: World, call: Instruction, index: int) -> Instruction:
    programs = [SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, ASSOCIATED_TOKEN_PROGRAM]
    return with_account(call, index, pubkey=next(each for each in programs if each != call.accounts[index].pubkey))


SETTLE = ("settle_subscription", "settle_redemption")
"""Make movement and fill themselves, after every constraint was checked."""
REFOUND = {
    ("set_limit", "limit"),
    ("grant_role", "role"),
    ("approve_holder", "holder"),
    ("attest", "attestation"),
    ("request_draw", "draw"),
} | {(settle, "movement") for settle in SETTLE}
"""Created by the first call and found by later ones: init_if_needed, or `Slot`."""
THERE_ALREADY = {("attest", "attestation"), ("settle_redemption", "movement")}
"""Of those, the ones that cases.py shows at a later call."""
NO_TYPE = {
    (instruction, "mint")
    for instruction in (
        "place_hold", "release_hold", "update_metadata", "freeze_account", "thaw_account", "seize", "reissue",
        "execute_action", "cancel_action",
    )
}  # fmt: skip
"""Accounts of which only the address is checked here, and the rest by Token-2022."""
OTHERWISE = {
    ("list_security", "escrow", "is elsewhere"): "WrongEscrow",
    ("list_security", "escrow", "is taken by another program"): "associated-token:IllegalOwner",
    ("initialize", "program_data", "is of another type"): "AccountOwnedByWrongProgram",
}
OTHERWISE |= DISTRIBUTION_OTHERWISE
"""Where another error says it than for most accounts."""
HARMLESS = {("veto", "program", "is another program"): "see another's"} | DISTRIBUTION_HARMLESS
"""Accepted; sanctioned.py says why."""
FIXED = {"slot_hashes": "NotSlotHashes"}
"""Accounts that are not programs and whose address never changes, and what is said of another."""
Run = Callable[[World, Instruction, int], Instruction]


def generic_attacks() -> Iterator[Attack]:
    """Every attack that an account's description in the IDL allows."""
    for instruction, layout in INSTRUCTIONS.items():
        for account in layout.accounts:
            for name, expected, run in _fitting(instruction, account):
                if (instruction, account.name, name) in HARMLESS:
                    continue
                expected = OTHERWISE.get((instruction, account.name, name), expected)
                yield Attack(instruction, account.name, name, expected, run)


def _fitting(instruction: str, account: AccountRole) -> Iterator[tuple[str, str, Run]]:
    place = (instruction, account.name)
    if account.signer:
        yield "does not sign", "AccountNotSigner", _unsigned
    if account.writable:
        creates = place[1] in CREATED.get(instruction, ()) or place[1] == "payer"
        created_by_anchor = creates and place not in THERE_ALREADY and place[1] not in ("mint", "escrow")
        found_there = place in (("attest", "payer"), ("update_metadata", "payer"))
        reaches_system = created_by_anchor and not found_there and instruction not in SETTLE
        yield "is read only", "program:PrivilegeEscalation" if reaches_system else "ConstraintMut", _read_only
    yield from _fitting_address(place)


def _fitting_address(place: tuple[str, str]) -> Iterator[tuple[str, str, Run]]:
    instruction, account = place
    if account == "program":
        yield "is another program", "program:MissingAccount", _another_program
    elif account in PROGRAMS:
        yield "is another program", "InvalidProgramId", _another_program
    elif account in FIXED:
        yield "is elsewhere", FIXED[account], _elsewhere
    elif account == "event_authority":
        yield "is elsewhere", "ConstraintAddress", _elsewhere
    elif account in WALLETS and "signer" not in _kind(place):
        yield "is elsewhere", WALLETS[account], _elsewhere
        yield "is an account of this program", "OwnedByProgram", _owned_by_this_program
    elif is_address_only(instruction, account):
        yield "is elsewhere", "ConstraintSeeds", _elsewhere
    elif account in CREATED.get(instruction, ()):
        yield "is elsewhere", "ConstraintSeeds", _elsewhere
        taken = "AccountOwnedByWrongProgram" if place in REFOUND else "FillExists" if account == "fill" else "system:0"
        yield "is taken by another program", taken, _taken_by_another
    elif place in NO_TYPE:
        yield "is not there", "MintOfAnotherSecurity", _nothing_there
        yield "is owned by another program", "token:IncorrectProgramId", _owned_by_another
        yield "is of another type", "MintOfAnotherSecurity", _of_another_type
    elif "signer" not in _kind(place):
        yield "is not there", "AccountNotInitialized", _nothing_there
        yield "is owned by another program", "AccountOwnedByWrongProgram", _owned_by_another
        different = _different(account)
        yield "is of another type", different, _of_another_type


def is_address_only(instruction: str, account: str) -> bool:
    """Whether the account may be missing, and only its address is checked before it is looked for."""
    if instruction in ("grant_role", "accept_admin"):
        return account in ADDRESS_ONLY
    return (instruction, account) == ("thaw_account", "holder")


def _different(account: str) -> str:
    if account == "mint":
        return "MintOfAnotherSecurity"
    token = account in ("escrow", "source", "destination", "recipient", "inventory", "token_account", "seizure_account")
    return "WrongTokenAccount" if token else "AccountDiscriminatorMismatch"


def _kind(place: tuple[str, str]) -> str:
    found = next(each for each in INSTRUCTIONS[place[0]].accounts if each.name == place[1])
    return "signer" if found.signer else "account"


def valid_call(world: World, instruction: str, account: str) -> Instruction:
    """The call that an attack on the account breaks."""
    return VARIANTS.get((instruction, account), CASES[instruction])(world)


def index_of(instruction: str, account: str) -> int:
    """Where the account stands in the instruction."""
    return [each.name for each in INSTRUCTIONS[instruction].accounts].index(account)
