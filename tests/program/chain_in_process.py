"""LiteSVM with the built program, and everything a test asks of a chain: send, read, warp, snapshot, restore.

Signatures are not made: a signer is an account marked as one in the transaction, which is all a program can see.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from solders.account import Account
from solders.clock import Clock
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from tallystick.program.addresses import UPGRADEABLE_LOADER, program_data_address
from tallystick.program.artifacts import program_binary, token_2022_binary
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.errors import ERRORS
from tallystick.program.layout import AccountLayout, EventLayout
from tallystick.program.token import (
    ASSOCIATED_TOKEN_PROGRAM,
    SPL_TOKEN_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    Mint,
    TokenAccount,
    decode_mint,
    decode_token_account,
)

Layout = TypeVar("Layout", bound=AccountLayout)

START = 1_800_000_000
"""Unix seconds at which every world begins."""
START_SLOT = 1_000_000
"""The slot in which every world begins."""
SLOT_HASHES = Pubkey.from_string("SysvarS1otHashes111111111111111111111111111")
"""The chain's record of the last slots and their hashes: a count, then slot and hash of each, newest first."""
SYSVAR_OWNER = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")
RECORDED_SLOTS = 512
PROGRAM_NAMES = {
    str(TOKEN_2022_PROGRAM): "token",
    str(ASSOCIATED_TOKEN_PROGRAM): "associated-token",
    str(SPL_TOKEN_PROGRAM): "spl-token",
    str(SYSTEM_PROGRAM): "system",
}
RUNTIME_NAMES = {
    "An account required by the instruction is missing": "MissingAccount",
    "Cross-program invocation with unauthorized signer or writable account": "PrivilegeEscalation",
    "invalid account data for instruction": "InvalidAccountData",
    "incorrect program id for instruction": "IncorrectProgramId",
    "Provided owner is not allowed": "IllegalOwner",
    "missing required signature for instruction": "MissingRequiredSignature",
}
"""What the runtime logs, and the name it has for it."""
_ANCHOR = re.compile(r"Error Code: (\w+)\. Error Number: (\d+)")
_FAILED = re.compile(r"Program (\w+) failed: (.*)")


