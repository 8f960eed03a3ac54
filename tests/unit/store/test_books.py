"""Statements, movements, orders and the audit log: the same promises in memory and in the store."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.adapters.store.audit import NO_PREVIOUS, AuditLog, MemoryAuditLog
from tallystick.adapters.store.events import EventBook, KnownEvent, MemoryEventBook
from tallystick.adapters.store.journal import (
    CustodyMovement,
    MemoryMovementJournal,
    MovementJournal,
    PlannedPart,
)
from tallystick.adapters.store.orders import BookedOrder, MemoryOrderBook, OrderBook
from tallystick.adapters.store.statement_documents import decode_statement, encode_statement
from tallystick.adapters.store.statements import (
    MemoryStatementRegister,
    StatementRegister,
    StatementStatus,
)
from tallystick.adapters.store.store import Store
from tallystick.domain.amounts import Quantity
from tallystick.domain.breaks import BreakKind
from tallystick.domain.holdings import (
    Basis,
    Completeness,
    HoldingLine,
    Price,
    StatementOfHoldings,
    SubBalance,
    Unit,
)
from tallystick.domain.identifiers import custody_account_hash
from tallystick.domain.orders import MovementDirection, OrderKind
from tallystick.errors import AmountError, IdentifierError, InputError, LedgerError, StoreConflict, StoreError

LEI = "529900T8BM49AURSDO55"
HASH = custody_account_hash(LEI, "SAFE 1")
KINDS = ["memory", "file"]


def statement(source: bytes = b"1", as_of: int = 100, **changes: object) -> StatementOfHoldings:
    made = StatementOfHoldings(
        custodian_lei=LEI,
        account="SAFE 1",
        as_of=as_of,
        received_at=as_of + 5,
        statement_id=f"S-{as_of}",
        basis=Basis.SETTLED,
        completeness=Completeness.COMPLETE,
        has_activity=True,
        lines=(HoldingLine("US0378331005", Quantity(5)),),
        source_hashes=(source.ljust(32, b"."),),
        format="semt.002",
        parser_version=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture(params=KINDS)
def register(request: pytest.FixtureRequest, store: Store) -> StatementRegister:
    return MemoryStatementRegister() if request.param == "memory" else store.statements


@pytest.fixture(params=KINDS)
def journal(request: pytest.FixtureRequest, store: Store) -> MovementJournal:
    return MemoryMovementJournal() if request.param == "memory" else store.journal


@pytest.fixture(params=KINDS)
def book(request: pytest.FixtureRequest, store: Store) -> OrderBook:
    return MemoryOrderBook() if request.param == "memory" else store.orders


@pytest.fixture(params=KINDS)
def event_book(request: pytest.FixtureRequest, store: Store) -> EventBook:
    return MemoryEventBook() if request.param == "memory" else store.events


@pytest.fixture(params=KINDS)
def log(request: pytest.FixtureRequest, store: Store) -> AuditLog:
    return MemoryAuditLog() if request.param == "memory" else store.audit


async def test_a_statement_comes_back_as_it_was(register: StatementRegister) -> None:
    kept = await register.add(statement())
    assert (kept.is_new, kept.finding, kept.stored.status) == (True, None, StatementStatus.USABLE)
    assert await register.list(HASH) == (kept.stored,)
    found = await register.get(statement().source_hashes[0])
    assert found is not None
    assert (found.statement, found.account_hash) == (statement(), HASH)


async def test_the_same_bytes_again_change_nothing(register: StatementRegister) -> None:
    await register.add(statement())
    again = await register.add(statement(received_at=999))
    assert again.finding is not None
    assert (again.is_new, again.finding.kind) == (False, BreakKind.DUPLICATE_STATEMENT)
    assert [each.statement.received_at for each in await register.list()] == [105]


async def test_other_bytes_under_the_same_id_are_a_conflict_of_both(register: StatementRegister) -> None:
    await register.add(statement(b"1"))
    other = await register.add(statement(b"2"))
    assert other.finding is not None
    assert other.finding.kind is BreakKind.CONFLICTING_STATEMENT
    assert {each.status for each in await register.list()} == {StatementStatus.CONFLICTING}
    assert all("Another file has the same statement id" in each.reason for each in await register.list())
    latest = await register.latest(HASH)
    assert latest is not None
    assert latest.status is StatementStatus.CONFLICTING


async def test_a_decision_is_kept_with_its_reason_and_a_rejected_one_conflicts_no_more(
    register: StatementRegister,
) -> None:
    first = await register.add(statement(b"1"))
    await register.decide(first.stored.key, StatementStatus.REJECTED, " recalled ")
    second = await register.add(statement(b"2"))
    assert second.finding is None
    kept = await register.get(first.stored.key)
    assert kept is not None
    assert (kept.status, kept.reason) == (StatementStatus.REJECTED, "recalled")
    assert await register.latest(HASH) == second.stored


async def test_a_decision_needs_a_reason_and_a_statement(register: StatementRegister) -> None:
    kept = await register.add(statement())
    with pytest.raises(InputError, match="needs a reason"):
        await register.decide(kept.stored.key, StatementStatus.REJECTED, "  ")
    with pytest.raises(StoreError, match="No statement"):
        await register.decide(bytes(32), StatementStatus.REJECTED, "none")
    assert (await register.list())[0].status is StatementStatus.USABLE


async def test_the_latest_is_by_as_of_whole_and_not_after_what_is_asked(register: StatementRegister) -> None:
    await register.add(statement(b"1", 100))
    await register.add(statement(b"2", 300))
    await register.add(statement(b"3", 200))
    await register.add(statement(b"4", 400, ends=False))
    newest, until = await register.latest(HASH), await register.latest(HASH, until=299)
    assert newest is not None
    assert until is not None
    assert (newest.statement.as_of, until.statement.as_of) == (300, 200)
    assert await register.latest(HASH, until=99) is None
    assert await register.latest(bytes(32)) is None
    assert [each.statement.as_of for each in await register.list(HASH)] == [400, 300, 200, 100]


async def test_pages_and_the_whole_of_them_are_no_conflict(register: StatementRegister) -> None:
    first = statement(b"1", ends=False)
    second = statement(b"2", first_page=2, last_page=2)
    whole = statement(last_page=2, source_hashes=(*first.source_hashes, *second.source_hashes))
    for each in (first, second, whole):
        assert (await register.add(each)).finding is None
    assert (await register.latest(HASH)) == await register.get((await register.add(whole)).stored.key)


async def test_a_statement_without_a_file_is_refused(register: StatementRegister) -> None:
    with pytest.raises(InputError, match="without a source file"):
        await register.add(statement(source_hashes=()))
    assert await register.list() == ()


quantities = st.builds(Quantity, st.integers(-(10**30), 10**30), st.integers(0, 12))
words = st.text(st.characters(codec="utf-8"), max_size=12)
parts = st.recursive(
    st.builds(SubBalance, words, quantities, st.none() | st.booleans(), st.sampled_from(Unit), where=words),
    lambda inner: st.builds(
        SubBalance, words, quantities, st.none(), st.sampled_from(Unit), st.tuples(inner), where=words
    ),
    max_leaves=3,
)
lines = st.builds(
    HoldingLine,
    words,
    quantities,
    st.sampled_from(Unit),
    st.lists(parts, max_size=2).map(tuple),
    st.none() | quantities,
    st.none() | quantities,
    words,
    words,
    words,
    st.none() | st.builds(Price, quantities, words, words),
    words,
)
statements = st.builds(
    statement,
    as_of=st.integers(-(2**40), 2**40),
    lines=st.lists(lines, max_size=3).map(tuple),
    frequency=words,
    statement_id=words,
    encumbered=st.none() | st.booleans(),
    basis=st.sampled_from(Basis),
    completeness=st.sampled_from(Completeness),
    has_activity=st.booleans(),
    ends=st.booleans(),
    source_hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple),
)


@given(statements)
def test_a_statement_survives_being_written_and_read(made: StatementOfHoldings) -> None:
    assert decode_statement(encode_statement(made)) == made


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version":2}', encode_statement(statement())[:-1]])
def test_a_document_that_is_no_statement_is_refused(content: bytes) -> None:
    with pytest.raises(LedgerError, match="stored statement"):
        decode_statement(content)


def test_a_document_with_a_quantity_that_is_none_is_refused() -> None:
    content = encode_statement(statement()).replace(b'"aggregate":"5"', b'"aggregate":"five"')
    with pytest.raises(LedgerError, match="does not decode"):
        decode_statement(content)


def moved(shares: int = 10, **changes: object) -> CustodyMovement:
    made = CustodyMovement(LEI, "safe 1", "ref  1", MovementDirection.RECEIVED, shares, b"s" * 32, 50)
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_movement_comes_back_with_what_it_is_planned_for(journal: MovementJournal) -> None:
    planned = moved(2**64 - 1, parts=(PlannedPart(b"2" * 32, 4), PlannedPart(b"1" * 32, 2**63)))
    await journal.record(planned)
    assert await journal.get(b"s" * 32, planned.hash) == planned
    assert (planned.account, planned.reference) == ("SAFE 1", "REF 1")
    assert await journal.list(b"s" * 32) == (planned,)
    assert await journal.list(b"t" * 32) == ()
    assert await journal.get(b"t" * 32, planned.hash) is None


async def test_a_movement_recorded_again_learns_when_it_was_booked(journal: MovementJournal) -> None:
    await journal.record(moved(parts=(PlannedPart(b"1" * 32, 4),)))
    await journal.record(moved(booked_at=70, recorded_at=99))
    await journal.record(moved())
    assert await journal.list() == (moved(booked_at=70, parts=(PlannedPart(b"1" * 32, 4),)),)


@pytest.mark.parametrize("change", [{"shares": 11}, {"direction": MovementDirection.DELIVERED}, {"booked_at": 71}])
async def test_a_movement_that_says_something_else_is_a_conflict(
    journal: MovementJournal, change: dict[str, object]
) -> None:
    await journal.record(moved(booked_at=70))
    with pytest.raises(StoreConflict, match="in the journal as"):
        await journal.record(moved(**change))  # type: ignore[arg-type]
    assert await journal.list() == (moved(booked_at=70),)


async def test_a_reference_may_move_two_securities(journal: MovementJournal) -> None:
    await journal.record(moved())
    await journal.record(moved(7, security=b"t" * 32))
    assert [each.shares for each in await journal.list()] == [10, 7]


def test_parts_never_exceed_the_movement() -> None:
    with pytest.raises(AmountError, match="11 shares"):
        moved(parts=(PlannedPart(b"2" * 32, 10), PlannedPart(b"3" * 32, 1)))


ORDER = BookedOrder(b"a" * 32, b"s" * 32, b"h" * 32, OrderKind.REDEMPTION, 2**64 - 1, "o-1", 5)


async def test_an_order_is_booked_once(book: OrderBook) -> None:
    assert await book.record(ORDER) == ORDER
    assert await book.record(replace(ORDER, recorded_at=9)) == ORDER
    assert (await book.get(b"a" * 32), await book.list(b"s" * 32), await book.list(b"t" * 32)) == (ORDER, (ORDER,), ())


async def test_an_order_with_other_terms_is_a_conflict(book: OrderBook) -> None:
    await book.record(ORDER)
    with pytest.raises(StoreConflict, match="other terms"):
        await book.record(replace(ORDER, quantity=1))
    assert await book.list() == (ORDER,)


EVENT = KnownEvent(b"s" * 32, "ca-2026/17", 5)


async def test_an_event_is_known_by_one_spelling_for_each_security(event_book: EventBook) -> None:
    other = replace(EVENT, security=b"t" * 32)
    assert await event_book.record(EVENT) == EVENT
    assert await event_book.record(KnownEvent(b"s" * 32, " CA-2026/17", 9)) == EVENT
    assert await event_book.record(other) == other
    assert (await event_book.list(), await event_book.list(b"s" * 32)) == ((EVENT, other), (EVENT,))
    assert EVENT.event_id == "CA-2026/17"


def test_an_event_is_of_a_security() -> None:
    with pytest.raises(IdentifierError, match="32 bytes"):
        KnownEvent(b"s", "CA-1", 5)


async def fill(log: AuditLog) -> None:
    for number in range(3):
        await log.append(at=number, actor="operator", action="settle", subject=f"order {number}", details={"n": number})


async def test_the_audit_log_chains_what_was_done(log: AuditLog) -> None:
    assert await log.verify() == NO_PREVIOUS
    await fill(log)
    entries = await log.entries()
    assert [entry.document["subject"] for entry in entries] == ["order 0", "order 1", "order 2"]
    assert await log.verify() == entries[-1].hash
    assert [entry.previous for entry in entries] == [NO_PREVIOUS, *(entry.hash for entry in entries[:-1])]


@pytest.mark.parametrize("field", ["actor", "action", "subject"])
async def test_an_audit_entry_names_who_did_what_to_what(log: AuditLog, field: str) -> None:
    values = {"actor": "a", "action": "b", "subject": "c", field: ""}
    with pytest.raises(InputError, match="names an actor"):
        await log.append(at=1, **values)  # type: ignore[arg-type]
    assert await log.entries() == ()


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ("UPDATE audit SET content = replace(content, 'order 1', 'order 9') WHERE sequence = 2", 2),
        ("UPDATE audit SET content = CAST(replace(content, 'order 1', 'order 9') AS BLOB) WHERE sequence = 2", 2),
        ("DELETE FROM audit WHERE sequence = 1", 1),
        ("UPDATE audit SET sequence = 7 WHERE sequence = 3", 3),
        ("UPDATE audit SET previous = zeroblob(32) WHERE sequence = 3", 3),
    ],
)
async def test_a_changed_audit_log_is_found_out(store: Store, url: str, change: str, first: int) -> None:
    await fill(store.audit)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    with connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(LedgerError, match=f"entry {first} does not follow"):
        await store.audit.verify()
