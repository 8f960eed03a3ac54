"""The demo does what it tells, leaves what it names, and replaces only what it wrote itself."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tallystick.domain.closes import NO_PREVIOUS, parse_close
from tallystick.program.artifacts import PROGRAM, checksums
from tallystick.services.dividend_statements import verify_statement
from tallystick_cli.demo.cluster import AFTER_MIDNIGHT, DAY, first_morning
from tallystick_cli.demo.reporting import DRAW_SECONDS
from tallystick_cli.profile import read_profile
from test_cli_help import ALL, options_of
from typing_in import Terminal, Typed


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Typed]:
    folder = tmp_path_factory.mktemp("demo") / "output"
    return folder, Terminal(folder / "unused.toml").type("demo", "--output", folder, "--json")


def test_the_demo_ends_well_with_one_json_document(told: tuple[Path, Typed]) -> None:
    _, typed = told
    assert typed.code == 0, typed.err
    assert typed.document["first_reconciliation_is_clean"]


def test_the_second_statement_is_short_by_ten_shares(told: tuple[Path, Typed]) -> None:
    [found] = told[1].document["second_reconciliation_breaks"]
    assert (found["kind"], found["instrument"], found["amount"]) == ("QUANTITY_SHORT", "US0378331005", 10 * 10**8)


def test_three_attacks_are_refused_by_the_program_in_its_own_words(told: tuple[Path, Typed]) -> None:
    reserve, movement, holder = (each["program"] for each in told[1].document["refusals"])
    assert "ReserveExceeded" in reserve
    assert "MovementExceeded" in movement
    assert "AccountNotInitialized" in holder


def test_what_the_programs_words_do_not_say_the_demo_says_in_plain_ones(told: tuple[Path, Typed]) -> None:
    meanings = [each["meaning"] for each in told[1].document["refusals"]]
    assert meanings[:2] == ["", ""]
    assert "compliance has not approved this wallet" in meanings[2]
    assert meanings[2] in " ".join(told[1].err.split())


def test_the_dividend_reaches_whom_it_can_and_names_why_it_leaves_the_others(told: tuple[Path, Typed]) -> None:
    dividend = told[1].document["dividend"]
    assert (dividend["holders"], dividend["paid_by_push"], dividend["paid_by_claim"]) == (500, 490, 2)
    assert {each["code"]: each["entries"] for each in dividend["left_by_push"]} == {
        "suspended": 1,
        "frozen_holder": 1,
        "program_owned": 3,
        "frozen_account": 1,
        "missing": 3,
        "reowned": 1,
    }
    # Nine had no account for dollars, and the cap on rent is enough for six.
    assert (dividend["accounts_opened"], dividend["rent_lamports"]) == (6, 6 * 2_039_280)
    assert dividend["fee_lamports"] == dividend["transactions"] * 5_000


def test_the_dividends_units_are_all_found_again_on_chain(told: tuple[Path, Typed]) -> None:
    dividend = told[1].document["dividend"]
    counted = {name: Decimal(amount) for name, amount in dividend["on_chain"].items()}
    assert (counted["holders"], counted["paid_holders"]) == (500, 492)
    assert counted["holders_have"] + counted["escrow_has"] == counted["funded"] == Decimal("19.89")
    assert counted["supply_of_dollars"] == Decimal(dividend["total"]) == Decimal("19.89")
    left = sum(Decimal(each["amount"]) for each in dividend["left_by_push"])
    assert dividend["sent_again"]["escrow_after"] == str(left)


def test_a_batch_that_is_sent_again_pays_nobody(told: tuple[Path, Typed]) -> None:
    again = told[1].document["dividend"]["sent_again"]
    assert again["bits_before"] == again["bits_after"]
    assert again["escrow_before"] == again["escrow_after"]
    assert again["payments_asked_again"] == int(again["bits_after"], 16).bit_count() > 40


def test_what_the_dividend_refuses_is_refused_for_its_own_reason(told: tuple[Path, Typed]) -> None:
    unconfirmed, other, suspended, frozen = (each["said"] for each in told[1].document["dividend"]["refused"])
    assert "confirmed no cash" in unconfirmed
    assert "is of the event CA-2026-29, not of CA-2026-30" in other
    assert "emma was suspended" in suspended
    assert "heidi cannot be paid: its token account is frozen" in frozen


def test_the_statement_it_leaves_is_of_a_payment_that_was_made(told: tuple[Path, Typed]) -> None:
    statement = json.loads((told[0] / "dividend-carla.json").read_bytes())
    assert verify_statement(statement) == ()
    assert statement["payment"]["root"] == told[1].document["dividend"]["root"]
    # Five of them were in escrow at the record date, and count as hers.
    assert Decimal(statement["position"]["tokens"]) == Decimal("7.57645001")
    assert statement["payment"]["is_paid"]


def test_every_file_that_the_demo_names_is_there(told: tuple[Path, Typed]) -> None:
    assert [name for name, path in told[1].document["files"].items() if not Path(path).exists()] == []


def test_the_closes_file_is_the_close_whose_hash_was_told_and_names_the_packaged_program(
    told: tuple[Path, Typed],
) -> None:
    folder, typed = told
    close = parse_close((folder / "close-day-1.json").read_bytes(), NO_PREVIOUS)
    assert close.hash.hex() == typed.document["close"]
    assert close.program_hash.hex() == checksums()[PROGRAM]
    assert sorted(each.supply for each in close.securities) == [60 * 10**8, 80 * 10**8, 90 * 10**8]


def test_the_report_leaves_no_day_of_the_month_out_and_looks_at_one_of_them_twice(told: tuple[Path, Typed]) -> None:
    report = json.loads(Path(told[1].document["report"]["page"]).with_name("report.json").read_bytes())
    assert report["days"]["left_out"] == []
    assert report["days"]["count"] == len(report["backing"]) >= 28
    assert [row["is_passed"] for row in report["second_look"]["test"]] == [True] * 3
    # Two purchases on the way, and one redemption on the first day.
    assert [row["fills"]["mint"] for row in report["roll_forward"]] == [5, 2, 2]


def test_the_reconciliations_are_written_as_told(told: tuple[Path, Typed]) -> None:
    clean, broken = (json.loads((told[0] / f"reconciliation-day-{day}.json").read_bytes()) for day in (1, 2))
    assert (clean["is_clean"], broken["is_clean"]) == (True, False)


def test_the_profile_it_leaves_is_complete(told: tuple[Path, Typed]) -> None:
    profile = read_profile(told[0] / "profile.toml")
    assert profile.issuer.address
    assert [each.symbol for each in profile.securities] == ["tAAPL", "tMSFT", "tNVDA"]
    assert len(profile.keys.attestors) == 3


def test_every_command_line_that_the_demo_tells_exists(told: tuple[Path, Typed]) -> None:
    by_path = dict(ALL)
    for line in told[1].document["commands"]:
        program, *words = shlex.split(line)
        names = next(tuple(words[:size]) for size in (3, 2, 1) if tuple(words[:size]) in by_path)
        assert program == "tally"
        assert {word for word in words if word.startswith("--")} - options_of(by_path[names]) == set(), line


def instant_of(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        ("2026-12-01T00:00:00Z", "2026-10-01T08:00:00Z"),
        ("2026-12-01T00:59:59Z", "2026-10-01T08:00:00Z"),
        ("2026-12-01T01:00:00Z", "2026-11-01T08:00:00Z"),
        ("2026-12-31T23:59:59Z", "2026-11-01T08:00:00Z"),
        ("2027-01-01T00:00:10Z", "2026-11-01T08:00:00Z"),
        ("2027-03-01T00:01:00Z", "2027-01-01T08:00:00Z"),
        ("2027-03-31T12:00:00Z", "2027-02-01T08:00:00Z"),
        ("2028-03-01T01:00:00Z", "2028-02-01T08:00:00Z"),
    ],
)
def test_the_demo_begins_with_the_newest_month_that_ended_an_hour_ago(now: str, begins: str) -> None:
    assert first_morning(instant_of(now)) == instant_of(begins)


@pytest.mark.parametrize("seconds", [0, 1, AFTER_MIDNIGHT, 3_599, 3_600, 12 * 3_600, 31 * DAY])
def test_the_demos_cluster_is_never_ahead_of_the_machine(seconds: int) -> None:
    now = instant_of("2026-12-01T00:00:00Z") + seconds
    # The story moves it over the month's last midnight, and on until a day is drawn.
    first = datetime.fromtimestamp(first_morning(now), UTC)
    over = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC).timestamp()
    assert over + AFTER_MIDNIGHT + DRAW_SECONDS < now


def test_a_folder_that_is_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    typed = Terminal(tmp_path / "unused.toml").type("demo", "--output", tmp_path)
    assert typed.code == 2
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
