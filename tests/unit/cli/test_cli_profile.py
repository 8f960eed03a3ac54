"""The profile: what is written is read back, and what is wrong is named with its place."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.errors import ConfigurationError, InputError
from tallystick_cli.context import Tally
from tallystick_cli.moments import parse_moment
from tallystick_cli.profile import profile_path, profile_text, read_profile, wallet_name, write_profile
from typing_in import ACCOUNT, CUSTODIAN_LEI, ISSUER_LEI, Terminal

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
PLAIN = st.one_of(TEXT, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.lists(TEXT, max_size=3))
TABLE = st.dictionaries(TEXT, PLAIN, max_size=4)
DOCUMENT = st.dictionaries(
    TEXT,
    st.one_of(PLAIN, TABLE, st.dictionaries(TEXT, TABLE, max_size=2), st.lists(TABLE, min_size=1, max_size=3)),
    max_size=5,
)


def document() -> dict[str, Any]:
    return {
        "version": 1,
        "issuer": {"name": "Example Issuer Ltd", "lei": ISSUER_LEI},
        "custodians": [{"lei": CUSTODIAN_LEI, "accounts": ["safe  4711"]}],
        "securities": [
            {
                "isin": "US0378331005",
                "symbol": "tAAPL",
                "name": "Apple",
                "id": "US0378331005",
                "accounts": [{"custodian": CUSTODIAN_LEI, "account": ACCOUNT}],
            }
        ],
    }


@given(DOCUMENT)
def test_any_document_is_read_back_as_it_was_written(written: dict[str, Any]) -> None:
    assert tomllib.loads(profile_text(written)) == written


def test_a_profile_is_found_by_option_then_variable_then_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert profile_path(None) == Path("~/.config/tallystick/profile.toml").expanduser()
    monkeypatch.setenv("TALLY_PROFILE", "/somewhere/a.toml")
    assert profile_path(None) == Path("/somewhere/a.toml")
    assert profile_path(Path("b.toml")) == Path("b.toml")


def test_accounts_are_kept_in_the_one_spelling_that_is_hashed(tmp_path: Path) -> None:
    assert write_profile(tmp_path / "p.toml", document()).custodians[0].accounts == ("SAFE 4711",)


def test_a_written_profile_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_profile(tmp_path / "p.toml", document())
    assert stat.S_IMODE((tmp_path / "p.toml").stat().st_mode) == 0o600


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile(tmp_path / "p.toml", document())
    monkeypatch.setenv("TALLY_CLUSTER__URLS", '["https://rpc.example.com/secret"]')
    assert read_profile(tmp_path / "p.toml").cluster.urls == ("https://rpc.example.com/secret",)
    assert "secret" not in Tally(tmp_path / "p.toml").cluster_name


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d["issuer"].update(lei="EXAMPLEISSUERLTD0094"), "check digits"),
        (lambda d: d["custodians"][0].update(lei="short"), "not an LEI"),
        (lambda d: d["custodians"][0].update(accounts=["a@b"]), "SWIFT"),
        (lambda d: d["securities"][0].update(isin="US0378331006"), "check digit"),
        (lambda d: d["securities"][0].update(accounts=[]), "securities.0.accounts"),
        (lambda d: d["securities"][0].update(decimals=12), "securities.0.decimals"),
        (lambda d: d["securities"][0].update(surplus="1.123456789"), "surplus of tAAPL"),
        (lambda d: d["securities"][0].update(surplus="-1"), "surplus of tAAPL"),
        (lambda d: d["securities"][0].update(surplus=1), "securities.0.surplus"),
        (lambda d: d["securities"].append(d["securities"][0]), "of its own"),
        (lambda d: d.update(wallets={"anna": {"address": "x"}}), "wallets.anna.address"),
        (lambda d: d.update(colour="blue"), "colour"),
        (lambda d: d.update(version=2), "version"),
    ],
)
def test_a_wrong_entry_is_named_and_nothing_is_written(tmp_path: Path, change: Any, place: str) -> None:
    changed = document()
    change(changed)
    with pytest.raises(ConfigurationError, match=r"p\.toml is wrong") as error:
        write_profile(tmp_path / "p.toml", changed)
    assert place in error.value.message
    assert not (tmp_path / "p.toml").exists()


def test_a_missing_profile_is_a_panel_that_says_how_to_make_one(terminal: Terminal) -> None:
    typed = terminal.type("status")
    assert typed.code == 2
    assert typed.out == ""
    assert "tally init" in typed.err


def test_a_missing_profile_is_a_json_document_when_asked_for(terminal: Terminal) -> None:
    typed = terminal.type("status", "--json")
    assert typed.code == 2
    assert typed.err == ""
    assert typed.document["error"]["type"] == "ConfigurationError"


def test_a_store_is_found_beside_its_profile(tmp_path: Path) -> None:
    write_profile(tmp_path / "p.toml", document())
    assert Tally(tmp_path / "p.toml").store_url() == f"sqlite:///{tmp_path}/tallystick.sqlite3"


@pytest.mark.parametrize("name", ["Anna", "", "a b", "operator", "x" * 40, "7xK"])
def test_a_wallets_name_cannot_be_taken_for_an_address_or_a_role(name: str) -> None:
    with pytest.raises(InputError):
        wallet_name(name)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 7_776_100), ("45s", 145), ("1970-01-02", 172_800), ("1970-01-01T01:00:00+01:00", 0), ("2h", 7_300)],
)
def test_a_moment_is_a_span_a_date_or_a_time(text: str, seconds: int) -> None:
    assert parse_moment(text, 100) == seconds


@pytest.mark.parametrize("text", ["tomorrow", "1970-01-01T01:00:00", "5", "-3d", ""])
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_moment(text, 100)


def test_reports_have_an_address_that_fits_the_chain(tmp_path: Path) -> None:
    def write(uri: str) -> str:
        return write_profile(tmp_path / "p.toml", document() | {"report": {"uri": uri}}).report.uri

    assert write("https://reports.example.com/") == "https://reports.example.com"
    for wrong in ("http://reports.example.com", f"https://reports.example.com/{'a' * 200}"):
        with pytest.raises(ConfigurationError, match=r"report\.uri"):
            write(wrong)