class Refusal(Exception):  # noqa: N818 (what the chain says, not what went wrong in the test)
    """A transaction failed. `name` is our error's or Anchor's; or `<program>:<code>`; or the runtime's error."""

    def __init__(self, name: str, logs: tuple[str, ...]) -> None:
        super().__init__("\n".join((name, *logs)))
        self.name = name
        self.logs = logs


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction that succeeded did. Units are compute units."""

    events: tuple[EventLayout, ...]
    logs: tuple[str, ...]
    units: int


State = dict[Pubkey, Account]


def key(name: str) -> Pubkey:
    """An address that is the same in every run."""
    return Pubkey.from_bytes(hashlib.sha256(f"key:{name}".encode()).digest())


def digest(name: str) -> bytes:
    """32 bytes that are the same in every run."""
    return hashlib.sha256(name.encode()).digest()


def slot_hash(slot: int) -> bytes:
    """The hash that a slot has here, whenever one looks."""
    return digest(f"slot {slot}")


def _program() -> bytes:
    """The shipped program; the mutation check (toolchain/mutation_check.py) puts another in its place."""
    mutant = os.environ.get("TALLYSTICK_PROGRAM_SO")
    return Path(mutant).read_bytes() if mutant else program_binary()


class Chain:
    """One LiteSVM. `known` are the addresses that any transaction named or a test wrote."""

    def __init__(self) -> None:
        self.svm = LiteSVM().with_sigverify(False).with_blockhash_check(False).with_transaction_history(0)
        self.fee_payer = key("fee payer")
        self.payer = key("payer")
        self.upgrade_authority = key("upgrade authority")
        self.known: set[Pubkey] = {SPL_TOKEN_PROGRAM}
        self.now = START
        self.slot = START_SLOT
        self.svm.add_program(TOKEN_2022_PROGRAM, token_2022_binary())
        self.svm.add_program(PROGRAM_ID, _program())
        self._name_upgrade_authority()
        for each in (self.fee_payer, self.payer):
            self.fund(each, 10**15)
        self.set_slot(START_SLOT)

    def _name_upgrade_authority(self) -> None:
        address = program_data_address()
        stored = self.svm.get_account(address)
        assert stored is not None
        header = (3).to_bytes(4, "little") + bytes(8) + b"\1" + bytes(self.upgrade_authority)
        self.svm.set_account(
            address, Account(stored.lamports, header + stored.data[len(header) :], UPGRADEABLE_LOADER, False, 0)
        )

    # Time ------------------------------------------------------------------------------------------------------------

    def set_time(self, now: int) -> None:
        """Set the chain's clock, forwards or back."""
        self.now = now
        self.svm.set_clock(Clock(self.slot, START, 0, 1, now))

    def set_slot(self, slot: int, skipped: Collection[int] = ()) -> None:
        """Set the chain's slot, and the record of the last slots' hashes; those skipped had no block."""
        self.slot = slot
        self.set_time(self.now)
        recorded: list[int] = []
        before = slot - 1
        while len(recorded) < RECORDED_SLOTS and before >= 0:
            if before not in skipped:
                recorded.append(before)
            before -= 1
        data = len(recorded).to_bytes(8, "little")
        data += b"".join(each.to_bytes(8, "little") + slot_hash(each) for each in recorded)
        data = data.ljust(8 + 40 * RECORDED_SLOTS, b"\0")
        self.write(SLOT_HASHES, Account(1, data, SYSVAR_OWNER, False, 0))

    def warp(self, seconds: int) -> None:
        """Let `seconds` pass."""
        self.set_time(self.now + seconds)

    # Accounts --------------------------------------------------------------------------------------------------------

    def fund(self, address: Pubkey, lamports: int = 10**12) -> Pubkey:
        """Give an address lamports, so that it exists."""
        self.write(address, Account(lamports, b"", SYSTEM_PROGRAM, False, 0))
        return address

    def write(self, address: Pubkey, account: Account) -> None:
        """Write an account past every rule."""
        self.known.add(address)
        self.svm.set_account(address, account)

    def find(self, address: Pubkey) -> Account | None:
        """The account there, None when it holds no lamports."""
        account = self.svm.get_account(address)
        return account if account is not None and account.lamports else None

    def read(self, kind: type[Layout], address: Pubkey) -> Layout:
        """The program's account there, decoded."""
        account = self.find(address)
        assert account is not None, f"no {kind.__name__} at {address}"
        assert account.owner == PROGRAM_ID
        return kind.decode(account.data)

    def rewrite(self, address: Pubkey, change: Callable[[Layout], Layout], kind: type[Layout]) -> None:
        """Change the program's account in place, past every rule."""
        account = self.svm.get_account(address)
        assert account is not None
        data = change(kind.decode(account.data)).encode()
        self.write(
            address,
            Account(account.lamports, data + account.data[len(data) :], account.owner, account.executable, 0),
        )

    def token(self, address: Pubkey) -> TokenAccount:
        """A token account."""
        account = self.find(address)
        assert account is not None, f"no token account at {address}"
        return decode_token_account(account.data)

    def balance(self, address: Pubkey) -> int:
        """Raw units in a token account."""
        return self.token(address).amount

    def mint(self, address: Pubkey) -> Mint:
        """A mint."""
        account = self.find(address)
        assert account is not None, f"no mint at {address}"
        return decode_mint(account.data)

    def state(self) -> State:
        """Every known account but the fee payer's."""
        found = ((address, self.find(address)) for address in self.known if address != self.fee_payer)
        return {address: account for address, account in found if account is not None}

    def restore(self, state: State, now: int) -> None:
        """Put every known account back to `state`, and the clock to `now` and the slot that worlds begin in."""
        for address in list(self.known):
            if address == self.fee_payer:
                continue
            wanted, found = state.get(address), self.find(address)
            if wanted != found:
                self.svm.set_account(address, wanted or Account(0, b"", SYSTEM_PROGRAM, False, 0))
        self.slot = START_SLOT
        self.set_time(now)

    # Transactions ----------------------------------------------------------------------------------------------------

    def send(self, *instructions: Instruction, payer: Pubkey | None = None) -> Receipt:
        """Execute as one transaction, of any size. Raises Refusal. `payer` pays the fee."""
        message = Message(list(instructions), payer or self.fee_payer)
        self.known.update(message.account_keys)
        signatures = [Signature.default()] * message.header.num_required_signatures
        result = self.svm.send_transaction(VersionedTransaction.populate(message, signatures))
        if isinstance(result, FailedTransactionMetadata):
            logs = tuple(result.meta().logs())
            raise Refusal(refusal_name(result.err(), logs), logs)
        assert isinstance(result, TransactionMetadata)
        keys = message.account_keys
        return Receipt(tuple(_events(result, keys)), tuple(result.logs()), result.compute_units_consumed())

    def refuse(self, expected: str, *instructions: Instruction) -> Refusal:
        """Execute, expect the one error, and prove that nothing moved."""
        for each in instructions:
            self.known.update(meta.pubkey for meta in each.accounts)
        before = self.state()
        refusal = self.attempt(*instructions)
        assert isinstance(refusal, Refusal), f"{expected} expected, but it was accepted"
        assert refusal.name == expected, f"{expected} expected:\n{refusal}"
        after = self.state()
        assert after == before, f"{expected}, but these moved: {changed(before, after)}"
        return refusal

    def unmoved(self, *instructions: Instruction) -> str | None:
        """Execute: None where it is accepted, else the error's name, after proving that nothing moved."""
        for each in instructions:
            self.known.update(meta.pubkey for meta in each.accounts)
        before = self.state()
        refusal = self.attempt(*instructions)
        if not isinstance(refusal, Refusal):
            return None
        after = self.state()
        assert after == before, f"{refusal.name}, but these moved: {changed(before, after)}"
        return refusal.name

    def would(self, *instructions: Instruction) -> str | None:
        """Simulate: None where it would be accepted, else the error's name. Nothing moves."""
        message = Message(list(instructions), self.fee_payer)
        signatures = [Signature.default()] * message.header.num_required_signatures
        result = self.svm.simulate_transaction(VersionedTransaction.populate(message, signatures))
        if not isinstance(result, FailedTransactionMetadata):
            return None
        return refusal_name(result.err(), tuple(result.meta().logs()))

    def attempt(self, *instructions: Instruction) -> Receipt | Refusal:
        """Execute, whatever comes of it."""
        try:
            return self.send(*instructions)
        except Refusal as refusal:
            return refusal


