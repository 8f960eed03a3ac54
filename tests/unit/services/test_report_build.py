"""A month's report is built once from chain and books, or it is said what stands in the way; nothing is hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from building_desk import BuildingDesk
from desk import ACCOUNT, ISIN, SHARE, statement
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Commitment, SignatureInfo
from tallystick.adapters.store.closes import StoredClose
from tallystick.adapters.store.reports import ReportApproval, ReportState
from tallystick.adapters.store.statements import StatementStatus
from tallystick.domain.canonical import canonical_json
from tallystick.domain.closes import DailyClose
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.document import read_report
from tallystick.errors import ConfigurationError, InputError, LedgerError, Refused, StoreConflict, TallystickError
from tallystick.services.report_declaration import declaration_content, parse_declaration
from tallystick.services.report_line import prove_lines

SEPTEMBER_LEFT_OUT = tuple(f"2026-09-{day:02d}" for day in range(1, 31) if day not in (21, 22))


@pytest.fixture
async def desk() -> BuildingDesk:
    made = BuildingDesk()
    await made.month()
    return made


async def refuse(desk: BuildingDesk, error: type[TallystickError], message: str, **arguments: Any) -> TallystickError:
    """The build is refused, and nothing that is kept changes."""
    before = await desk.reports()
    with pytest.raises(error, match=message) as caught:
        await desk.build(**arguments)
    assert await desk.reports() == before
    return caught.value


async def declare(desk: BuildingDesk, text: str) -> None:
    content = declaration_content(parse_declaration(text))
    await desk.books.declarations.declare(bytes(desk.issuer), 202609, content, desk.now)


def tampered(desk: BuildingDesk, close: DailyClose, **figures: Any) -> DailyClose:
    """The close with other figures of its security, in the place of the true one in the store."""
    [security] = close.securities
    other = replace(close, securities=(replace(security, **figures),))
    rows = desk.closes.rows[bytes(desk.issuer)]
    assert rows[-1].day == close.day
    rows[-1] = StoredClose(other.day, other.previous, other.hash, other.content)
    return other


async def test_a_month_makes_a_report(desk: BuildingDesk) -> None:
    built = await desk.build()
    document: Any = read_report(built.report.content)
    assert (built.report.state, built.report.version, built.is_changed) == (ReportState.DRAFT, 1, True)
    assert (built.missing_days, built.drawn_day) == (SEPTEMBER_LEFT_OUT, None)
    assert canonical_json(built.document) == built.report.content
    assert await desk.reports() == (built.report,)
    [row] = document["test"]
    assert (row["held"], row["required"], row["is_passed"]) == (str(510 * SHARE), str(500 * SHARE), True)
    assert document["header"]["as_of"]["day"] == "2026-09-22"
    assert document["holders"]["securities"][0]["holders"] == 3
    assert document["anchor"]["uri"] == "https://reports.example.com/2026-09/v1/report.json"
    [account] = document["assets"][0]["accounts"]
    assert (account["account"], account["settled"]) == (ACCOUNT.account, str(510 * SHARE))
    assert account["custodian"]["name"] == "Example Custody"


async def test_the_same_again_changes_nothing(desk: BuildingDesk) -> None:
    first = await desk.build()
    desk.warp(86_400)
    again = await desk.build()
    assert again.report == first.report
    assert not again.is_changed
    assert await desk.reports() == (first.report,)


async def test_other_books_with_the_same_content_make_the_same_bytes(desk: BuildingDesk) -> None:
    first, other = await desk.build(), BuildingDesk()
    desk.books = replace(desk.books, reports=other.books.reports)
    assert (await desk.build()).report.content == first.report.content


async def test_the_declared_file_is_in_the_report(desk: BuildingDesk) -> None:
    await declare(
        desk,
        f"""
        basis = "Ours"
        [[custodians]]
        lei = "{ACCOUNT.custodian_lei}"
        name = "Example Custody Ltd"
        liens = "none"
        [[prices]]
        isin = "{ISIN}"
        amount = "10"
        currency = "USD"
        source = "an exchange"
        at = 2026-09-22T20:00:00Z
        [[accounts]]
        isin = "{ISIN}"
        custodian = "{ACCOUNT.custodian_lei}"
        account = "{ACCOUNT.account}"
        in_transit = "2.5"
        [[lost]]
        isin = "{ISIN}"
        wallets = ["{desk["heir"]}"]
        [assertion]
        text = "We assert."
        [[assertion.officers]]
        name = "Jo Bell"
        title = "Chief Executive"
        """,
    )
    document: Any = read_report((await desk.build()).report.content)
    [assets], [tokens] = document["assets"], document["tokens"]
    [account] = assets["accounts"]
    assert document["header"]["basis"] == "Ours"
    assert (account["custodian"]["name"], account["custodian"]["liens"]) == ("Example Custody Ltd", "none")
    assert account["in_transit"] == str(2_500_000)
    assert (assets["price"]["amount"], assets["market_value"]["amount"]) == ("10", "5100")
    assert tokens["lost"] == str(7 * SHARE)
    assert document["assertion"]["asserted_by"] == [
        {"name": "Jo Bell", "title": "Chief Executive", "key": None, "signature": None}
    ]


async def test_what_is_booked_and_on_no_statement_stands_between_the_two() -> None:
    desk = BuildingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.attest(300 * SHARE)
    await desk.journal.record(desk.book("IN S-1", 300 * SHARE, desk.now))
    await desk.journal.record(desk.book("IN S-2", 40 * SHARE, desk.now))
    await desk.journal.record(desk.book("IN S-3", 5 * SHARE, desk.now + 10))
    desk.warp(20)
    await desk.end_day()
    await desk.journal.record(desk.book("IN S-4", 9 * SHARE, desk.now))
    desk.warp(9 * 86_400)
    await desk.anchor()
    document: Any = read_report((await desk.build()).report.content)
    assert document["assets"][0]["timing"] == [
        {
            "day": "2026-09-21",
            "account": ACCOUNT.account,
            "reference": reference,
            "amount": str(amount * SHARE),
            "kind": kind,
        }
        for reference, amount, kind in (
            ("IN S-2", -40, "PENDING_SETTLEMENT"),
            ("IN S-3", 5, "TIMING_ASOF"),
            ("IN S-3", -5, "PENDING_SETTLEMENT"),
        )
    ]


async def test_a_month_that_is_not_over_is_refused(desk: BuildingDesk) -> None:
    await refuse(desk, Refused, "2026-10 is not over: it is 2026-10-01", period=202610)


async def test_a_month_without_a_close_is_refused(desk: BuildingDesk) -> None:
    await refuse(desk, Refused, "No day of 2026-08 was closed", period=202608)


async def test_closes_that_are_not_on_chain_are_named() -> None:
    desk = BuildingDesk()
    await desk.begin()
    first, second = await desk.end_day(), await desk.end_day()
    desk.warp(8 * 86_400)
    error = await refuse(desk, Refused, f"not on chain yet: {first.day}, {second.day}")
    assert "tally report anchor-days" in str(error.hint)
    await desk.anchor(first)
    await refuse(desk, Refused, f"not on chain yet: {second.day}")
    await desk.anchor(second)
    assert (await desk.build()).is_changed


async def test_a_day_that_is_not_drawn_is_refused_unless_it_is_not_needed(desk: BuildingDesk) -> None:
    error = await refuse(desk, Refused, "not drawn", is_draw_needed=True)
    assert "tally report draw" in str(error.hint)
    built = await desk.build()
    second_look: Any = built.document["second_look"]
    assert "no second look" in second_look["words"]


async def test_a_close_that_is_missing_in_the_store_is_told(desk: BuildingDesk) -> None:
    del desk.closes.rows[bytes(desk.issuer)][-1]
    await refuse(desk, LedgerError, "stored closes up to 2026-09-22 do not give the running hash")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("supply", 499 * SHARE),
        ("minted", 1),
        ("burnt", 1),
        ("escrow", 1),
        ("redeemed", 1),
        ("required", 1),
        ("multiplier", 2 * 10**18),
        ("reserve", 509 * SHARE),
        ("reserve_as_of", 1),
        ("attestation", bytes(32)),
        ("holders", 2),
        ("register_root", bytes(32)),
    ],
)
async def test_a_figure_that_chain_and_close_do_not_share_stops_the_report(name: str, value: Any) -> None:
    desk = BuildingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.give("bob", 200 * SHARE, "s-2")
    await desk.give("alice", 10 * SHARE, "s-3")
    await desk.attest(510 * SHARE)
    made = await desk.end_day()
    true = getattr(made.securities[0], name)
    other = tampered(desk, made, **{name: value + 1 if name == "holders" else value})
    desk.warp(9 * 86_400)
    await desk.anchor(other)
    error = await refuse(desk, LedgerError, f"the .*{name.split('_')[-1]}.* is .* by the chain and .* by the close")
    for shown in (true, getattr(other.securities[0], name)):
        assert (shown.hex() if isinstance(shown, bytes) else str(shown)) in error.message


async def test_wallets_that_were_not_inventory_at_the_close_are_found(desk: BuildingDesk) -> None:
    desk.inventory = ("bob",)
    await refuse(desk, LedgerError, f"hold {200 * SHARE} raw units at the as-of; the close of 2026-09-22 has 0")


async def test_a_statement_that_the_close_rests_on_has_to_be_in_the_books(desk: BuildingDesk) -> None:
    desk.books = replace(desk.books, statements=BuildingDesk().books.statements)
    await refuse(desk, LedgerError, "rests on a statement of US0378331005 that is not in this store")


async def test_without_an_address_for_reports_there_is_none(desk: BuildingDesk) -> None:
    await refuse(desk, ConfigurationError, "where reports are published", uri="")


class Forgetful(MemoryChain):
    """A node that lists nothing of some addresses any more."""

    forgotten: frozenset[Pubkey] = frozenset()

    async def get_signatures_for_address(
        self,
        address: Pubkey,
        *,
        limit: int = 1000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = "confirmed",
    ) -> list[SignatureInfo]:
        if address in self.forgotten:
            return []
        return await super().get_signatures_for_address(
            address, limit=limit, before=before, until=until, commitment=commitment
        )


async def test_a_node_that_forgot_the_month_is_not_built_from(desk: BuildingDesk) -> None:
    chain = Forgetful(desk.chain.ledger)
    chain.forgotten = frozenset({desk.issuer, desk.security})
    error = await refuse(desk, Refused, "does not serve all of this month", chain=chain)
    assert "keeps the whole history" in str(error.hint)


async def test_the_register_that_was_kept_stands_in_for_a_node_that_forgot_the_holders(desk: BuildingDesk) -> None:
    served = (await desk.build()).report
    desk.books = replace(desk.books, reports=BuildingDesk().books.reports)
    await desk.move("bob", "heir", SHARE)
    chain = Forgetful(desk.chain.ledger)
    chain.forgotten = frozenset({desk.mint})
    assert (await desk.build(chain)).report.content == served.content
    desk.closes.registers.clear()
    await refuse(desk, Refused, "moved tokens since the as-of", chain=chain)


async def test_a_published_report_that_nothing_changes_stays_as_it_is(desk: BuildingDesk) -> None:
    published = await desk.publish((await desk.build()).report)
    again = await desk.build()
    assert again.report == published
    assert not again.is_changed
    await refuse(desk, Refused, "nothing to correct", reason="we were wrong")


async def test_what_would_change_a_published_report_takes_a_reason(desk: BuildingDesk) -> None:
    await desk.publish((await desk.build()).report)
    await declare(desk, 'basis = "Better said"')
    error = await refuse(desk, Refused, "2026-09 v1 is published, and 2 of its values would change now")
    assert 'the first is /declared/basis: "Quantities' in error.message
    assert 'would be "Better said"' in error.message
    assert "--correct" in str(error.hint)


async def test_a_correction_is_the_next_version_and_lists_what_changed(desk: BuildingDesk) -> None:
    published = await desk.publish((await desk.build()).report)
    await declare(desk, 'basis = "Better said"')
    built = await desk.build(reason="the basis was unclear")
    assert (built.report.version, built.report.state, built.is_changed) == (2, ReportState.DRAFT, True)
    assert await desk.reports() == (published, built.report)
    document: Any = read_report(built.report.content)
    corrects = document["header"]["corrects"]
    assert (corrects["version"], corrects["hash"]) == (1, published.digest.hex())
    assert corrects["reason"] == "the basis was unclear"
    assert [each["path"] for each in corrects["changes"]] == [
        "/anchor/account",
        "/anchor/uri",
        "/declared/basis",
        "/declared/uri",
        "/declared/version",
        "/header/basis",
        "/header/report_id",
    ]
    assert built.changes[2].after == '"Better said"'


async def test_a_correction_that_is_built_again_keeps_its_reason_and_its_bytes(desk: BuildingDesk) -> None:
    await desk.publish((await desk.build()).report)
    await declare(desk, 'basis = "Better said"')
    first = await desk.build(reason="the basis was unclear")
    again = await desk.build()
    assert (again.report, again.is_changed) == (first.report, False)
    await declare(desk, 'basis = "Said best"')
    third = await desk.build()
    assert (third.report.version, third.is_changed) == (2, True)
    document: Any = third.document
    assert document["header"]["corrects"]["reason"] == "the basis was unclear"


async def test_a_published_correction_is_found_unchanged_and_corrected_in_turn(desk: BuildingDesk) -> None:
    await desk.publish((await desk.build()).report)
    await declare(desk, 'basis = "Better said"')
    second = await desk.publish((await desk.build(reason="the basis was unclear")).report)
    again = await desk.build()
    assert (again.report, again.is_changed) == (second, False)
    await declare(desk, 'basis = "Said best"')
    third = await desk.build(reason="still unclear")
    document: Any = third.document
    assert (third.report.version, document["header"]["corrects"]["version"]) == (3, 2)


async def test_a_report_that_is_being_published_is_left_alone(desk: BuildingDesk) -> None:
    report = (await desk.build()).report
    name = (report.issuer, report.period, report.version, report.digest)
    await desk.books.reports.approve(*name, ReportApproval(b"k" * 32, b"s" * 64, desk.now))
    await desk.books.reports.begin_publication(*name)
    await declare(desk, 'basis = "Better said"')
    await refuse(desk, StoreConflict, "publishing")


async def test_there_is_nothing_to_correct_before_a_publication(desk: BuildingDesk) -> None:
    await refuse(desk, Refused, "no published report", reason="we were wrong")


async def test_lines_of_statements_are_proved_from_the_month_s_seed(desk: BuildingDesk) -> None:
    report = (await desk.build()).report
    document: Any = read_report(report.content)
    assert document["statements"]["lines"] == 3
    used = document["assets"][0]["accounts"][0]
    [proof] = await prove_lines(desk.books, report, ISIN, used["statement_id"])
    assert proof.proves(read_declared(document["declared"]).statements)
    assert await prove_lines(desk.books, report, ISIN, used["statement"][:8]) == (proof,)
    with pytest.raises(InputError, match="No line of"):
        await prove_lines(desk.books, report, ISIN, used["statement_id"], account="SAFE 2")


async def test_lines_are_not_proved_from_other_statements_than_the_report_s(desk: BuildingDesk) -> None:
    report = (await desk.build()).report
    await desk.statements.add(statement(1, 1_790_000_100, statement_id="LATE"))
    with pytest.raises(LedgerError, match="give the root"):
        await prove_lines(desk.books, report, ISIN, "LATE")
    assert (await desk.build()).is_changed


async def test_a_rejected_statement_that_a_close_rests_on_stays_in_the_tree(desk: BuildingDesk) -> None:
    report = (await desk.build()).report
    for each in await desk.statements.list():
        await desk.statements.decide(each.key, StatementStatus.REJECTED, "withdrawn")
    again = await desk.build()
    document: Any = again.document
    assert again.is_changed
    assert [each["lines"] for each in document["statements"]["statements"]] == [1, 1]
    assert report.digest != again.report.digest


async def test_a_wallet_is_not_inventory_and_lost_at_once() -> None:
    desk = BuildingDesk()
    desk.inventory = ("bob",)
    await desk.month()
    await declare(desk, f'[[lost]]\nisin = "{ISIN}"\nwallets = ["{desk["bob"]}"]')
    await refuse(desk, InputError, "is inventory of US0378331005 in the profile, and lost")
