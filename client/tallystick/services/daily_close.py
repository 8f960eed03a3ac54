"""The daily close: what an issuer's securities were at one finalized slot, chained to the close before it.

A close is made on its day or the day after (UTC), once: the same day again returns what is stored. It rests on complete
registers of one slot; with less than that there is no close.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from struct import Struct
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.breaks import BreakStore
from tallystick.adapters.store.closes import CloseStore
from tallystick.adapters.store.registers import RegisterStore
from tallystick.domain.canonical import sha256
from tallystick.domain.close_register import CloseRegister
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, RegisterReference, SecurityClose, verify_chain
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.domain.identifiers import custody_account_hash
from tallystick.domain.reserve import DEFAULT_TREATMENTS, Treatment
from tallystick.errors import InputError, LedgerError, Refused
from tallystick.program.addresses import program_data_address
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.loader import read_program_data
from tallystick.services.books import SecurityBook, read_books
from tallystick.services.chain_reads import newest_finalized
from tallystick.services.reconciliation_custody import DeclaredSecurity, declarations, statement_references
from tallystick.services.reconciliation_statements import conflict_breaks

LATEST: Final = timedelta(days=1)
"""How long after its day a close may be made: later the chain is no longer what it was."""

_ELF_HEADER: Final = Struct("<32xQQ6xHHHH")
"""Offsets of segment and section tables, then size and number of segments and of sections."""
_ELF_SEGMENT: Final = Struct("<8xQ16xQ")
"""Offset and size of a segment in the file."""


async def closing_day(chain: Chain) -> str:
    """The chain's today, YYYY-MM-DD in UTC, by its newest finalized slot: what is confirmed may be of the next day
    some seconds earlier, which cannot be closed yet. ChainError."""
    _, moment = await newest_finalized(chain)
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


async def close_day(
    chain: Chain,
    issuer: Pubkey,
    day: str,
    declared: Sequence[DeclaredSecurity],
    statements: Sequence[StatementOfHoldings],
    closes: CloseStore,
    breaks: BreakStore,
    clock: Clock,
    *,
    registers: RegisterStore,
    conflicting: Sequence[StatementOfHoldings] = (),
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
    program_id: Pubkey = PROGRAM_ID,
) -> DailyClose:
    """Close a day (YYYY-MM-DD, UTC) at a finalized slot and store it; the stored close when there is one already.

    Every security of the issuer is in it, with the breaks that are open when it is made (reconcile first), those of
    `conflicting` statements of its accounts, which are used for nothing, and the registers taken at record dates that
    no earlier close took up. The register of holders of each is kept with it until a later close of the month. Refused
    when the day is not today or yesterday by the chain's clock, when a later day is closed, or when a register is
    incomplete. InputError for a day that is none, ConfigurationError for a declared security that is not the issuer's.
    ChainError, StoreError; LedgerError when a stored close was changed.
    """
    wanted = _parse_day(day)
    stored = await closes.find(bytes(issuer), day)
    if stored is not None:
        return stored
    last = await closes.last(bytes(issuer))
    if last is not None and date.fromisoformat(last.day) > wanted:
        raise Refused(
            f"{last.day} is closed already; {day} cannot be closed after it.",
            hint="A day that was left out stays out; close today.",
        )
    books = await read_books(chain, issuer, clock, commitment="finalized", program_id=program_id)
    block_time = await chain.get_block_time(books.slot)
    moment = books.now if block_time is None else block_time
    _require_its_day(wanted, moment)
    by_address = declarations(books, declared)
    open_breaks = {
        book.address: [
            *(each.id for each in await breaks.records(bytes(book.address))),
            *(each.id for each in conflict_breaks(_of_accounts(by_address[book.address], conflicting))),
        ]
        for book in books.securities
    }
    known = {
        (reference.event_hash, reference.hash)
        for earlier in await closes.all(bytes(issuer))
        for each in earlier.securities
        for reference in each.registers
    }
    taken = {book.address: await _new_registers(registers, book, known) for book in books.securities}
    close = DailyClose(
        issuer=bytes(issuer),
        cluster=str(await chain.get_genesis_hash()),
        program_hash=await deployed_program_hash(chain, program_id),
        day=day,
        slot=books.slot,
        block_time=moment,
        previous=last.hash if last else NO_PREVIOUS,
        securities=tuple(
            close_security(
                book,
                by_address[book.address],
                statements,
                open_breaks[book.address],
                treatments,
                registers=taken[book.address],
            )
            for book in books.securities
        ),
    )
    kept = [_kept_register(close, book) for book in books.securities]
    return await closes.append(close, kept)


def close_security(
    book: SecurityBook,
    declared: DeclaredSecurity,
    statements: Sequence[StatementOfHoldings],
    open_breaks: Sequence[bytes],
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
    *,
    registers: Sequence[RegisterReference] = (),
) -> SecurityClose:
    """One security's part of a close. Refused when its register is incomplete."""
    holders = book.holders.require_complete()
    security, register = book.security, holders.register
    classes = holders.classes(security.escrow, declared.inventory)
    scaled = book.mint.extensions.scaled_ui_amount
    attestation = book.attestations.get(security.attestation)
    return SecurityClose(
        isin=book.isin,
        mint=bytes(security.mint),
        decimals=book.decimals,
        supply=holders.supply,
        multiplier=book.multiplier,
        required=book.required,
        reserve=security.reserve,
        reserve_as_of=security.reserve_as_of,
        redeemed=security.redeemed,
        minted=security.minted,
        burnt=security.burnt,
        inventory=classes.inventory,
        escrow=classes.escrow,
        register_root=register.root,
        holders=len(register.entries),
        attestation=attestation.content_hash if attestation else bytes(32),
        statements=statement_references(book, declared, statements, treatments),
        breaks=tuple(open_breaks),
        multiplier_bits=scaled.current_bits(book.now) if scaled else 0,
        registers=tuple(registers),
    )


