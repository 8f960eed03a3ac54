"""The report's document: what it says of the sample, that its declaration is read back, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from report_sample import LEI, SHARE, sample_declared, sample_facts, sample_register, sample_report
from solders.pubkey import Pubkey
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.activity import nearest_rank
from tallystick.domain.reserve_report.codec import declared_document, read_declared
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.document import build_document, read_report, report_bytes
from tallystick.domain.reserve_report.facts import ReportFacts, SecurityFacts
from tallystick.domain.reserve_report.values import ratio, report_account
from tallystick.errors import InputError
from tallystick.program.generated.pdas import report_address


def sample() -> Any:
    """The sample's document as plain JSON."""
    return json.loads(sample_report()[0])


def rows(section: str) -> dict[str, Any]:
    """The rows of a section by ticker."""
    return {row["ticker"]: row for row in sample()[section]}


def test_the_same_inputs_make_the_same_bytes() -> None:
    assert sample_report()[0] == sample_report()[0]


def test_its_bytes_are_those_of_another_implementation_of_rfc_8785() -> None:
    content = sample_report()[0]
    assert content == rfc8785.dumps(json.loads(content))


def test_what_is_declared_is_read_back_exactly() -> None:
    declared = sample_declared()
    assert read_declared(json.loads(canonical_json(declared_document(declared)))) == declared


def test_a_report_is_named_by_issuer_month_and_version() -> None:
    header = sample()["header"]
    assert (header["report_id"], header["period"], header["version"]) == (f"{LEI}-2026-10-v2", "2026-10", 2)


def test_the_test_is_told_in_words() -> None:
    assert rows("test")["ALPA"]["words"] == "pass: 90 shares held for 90 required, none missing"


def test_a_missing_share_fails_the_test_in_words() -> None:
    declared = sample_declared()
    declared = replace(declared, timing=(replace(declared.timing[0], amount=-6 * SHARE),))
    row = build_document(sample_facts(), declared)["test"][1]  # type: ignore[index]
    assert row["words"] == "not passed: 89 shares held for 90 required, 1 missing"  # type: ignore[call-overload,index]


def test_a_security_of_which_there_are_no_tokens_needs_no_statement() -> None:
    """GAMC was listed, and no custodian has told of it yet."""
    facts, declared = sample_facts(), sample_declared()
    *others, last = declared.closes
    parts = (replace(each, statements=()) if each.isin == "US5949181045" else each for each in last.securities)
    declared = replace(declared, closes=(*others, replace(last, securities=tuple(parts))))
    nothing = replace(facts, securities=tuple(emptied(each) for each in facts.securities))
    words = [row_of(one, declared)["words"] for one in (nothing, facts)]
    assert words == [
        "pass: there are no tokens, and no shares are required",
        "not passed: the close rests on no custodian's statement, and 25 shares are required",
    ]
    assert [row_of(one, declared)["is_passed"] for one in (nothing, facts)] == [True, False]


def emptied(security: SecurityFacts) -> SecurityFacts:
    if security.ticker != "GAMC":
        return security
    return replace(security, as_of=replace(security.as_of, minted=0, burnt=0))


def row_of(facts: ReportFacts, declared: Declared) -> dict[str, Any]:
    document: Any = build_document(facts, declared)
    return next(each for each in document["test"] if each["ticker"] == "GAMC")


@pytest.mark.parametrize("ticker", ["ALPA", "BETB", "GAMC"])
def test_the_roll_forward_adds_up_in_tokens_and_in_shares(ticker: str) -> None:
    row = {name: int(value) for name, value in rows("roll_forward")[ticker].items() if str(value).lstrip("-").isdigit()}
    assert row["opening"] + row["minted"] - row["corrected"] - row["burnt"] == row["closing"]
    shares = row["opening_shares"] + row["minted_shares"] - row["corrected_shares"] - row["burnt_shares"]
    assert shares + row["multiplier_effect_shares"] + row["rounding_shares"] == row["closing_shares"]


def test_a_split_is_the_effect_of_the_multiplier_and_its_odd_unit_is_rounding() -> None:
    row = rows("roll_forward")["BETB"]
    assert (row["multiplier_effect_shares"], row["rounding_shares"]) == ("47000001", "-1")


def test_tokens_are_redeemable_less_inventory_lost_and_frozen_ones() -> None:
    row = rows("tokens")["ALPA"]
    parts = [row[name] for name in ("supply", "inventory_total", "lost", "frozen", "redeemable")]
    assert parts == ["90000000", "7000000", "2000000", "18000000", "63000000"]


def test_the_register_of_the_sample_is_the_supply() -> None:
    assert {str(sample_register(row["isin"]).total) for row in sample()["tokens"]} == {
        row["supply"] for row in sample()["tokens"]
    }


