"""A statement in pages is usable only when all of them are there and belong together."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from custody_material import PROFILE, RECEIVED, STATEMENT, comparable, xml
from tallystick.adapters.custody.errors import (
    DuplicateHolding,
    DuplicateStatement,
    IncompleteStatement,
    MalformedStatement,
    WrongAccount,
)
from tallystick.adapters.custody.reader import join_pages, read_statement
from tallystick.adapters.custody.samples import split_pages
from tallystick.domain.canonical import sha256
from tallystick.domain.holdings import Basis, StatementOfHoldings, statement_hash
from tallystick.errors import InputError

FILES = [xml(page) for page in split_pages(STATEMENT, 1)]
PAGES = [read_statement(data, PROFILE, RECEIVED + number) for number, data in enumerate(FILES)]


def test_pages_in_any_order_make_the_statement() -> None:
    for order in permutations(PAGES):
        whole = join_pages(order)
        assert whole.is_whole
        assert whole.last_page == 3
        assert comparable(replace(whole, last_page=1, received_at=RECEIVED)) == STATEMENT
        assert whole.source_hashes == tuple(sha256(data) for data in FILES)
        assert whole.received_at == RECEIVED + 2


def test_a_joined_statement_has_the_hash_of_the_undivided_one() -> None:
    undivided = read_statement(xml(), PROFILE, RECEIVED)
    for line in STATEMENT.lines:
        assert statement_hash(join_pages(PAGES), line.isin) == statement_hash(undivided, line.isin)


def test_joining_a_whole_statement_changes_nothing() -> None:
    whole = read_statement(xml(), PROFILE, RECEIVED)
    assert join_pages([whole]) == whole


def test_a_page_alone_is_not_whole() -> None:
    assert not any(page.is_whole for page in PAGES)


@pytest.mark.parametrize("missing", range(3))
def test_a_missing_page_is_named(missing: int) -> None:
    rest = [page for number, page in enumerate(PAGES) if number != missing]
    expected = f"Page {missing + 1} of" if missing < 2 else "No page is marked as the last"
    with pytest.raises(IncompleteStatement, match=expected):
        join_pages(rest)


def test_no_page_at_all_is_refused() -> None:
    with pytest.raises(IncompleteStatement):
        join_pages([])


def test_a_page_twice_is_refused() -> None:
    with pytest.raises(DuplicateStatement, match="Page 2 of the statement was given twice"):
        join_pages([*PAGES, PAGES[1]])


def test_a_page_behind_the_last_is_refused() -> None:
    with pytest.raises(DuplicateStatement, match="Page 2 is marked as the last"):
        join_pages([PAGES[0], replace(PAGES[1], ends=True), PAGES[2]])


@pytest.mark.parametrize(
    ("page", "error"),
    [
        (replace(PAGES[1], account="ACC-2"), WrongAccount),
        (replace(PAGES[1], custodian_lei="529900T8BM49AURSDO55"), WrongAccount),
        (replace(PAGES[1], as_of=PAGES[1].as_of + 1), MalformedStatement),
        (replace(PAGES[1], statement_id="OTHER"), MalformedStatement),
        (replace(PAGES[1], basis=Basis.TRADED), MalformedStatement),
        (replace(PAGES[1], encumbered=True), MalformedStatement),
        (replace(PAGES[1], format="semt.002.001.10"), MalformedStatement),
        (replace(PAGES[1], lines=PAGES[0].lines), DuplicateHolding),
    ],
)
def test_pages_that_do_not_belong_together_are_refused(
    page: StatementOfHoldings, error: type[MalformedStatement]
) -> None:
    with pytest.raises(error):
        join_pages([PAGES[0], page, PAGES[2]])


def test_a_page_has_at_least_one_line() -> None:
    with pytest.raises(InputError):
        split_pages(STATEMENT, 0)