async def verify_closes(closes: CloseStore, issuer: Pubkey) -> tuple[DailyClose, ...]:
    """Every close of an issuer, oldest first, after checking each one's content, hash and link to the one before.

    LedgerError when a close was changed, removed, inserted or moved.
    """
    found = await closes.all(bytes(issuer))
    for close in found:
        if close.issuer != bytes(issuer):
            raise LedgerError(f"The close of {close.day} is of another issuer.")
    verify_chain(found)
    return found


async def deployed_program_hash(chain: Chain, program_id: Pubkey = PROGRAM_ID) -> bytes:
    """As deployed_program, the hash alone."""
    return (await deployed_program(chain, program_id))[0]


async def deployed_program(chain: Chain, program_id: Pubkey = PROGRAM_ID) -> tuple[bytes, int]:
    """SHA-256 of the program's file as deployed, without the zeros that a deployment may have behind it, and the slot
    it was deployed in.

    LedgerError when there is no program at the address. Equals the line of program.sha256 for an unchanged build.
    """
    account = await chain.get_account(program_data_address(program_id), "finalized")
    if account is None:
        raise LedgerError(
            f"Program {program_id} is not deployed on this cluster.", hint="Check which cluster the profile names."
        )
    deployed = read_program_data(account.data)
    content = deployed.content
    length = _elf_length(content)
    if length > len(content) or any(content[length:]):
        length = len(content)
    return sha256(content[:length]), deployed.slot


def _elf_length(content: bytes) -> int:
    """Where an ELF file ends: behind its last segment, or its table of sections where it has one (it may be stripped).

    Source: ELF-64 object file format, Elf64_Ehdr and Elf64_Phdr.
    """
    if len(content) < _ELF_HEADER.size:
        return len(content)
    segments, sections, segment_size, segment_count, section_size, section_count = _ELF_HEADER.unpack_from(content)
    length = int(sections + section_size * section_count)
    for number in range(segment_count):
        place = segments + number * segment_size
        if place + _ELF_SEGMENT.size > len(content):
            return len(content)
        start, size = _ELF_SEGMENT.unpack_from(content, place)
        length = max(length, start + size)
    return length


def _kept_register(close: DailyClose, book: SecurityBook) -> CloseRegister:
    root = next(each.register_root for each in close.securities if each.mint == bytes(book.security.mint))
    register = book.holders.require_complete().register
    return CloseRegister(close.issuer, bytes(book.address), close.day, close.slot, root, register)


def _of_accounts(
    declared: DeclaredSecurity, statements: Sequence[StatementOfHoldings]
) -> tuple[StatementOfHoldings, ...]:
    accounts = {account.hash for account in declared.accounts}
    return tuple(each for each in statements if custody_account_hash(each.custodian_lei, each.account) in accounts)


async def _new_registers(
    registers: RegisterStore, book: SecurityBook, known: Collection[tuple[bytes, bytes]]
) -> tuple[RegisterReference, ...]:
    """Registers of a security up to the close's slot that no close took up. By what was taken up and not by the day
    alone: one that was stored while a close was made, or on a day that was left out, is in the next."""
    stored = await registers.hashes(bytes(book.address))
    return tuple(
        RegisterReference(event, slot, hashed)
        for event, slot, hashed in stored
        if slot <= book.slot and (event, hashed) not in known
    )


def _parse_day(day: str) -> date:
    try:
        parsed = date.fromisoformat(day)
    except ValueError as error:
        raise InputError(f"{day!r} is not a day; write YYYY-MM-DD.") from error
    if parsed.isoformat() != day:
        raise InputError(f"{day!r} is not a day as closes name it; write {parsed.isoformat()}.")
    return parsed


def _require_its_day(day: date, moment: int) -> None:
    today = datetime.fromtimestamp(moment, UTC).date()
    if not day <= today <= day + LATEST:
        raise Refused(
            f"It is {today.isoformat()} on this cluster; {day.isoformat()} can be closed on its day or the day after.",
            hint="Close today: a day that was left out cannot be read any more.",
        )