def test_what_was_not_paid_is_unclaimed() -> None:
    distribution = sample()["corporate_actions"][1]["distributions"][0]
    assert distribution["unclaimed"] == "1500"


def test_days_that_were_left_out_are_named() -> None:
    facts, declared = sample_facts(), sample_declared()
    facts = replace(
        facts,
        moments=facts.moments[-2:],
        securities=tuple(replace(each, days=each.days[-2:]) for each in facts.securities),
        opening=facts.moments[-3],
    )
    declared = replace(declared, opening=declared.closes[-3], closes=declared.closes[-2:])
    days: Any = build_document(facts, declared)["days"]
    assert (days["count"], len(days["left_out"]), days["left_out"][-1]) == (2, 29, "2026-10-30")


def test_a_day_that_was_not_closed_has_no_second_look() -> None:
    facts = sample_facts()
    assert facts.draw is not None
    facts = replace(facts, draw=replace(facts.draw, drawn_day=0))
    words = build_document(facts, sample_declared())["second_look"]["words"]  # type: ignore[index,call-overload]
    assert words == "No day of this month was drawn on chain, so there is no second look."


@pytest.mark.parametrize(
    ("values", "percent", "expected"), [([], 50, None), ([7], 95, 7), ([4, 1, 3, 2], 50, 2), (list(range(20)), 95, 18)]
)
def test_a_percentile_is_the_nearest_rank(values: list[int], percent: int, expected: int | None) -> None:
    assert nearest_rank(values, percent) == expected


@pytest.mark.parametrize(
    ("held", "required", "expected"),
    [(90, 90, "1.000000"), (2, 3, "0.666666"), (-1, 3, "-0.333334"), (-4, 3, "-1.333334"), (5, 0, None)],
)
def test_a_ratio_has_six_places_and_is_rounded_down(held: int, required: int, expected: str | None) -> None:
    assert ratio(held, required) == expected


@pytest.mark.parametrize("version", [1, 2, 7, 65_535])
def test_the_account_of_a_report_is_the_programs(version: int) -> None:
    program, issuer = Pubkey.from_bytes(b"\7" * 32), Pubkey.from_bytes(b"\5" * 32)
    expected = report_address(issuer, 202610, version, program_id=program)
    assert report_account(bytes(program), bytes(issuer), 202610, version) == bytes(expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not a report"),
        (b"[]", "format"),
        (b'{"format":"x"}', "format"),
        (b'{"format":"tallystick reserve report","format_version":2}', "version 2"),
        (b'{"format":"tallystick reserve report","format_version":true}', "version True"),
        (b'{ "format":"tallystick reserve report","format_version":1}', "canonical form"),
    ],
)
def test_what_is_no_report_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_report(content)


def test_a_report_is_read_as_it_was_written() -> None:
    content = sample_report()[0]
    assert report_bytes(read_report(content)) == content


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("version",), "2", "/declared/version: expected an integer"),
        (("version",), True, "/declared/version: expected an integer"),
        (("holdings", 0, "settled"), 60, "/declared/holdings/0/settled: expected an integer as decimal text"),
        (("holdings", 0, "settled"), "060", "/declared/holdings/0/settled: expected an integer as decimal text"),
        (("holdings", 0, "is_encumbered"), 0, "/declared/holdings/0/is_encumbered: expected true or false"),
        (("holdings", 0, "statement_hash"), "AA", "/declared/holdings/0/statement_hash: expected 32 bytes in hex"),
        (("wallets", 0, "lost", 0), "0OIl", "/declared/wallets/0/lost/0: expected 32 bytes in base 58"),
        (("breaks",), {}, "/declared/breaks: expected a list"),
        (("assertion",), [], "/declared/assertion: expected an object"),
        (("closes", "contents", 3, "slot"), 1, "/declared/closes"),
        (("surprise",), 1, "/declared/surprise is not known"),
    ],
)
def test_a_declaration_that_is_not_as_it_is_written_is_refused(place: tuple[Any, ...], value: Any, words: str) -> None:
    document: Any = json.loads(canonical_json(declared_document(sample_declared())))
    holder = document
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    with pytest.raises(InputError, match=words):
        read_declared(document)


def test_a_declaration_without_a_field_is_refused() -> None:
    document: Any = json.loads(canonical_json(declared_document(sample_declared())))
    del document["holdings"][1]["account"]
    with pytest.raises(InputError, match="/declared/holdings/1/account is missing"):
        read_declared(document)


def test_figures_of_other_moments_are_refused() -> None:
    facts = sample_facts()
    with pytest.raises(InputError, match="moments"):
        build_document(replace(facts, moments=facts.moments[1:]), sample_declared())
