"""Corporate actions, typed: two keys of one profile, ids that people know, and nothing signed that would be refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cli_desk import Desk
from tallystick.errors import AmountError, InputError
from tallystick.program.generated.types import ActionKind
from tallystick_cli.profile import read_profile
from tallystick_cli.terms import parse_currency, parse_gross, parse_kind, parse_percent, parse_ratio
from typing_in import Terminal, Typed

DAY = 86_400
SPLIT = ("--kind", "forward-split", "--ratio", "4:1")


@pytest.fixture(scope="module")
def acting(desk: Desk) -> Desk:
    """Both corporate actions keys of the profile in force, and a notice as a file."""
    desk.terminal.json("issuer", "role", "grant", "corporate-actions", "--yes")
    desk.warp(2)
    notice(desk).write_bytes(b"notice of the split")
    return desk


def notice(desk: Desk) -> Path:
    return desk.folder / "notice.xml"


def announce(desk: Desk, event: str, *words: object) -> Typed:
    return desk.terminal.type(
        "action", "announce", "tAAPL", event, *words, "--evidence", notice(desk), "--yes", "--json"
    )


def announced(desk: Desk, event: str, *words: object) -> None:
    typed = announce(desk, event, *words)
    assert typed.code == 0, typed.out + typed.err


def act(desk: Desk, verb: str, event: str, *words: object) -> Typed:
    return desk.terminal.type("action", verb, "tAAPL", event, *words, "--yes", "--json")


def test_a_split_is_announced_approved_executed_and_shown_under_the_custodians_id(acting: Desk) -> None:
    terminal = acting.terminal
    typed = announce(acting, "ca-2026/17", *SPLIT, "--effective", "2d")
    assert typed.code == 0, typed.out + typed.err
    assert (typed.document["event"], typed.document["version"]) == ("CA-2026/17", "1")
    for verb in ("approve", "execute"):
        done = act(acting, verb, "CA-2026/17")
        assert done.code == 0, done.out + done.err
    [listed] = terminal.json("action", "list", "tAAPL")["actions"]
    assert (listed["event"], listed["ratio"], listed["state"], listed["code"]) == (
        "CA-2026/17",
        "4:1",
        "pending",
        "SPLF",
    )
    assert listed["announcer"] != listed["approver"]
    assert listed["evidence_hash"] == hashlib.sha256(notice(acting).read_bytes()).hexdigest()
    shown = terminal.json("action", "show", "tAAPL", "CA-2026/17")
    assert (shown["effect"]["multiplier_before"], shown["effect"]["multiplier_after"]) == ("1", "4")
    security = terminal.json("security", "show", "tAAPL")
    assert (security["multiplier"], security["pending_multiplier"]) == ("1", "4")
    acting.warp(2 * DAY)
    assert terminal.json("action", "show", "tAAPL", "CA-2026/17")["state"] == "in effect"
    assert terminal.json("security", "show", "tAAPL")["multiplier"] == "4"
    assert terminal.json("reconcile")["is_clean"]


def test_steps_that_were_done_sign_nothing_again(acting: Desk) -> None:
    before = acting.transactions()
    for verb in ("approve", "execute"):
        assert act(acting, verb, "CA-2026/17").document["transactions"] == []
    assert acting.transactions() == before


def test_a_correction_finds_the_newest_version_by_itself(acting: Desk) -> None:
    announced(acting, "CA-2", *SPLIT, "--effective", "3d")
    typed = announce(acting, "CA-2", "--kind", "SPLF", "--ratio", "3:1", "--effective", "3d")
    assert typed.code == 1
    assert "--corrects" in typed.document["error"]["next"]
    corrected = announce(acting, "CA-2", "--kind", "SPLF", "--ratio", "3:1", "--effective", "3d", "--corrects")
    assert corrected.document["version"] == "2"
    versions = acting.terminal.json("action", "show", "tAAPL", "CA-2")["versions"]
    assert [(each["version"], each["status"]) for each in versions] == [(1, "replaced"), (2, "announced")]
    first = acting.terminal.json("action", "show", "tAAPL", "CA-2", "--version", 1)
    assert (first["version"], first["ratio"], first["state"]) == (1, "4:1", "replaced")


def test_an_action_that_was_cancelled_is_listed_only_with_all(acting: Desk) -> None:
    announced(acting, "CA-3", "--kind", "reverse-split", "--ratio", "1:2", "--effective", "3d")
    done = act(acting, "cancel", "CA-3", "--reason", "withdrawn", "--by", "guardian")
    assert done.code == 0, done.out + done.err
    events = [each["event"] for each in acting.terminal.json("action", "list")["actions"]]
    everything = [(each["event"], each["state"]) for each in acting.terminal.json("action", "list", "--all")["actions"]]
    assert "CA-3" not in events
    assert ("CA-3", "cancelled") in everything


def test_cash_is_kept_to_the_last_place_and_tax_in_basis_points(acting: Desk) -> None:
    announced(
        acting,
        "CA-4",
        *("--kind", "DVCA", "--gross", "0.240000000000000001", "--currency", "usd", "--withholding", "12.5%"),
        *("--ex", "2026-11-09T14:30:00Z", "--record", "2026-11-10", "--pay", "2026-11-13"),
    )
    shown = acting.terminal.json("action", "show", "tAAPL", "CA-4")
    assert (shown["gross_per_share"], shown["currency"], shown["withholding"]) == (
        "0.240000000000000001",
        "USD",
        "12.5%",
    )
    assert (shown["record_at"], shown["pay_at"]) == ("2026-11-11T00:00:00Z", "2026-11-14T00:00:00Z")
    assert (shown["effect"], shown["effective_at"]) == (None, None)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*SPLIT, "--effective", "1h"), 1, "earliest effective time"),
        (("--kind", "SPLF", "--ratio", "51:1", "--effective", "3d"), 1, "larger change"),
        (("--kind", "SPLF", "--ratio", "1:4", "--effective", "3d"), 2, "makes no more shares"),
        (("--kind", "rights", "--effective", "3d"), 2, "no kind"),
        (("--kind", "DVCA", "--gross", "0.24", "--currency", "USD"), 2, "record time"),
        ((*SPLIT, "--effective", "someday"), 2, "no moment"),
    ],
)
def test_what_would_be_refused_signs_nothing(acting: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    before = acting.transactions()
    typed = announce(acting, "CA-5", *words)
    assert (typed.code, acting.transactions()) == (code, before)
    assert said in json.dumps(typed.document["error"])
    assert "CA-5" not in acting.terminal.type("action", "list", "--all", "--json").out


def test_the_announcers_key_does_not_approve_and_another_notice_neither(acting: Desk, tmp_path: Path) -> None:
    announced(acting, "CA-6", *SPLIT, "--effective", "3d")
    own = act(acting, "approve", "CA-6", "--key", 1)
    assert (own.code, "cannot approve" in own.out) == (1, True)
    other = tmp_path / "other.xml"
    other.write_text("another notice")
    compared = act(acting, "approve", "CA-6", "--evidence", other)
    assert (compared.code, "SHA-256" in compared.out) == (1, True)
    assert act(acting, "approve", "CA-6", "--evidence", notice(acting)).code == 0


def test_an_event_that_nobody_announced_and_a_version_there_is_not_are_named(acting: Desk) -> None:
    for words, said in ((("CA-99",), "Nothing was announced"), (("CA-6", "--version", "7"), "no version 7")):
        typed = acting.terminal.type("action", "show", "tAAPL", *words)
        assert typed.code == 1
        assert said in typed.err


def test_lists_and_details_can_be_looked_at(acting: Desk) -> None:
    for words in (
        ("action", "list", "--all"),
        ("action", "show", "tAAPL", "CA-2026/17"),
        ("action", "show", "tAAPL", "CA-2"),
        ("action", "show", "tAAPL", "CA-4"),
        ("security", "show", "tAAPL"),
    ):
        typed = acting.terminal.type(*words)
        assert (typed.code, typed.err) == (0, ""), words
    assert "CA-2026/17" in acting.terminal.type("action", "list", "--all").out


def test_a_security_is_retired_by_its_delisting_alone(acting: Desk) -> None:
    terminal = acting.terminal
    none = terminal.type("security", "retire", "tAAPL", "--yes")
    assert (none.code, "No delisting" in none.err) == (1, True)
    announced(acting, "CA-7", "--kind", "delisting", "--effective", "2d")
    assert act(acting, "approve", "CA-7").code == 0
    early = terminal.type("security", "retire", "tAAPL", "--yes")
    assert (early.code, "takes effect at" in early.err) == (1, True)
    acting.warp(2 * DAY)
    assert terminal.json("security", "retire", "tAAPL", "--yes")["transactions"]
    assert terminal.json("security", "retire", "tAAPL", "--yes")["transactions"] == []
    assert terminal.json("security", "show", "tAAPL")["status"] == "retired"


@pytest.mark.parametrize(
    ("text", "ratio"), [("4:1", (4, 1)), ("1/500", (1, 500)), ("1.05:1", (21, 20)), ("4 : 2", (2, 1))]
)
def test_a_ratio_is_new_to_old_in_lowest_terms(text: str, ratio: tuple[int, int]) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize("text", ["4", "4:0", "0:1", "4:1:1", "a:b", "-4:1", "1e3:1", "", f"{2**64}:1"])
def test_a_ratio_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_ratio(text)


def test_kinds_have_a_name_and_a_code() -> None:
    assert parse_kind("SPLR") is parse_kind("reverse-split") is parse_kind("Reverse_Split") is ActionKind.REVERSE_SPLIT


def test_tax_and_cash_are_exact_or_refused() -> None:
    assert (parse_percent("15%"), parse_percent("0.01"), parse_gross("0.24")) == (1_500, 1, 24 * 10**16)
    for text in ("0.001%", "15 percent", "-1%"):
        with pytest.raises(AmountError):
            parse_percent(text)
    with pytest.raises(InputError):
        parse_percent("101%")
    with pytest.raises(InputError):
        parse_currency("US")


def test_a_profile_names_one_corporate_actions_key_or_several(tmp_path: Path) -> None:
    for written, read in (('"a.json"', ("a.json",)), ('["a.json", "b.json"]', ("a.json", "b.json")), ('""', ())):
        (tmp_path / "p.toml").write_text(f"[keys]\ncorporate_actions = {written}\n")
        assert read_profile(tmp_path / "p.toml").keys.corporate_actions == read


def test_init_makes_two_corporate_actions_keys(terminal: Terminal) -> None:
    terminal.init("http://127.0.0.1:8899")
    assert len(read_profile(terminal.profile).keys.corporate_actions) == 2
