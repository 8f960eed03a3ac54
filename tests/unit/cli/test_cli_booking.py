"""When the custodian booked a movement: asked for once, kept, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from cli_desk import Desk
from tallystick.adapters.clock import SystemClock
from tallystick.errors import InputError
from tallystick_cli.moments import parse_past
from tallystick_cli.render import instant_text
from test_cli_operations import statement_file
from typing_in import Typed


@pytest.fixture(scope="module")
def ordered(desk: Desk) -> Desk:
    """Twenty shares on a statement of a minute ago, attested; three orders of five."""
    type_ = desk.terminal.json
    type_("statement", "add", statement_file(desk.folder, "STMT-1", "20", ago=60))
    type_("attest", "tAAPL", "--yes")
    for number in (1, 2, 3):
        type_("order", "subscribe", "tAAPL", "anna", "5", "--reference", f"S-{number}", "--yes")
    return desk


def settle(desk: Desk, order: str, *more: object, movement: str = "TRF-1") -> Typed:
    words = ("--movement", movement, "--moved", "20", *more)
    return desk.terminal.type("order", "settle", "tAAPL", order, *words, "--yes", "--json")


def ago(seconds: int) -> str:
    return str(instant_text(SystemClock().now() - seconds))


def breaks(desk: Desk) -> list[Any]:
    [security] = desk.terminal.type("reconcile", "--json").document["securities"]
    return [each["kind"] for each in security["breaks"]]


def test_the_first_use_of_a_movement_needs_the_custodians_booking_time(ordered: Desk) -> None:
    before = ordered.transactions()
    typed = settle(ordered, "S-1", movement="TRF-8")
    assert typed.code == 2
    assert "TRF-8" in typed.document["error"]["message"]
    assert "--booked-at" in typed.document["error"]["next"]
    assert ordered.transactions() == before


@pytest.mark.parametrize("booked_at", ["+1h", "2h", "2999-01-01", "2999-01-01T00:00:00Z", "2026-01-01T00:00:00", "now"])
def test_what_cannot_be_a_booking_time_is_refused(ordered: Desk, booked_at: str) -> None:
    before = ordered.transactions()
    assert settle(ordered, "S-1", "--booked-at", booked_at, movement="TRF-8").code == 2
    assert ordered.transactions() == before


def test_a_redemption_needs_it_too(ordered: Desk) -> None:
    typed = ordered.terminal.type(
        "order", "settle-redemption", "tAAPL", "S-1", "--movement", "TRF-9", "--moved", "1", "--yes", "--json"
    )
    assert typed.code == 2
    assert "--booked-at" in typed.document["error"]["next"]


@pytest.fixture(scope="module")
def used(ordered: Desk) -> str:
    """The first of the movement's orders is settled; when the custodian had booked it."""
    booked_at = ago(3600)
    typed = settle(ordered, "S-1", "--booked-at", booked_at)
    assert typed.code == 0, typed.out
    return booked_at


def test_shares_that_are_on_the_statement_already_are_not_counted_twice(ordered: Desk, used: str) -> None:
    # The rest of the movement is not settled yet, and that is all there is to say.
    assert breaks(ordered) == ["PENDING_SETTLEMENT"]


def test_a_later_use_takes_it_from_the_journal(ordered: Desk, used: str) -> None:
    assert settle(ordered, "S-2").code == 0
    assert breaks(ordered) == ["PENDING_SETTLEMENT"]


def test_another_time_is_a_conflict_and_moves_nothing(ordered: Desk, used: str) -> None:
    before = ordered.transactions()
    typed = settle(ordered, "S-3", "--booked-at", ago(10))
    assert typed.code == 1
    assert "Conflict" in typed.document["error"]["message"]
    assert used in typed.document["error"]["message"]
    assert ordered.transactions() == before


def test_the_same_time_in_another_zone_is_the_same(ordered: Desk, used: str) -> None:
    assert settle(ordered, "S-3", "--booked-at", used.replace("Z", "+00:00")).code == 0


def test_a_date_is_its_end() -> None:
    assert parse_past("1970-01-02", 172_800) == 172_800
    with pytest.raises(InputError, match="later than now"):
        parse_past("1970-01-02", 172_799)
