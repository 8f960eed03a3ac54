"""The upgradeable loader (loader-v3): its instructions, and what its accounts say.

Source: solana-loader-v3-interface, UpgradeableLoaderInstruction and UpgradeableLoaderState (bincode: u32 tags, u64
lengths). Addresses of program data are in addresses.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from tallystick.errors import ConfigurationError, LedgerError
from tallystick.program.addresses import UPGRADEABLE_LOADER, program_data_address
from tallystick.program.borsh import Writer
from tallystick.program.generated.constants import PROGRAM_ID

BUFFER_HEADER = 37
"""Bytes before a buffer's content: u32 tag, option, authority."""
PROGRAM_SIZE = 36
"""Bytes of a program account: u32 tag, address of its data."""
PROGRAM_DATA_HEADER = 45
"""Bytes before a program's content: u32 tag, u64 slot, option, authority."""

DEVELOPMENT_PHRASE = b"tallystick development program id"
_RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
_CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
_SYSTEM = Pubkey.default()
_BUFFER, _PROGRAM, _PROGRAM_DATA = 1, 2, 3


@dataclass(frozen=True, slots=True)
class ProgramData:
    """A deployed program: the slot it was deployed in, who may upgrade it (None: nobody), and its bytes as stored,
    which may have zeros behind the program."""

    slot: int
    authority: Pubkey | None
    content: bytes


def development_program_key() -> Keypair:
    """The key of the development program id: SHA-256 of a published phrase, so it protects nothing.

    Right for test clusters, never for mainnet. ConfigurationError when this package was built with an id of its own,
    whose program would not run at another address.
    """
    key = Keypair.from_seed(hashlib.sha256(DEVELOPMENT_PHRASE).digest())
    if key.pubkey() != PROGRAM_ID:
        raise ConfigurationError(
            f"This package is built for the program id {PROGRAM_ID}, whose key is its owner's.",
            hint="Deploy with the Solana CLI and that key, then run: tally program verify",
        )
    return key


def initialize_buffer(buffer: Pubkey, authority: Pubkey) -> Instruction:
    """Make an empty account of the loader's a buffer that `authority` may write."""
    return _instruction(0, b"", _writable(buffer), _readonly(authority))


def write_buffer(buffer: Pubkey, authority: Pubkey, offset: int, content: bytes) -> Instruction:
    """Write `content` at `offset` bytes of a buffer's content."""
    writer = Writer()
    writer.u32(offset, "offset")
    writer.u64(len(content), "length")
    return _instruction(1, writer.finish() + content, _writable(buffer), _readonly(authority, is_signer=True))


def deploy_with_max_data_len(
    payer: Pubkey, program: Pubkey, buffer: Pubkey, authority: Pubkey, max_data_len: int
) -> Instruction:
    """Deploy a buffer as a program with room for `max_data_len` bytes; the buffer's lamports go to the payer."""
    writer = Writer()
    writer.u64(max_data_len, "max_data_len")
    return _instruction(
        2,
        writer.finish(),
        AccountMeta(payer, is_signer=True, is_writable=True),
        _writable(program_data_address(program)),
        _writable(program),
        _writable(buffer),
        _readonly(_RENT),
        _readonly(_CLOCK),
        _readonly(_SYSTEM),
        _readonly(authority, is_signer=True),
    )


def upgrade(program: Pubkey, buffer: Pubkey, spill: Pubkey, authority: Pubkey) -> Instruction:
    """Replace a program's bytes by a buffer's; what lamports are left over go to `spill`."""
    return _instruction(
        3,
        b"",
        _writable(program_data_address(program)),
        _writable(program),
        _writable(buffer),
        _writable(spill),
        _readonly(_RENT),
        _readonly(_CLOCK),
        _readonly(authority, is_signer=True),
    )


def read_buffer(data: bytes) -> tuple[Pubkey | None, bytes]:
    """A buffer's authority and content. LedgerError when it is no buffer."""
    if len(data) < BUFFER_HEADER or _tag(data) != _BUFFER:
        raise LedgerError("expected a buffer of the upgradeable loader")
    return _authority(data[4:BUFFER_HEADER]), data[BUFFER_HEADER:]


def is_program(data: bytes, program: Pubkey) -> bool:
    """True for the account data of `program` that points at its program data."""
    return len(data) >= PROGRAM_SIZE and _tag(data) == _PROGRAM and data[4:36] == bytes(program_data_address(program))


def read_program_data(data: bytes) -> ProgramData:
    """What a program data account says. LedgerError when it is none."""
    if len(data) < PROGRAM_DATA_HEADER or _tag(data) != _PROGRAM_DATA:
        raise LedgerError("expected program data of the upgradeable loader")
    slot = int.from_bytes(data[4:12], "little")
    return ProgramData(slot, _authority(data[12:PROGRAM_DATA_HEADER]), data[PROGRAM_DATA_HEADER:])


def _tag(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")


def _authority(option: bytes) -> Pubkey | None:
    return Pubkey.from_bytes(option[1:33]) if option[0] == 1 else None


def _instruction(tag: int, data: bytes, *accounts: AccountMeta) -> Instruction:
    return Instruction(UPGRADEABLE_LOADER, tag.to_bytes(4, "little") + data, list(accounts))


def _writable(address: Pubkey) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=True)


def _readonly(address: Pubkey, *, is_signer: bool = False) -> AccountMeta:
    return AccountMeta(address, is_signer=is_signer, is_writable=False)