def changed(before: State, after: State) -> list[str]:
    """Addresses whose accounts differ."""
    return [str(each) for each in {*before, *after} if before.get(each) != after.get(each)]


def _events(result: TransactionMetadata, keys: list[Pubkey]) -> Iterable[EventLayout]:
    calls = []
    for group in result.inner_instructions():
        for each in group:
            call: CompiledInstruction = each.instruction()
            accounts = [keys[index] for index in bytes(call.accounts)]
            calls.append((keys[call.program_id_index], accounts, bytes(call.data)))
    return decode_events(calls)


def refusal_name(error: object, logs: tuple[str, ...]) -> str:
    """The name of the error that a failed transaction's logs and status tell."""
    failed = next((match for line in logs if (match := _FAILED.search(line))), None)
    program = failed.group(1) if failed else ""
    code = _custom_code(failed.group(2)) if failed else None
    if program == str(PROGRAM_ID):
        if code in ERRORS:
            return ERRORS[code].name
        names = [match.group(1) for line in logs if (match := _ANCHOR.search(line))]
        if names and code is not None and code < 6000:
            return names[-1]
    if code is not None:
        return f"{PROGRAM_NAMES.get(program, program)}:{code}"
    if failed:
        return f"{PROGRAM_NAMES.get(program, 'program')}:{RUNTIME_NAMES.get(failed.group(2), failed.group(2))}"
    return str(error)


def _custom_code(text: str) -> int | None:
    match = re.search(r"custom program error: 0x([0-9a-f]+)", text)
    return int(match.group(1), 16) if match else None


def with_account(instruction: Instruction, index: int, **change: object) -> Instruction:
    """The instruction with one account's `pubkey`, `is_signer` or `is_writable` changed."""
    metas = list(instruction.accounts)
    old = metas[index]
    fields = {"pubkey": old.pubkey, "is_signer": old.is_signer, "is_writable": old.is_writable} | change
    metas[index] = AccountMeta(**fields)  # type: ignore[arg-type]
    return Instruction(instruction.program_id, bytes(instruction.data), metas)
