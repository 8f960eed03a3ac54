"""A dividend, typed: from the register at the record date to the close, with a second key and a proof for everybody."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from cli_desk import Desk
from custody_files import APPLE, BOOKED, statement_file
from payment_token import Money
from rich.console import Console
from solders.pubkey import Pubkey
from tallystick.adapters.custody.confirmation_samples import write_mt566
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.dividends import PayoutRecord
from tallystick.errors import ConfigurationError
from tallystick_cli.commands.dividend import Planned
from tallystick_cli.commands.init import make_key
from tallystick_cli.dividends import TOTALS
from tallystick_cli.main import app
from tallystick_cli.profile import change_profile, read_profile, write_profile
from typer.testing import CliRunner
from typing_in import ACCOUNT, CUSTODIAN_LEI, Terminal, Typed

EVENT = "CA-30"
YEAR = 366 * 86_400
DOLLAR = 10**6
TO_BOTH_DATES = 3_700
"""Seconds from announcing until record date and pay date are over, an hour and a minute more."""


class Payer:
    """A desk whose dividend of `event` is announced and approved, and money in the treasury."""

    def __init__(self, desk: Desk, event: str = EVENT) -> None:
        self.desk = desk
        self.event = event
        self.money = Money(desk.url, desk.folder / "keys" / "payer.json")

    def type(self, verb: str, *words: object) -> Typed:
        """A command of the event that agrees beforehand."""
        signs = verb not in ("record", "plan", "status", "statement")
        more = ("--yes",) if signs and "--dry-run" not in words else ()
        return self.desk.terminal.type("dividend", verb, "tAAPL", self.event, *words, *more, "--json")

    def json(self, verb: str, *words: object) -> dict[str, Any]:
        """The same, which has to succeed."""
        typed = self.type(verb, *words)
        assert typed.code == 0, typed.out + typed.err
        return typed.document

    def announce(self, pay: str = "61min") -> None:
        """By one key and approved by another, its record date an hour ahead."""
        notice, terminal = self.desk.folder / "notice.xml", self.desk.terminal
        notice.write_text("notice of the dividend")
        terms = ("--kind", "DVCA", "--gross", "0.24", "--currency", "USD", "--withholding", "15%")
        dates = ("--record", "1h", "--pay", pay)
        terminal.json("action", "announce", "tAAPL", self.event, *terms, *dates, "--evidence", notice, "--yes")
        terminal.json("action", "approve", "tAAPL", self.event, "--evidence", notice, "--yes")

    def wallet(self, name: str) -> Pubkey:
        return Pubkey.from_string(read_profile(self.desk.terminal.profile).wallets[name].address)

    def confirmation(self, name: str = "CONF-1", **change: object) -> Path:
        """The custodian's MT566 as a file: 0.24 gross for each of 500 shares, less 15%."""
        made: dict[str, Any] = {
            "custodian_lei": CUSTODIAN_LEI,
            "account": ACCOUNT,
            "reference": name,
            "function": ConfirmationFunction.NEW,
            "event_id": self.event,
            "event_code": "DVCA",
            "isin": APPLE,
            "eligible": Quantity(500),
            "currency": "USD",
            "gross": Quantity(120),
            "tax": Quantity(18),
            "net": Quantity(102),
            "posted": "2026-05-13",
            "record_date": "",
            "source_hash": bytes(32),
            "format": "MT566",
            "received_at": 0,
            **change,
        }
        file = self.desk.folder / f"{name}.txt"
        file.write_bytes(write_mt566(CashConfirmation(**made)))
        return file


def declare(profile: dict[str, Any], mint: str) -> None:
    """What the profile says of dividends."""
    profile["dividends"] = {
        "refund": "treasury",
        "minimum": "0.01",
        "fee": "0%",
        "default_class": "standard",
        "default_reason": "opinion of counsel",
        "payment": [{"currency": "USD", "mint": mint}],
        "withholding": [
            {"class": "standard", "rate": "0%", "from": "2020-01-01", "reason": "withheld upstream"},
            {"class": "treaty", "rate": "5%", "from": "2020-01-01", "reason": "article 10"},
        ],
        "holders": [{"wallet": "eve", "class": "treaty"}],
    }


@pytest.fixture(scope="module")
def announced(desk: Desk) -> Payer:
    """500 shares in custody; anna has 300 tokens, eve 100, the treasury none of them and all of the money."""
    terminal, payer = desk.terminal, Payer(desk)
    for role in ("corporate-actions", "distributor"):
        terminal.json("issuer", "role", "grant", role, "--yes")
    terminal.json("holder", "approve", "eve", "--investor", "KYC-2", "--yes")
    treasury = desk.folder / "keys" / "treasury.json"
    key = make_key(treasury)

    def write(document: dict[str, Any]) -> None:
        document["wallets"]["treasury"] = {"address": str(key), "key": "keys/treasury.json"}

    change_profile(terminal.profile, write)
    desk.warp(2)
    terminal.json("fund")
    terminal.json("statement", "add", statement_file(desk.folder, "STMT-1", "500", ago=120))
    terminal.json("attest", "tAAPL", "--yes")
    for wallet, tokens in (("anna", 300), ("eve", 100)):
        terminal.json("order", "subscribe", "tAAPL", wallet, tokens, "--reference", f"W-{wallet}", "--yes")
        moved = ("--movement", f"DTC-{wallet}", "--moved", tokens)
        terminal.json("order", "settle", "tAAPL", f"W-{wallet}", *moved, *BOOKED, "--yes")
    payer.announce()
    payer.money.make()
    payer.money.open_account(key, 1_000 * DOLLAR)
    payer.money.open_account(payer.wallet("anna"))
    return payer


def take_back(payer: Payer) -> None:
    """The custodian reverses what was planned from: nothing is opened before it confirms anew and that is planned."""
    reversal = payer.confirmation("REV-1", function=ConfirmationFunction.REVERSAL, reverses="CONF-1")
    for words in (("plan", "--confirmation", reversal), ("open",)):
        typed = payer.type(*words)
        assert (typed.code, "was reversed" in typed.document["error"]["message"]) == (1, True), typed.out
    two = payer.type("plan", "--confirmation", payer.confirmation("CONF-1-AGAIN", eligible=Quantity(501)))
    assert two.code == 1, two.out
    other = payer.type("open")
    assert (other.code, "CONF-1-AGAIN" in other.document["error"]["message"]) == (1, True)
    again = payer.confirmation(
        "REV-2", function=ConfirmationFunction.REVERSAL, reverses="CONF-1-AGAIN", eligible=Quantity(501)
    )
    payer.type("plan", "--confirmation", again)
    payer.json("plan", "--confirmation", payer.confirmation("CONF-3"))


def test_the_whole_way_of_a_dividend(announced: Payer, tmp_path: Path) -> None:
    payer, desk = announced, announced.desk

    # The register, which waits for the record date; then what is missing is said step by step, and nothing is signed.
    before = desk.transactions()
    early = payer.type("record")
    assert (early.code, "has not come" in early.document["error"]["message"]) == (1, True)
    desk.warp(TO_BOTH_DATES)
    taken = payer.json("record")
    assert (taken["owners"], taken["supply"], taken["is_new"]) == (2, "400", True)
    assert payer.json("record")["is_new"] is False
    undeclared = payer.type("plan", "--confirmation", payer.confirmation())
    assert (undeclared.code, "[dividends]" in undeclared.document["error"]["message"]) == (2, True)
    change_profile(desk.terminal.profile, lambda document: declare(document, str(payer.money.address)))
    unconfirmed = payer.type("plan")
    assert (unconfirmed.code, "confirmed no cash" in unconfirmed.document["error"]["message"]) == (1, True)
    planned = payer.json("plan", "--confirmation", payer.confirmation())
    totals = planned["totals"]
    # anna: 300 of 500 shares of 102; eve: 100 of them, less 5% of her gross 24.
    assert (planned["total"], totals["net"], totals["withheld"]) == ("80.4", "102", "1.2")
    assert (totals["surplus"], totals["residue"], planned["entries"]) == ("20.4", "0", 2)
    assert payer.json("plan")["root"] == planned["root"]
    take_back(payer)
    assert payer.json("plan")["root"] == planned["root"]
    assert desk.transactions() == before
    assert desk.terminal.json("status")["dividends"][0]["next"].endswith("tally dividend open")

    # Opened by one key, approved by another, and not by the first.
    assert payer.json("open", "--dry-run")["dry_run"] is True
    assert desk.transactions() == before
    opened = payer.json("open")
    assert [each["outcome"] for each in opened["transactions"]] == ["landed"]
    assert payer.json("open")["transactions"] == []
    assert "approve" in payer.json("status")["next"]
    payer.json("statement", "eve", "--out", tmp_path / "early.json")
    early = desk.terminal.type("dividend", "statement", "--check", tmp_path / "early.json", "--json")
    assert (early.code, "Nobody has approved" in early.document["problems"][0]) == (1, True)
    other = payer.type("approve", "--minimum", "20")
    assert (other.code, "What you computed yourself" in other.document["error"]["message"]) == (1, True)
    assert "Yours: " in other.document["error"]["next"]
    assert payer.json("approve", "--dry-run")["dry_run"] is True
    assert payer.json("approve")["transactions"]
    assert "fund" in payer.json("status")["next"]

    # The money.
    unfunded = payer.type("push")
    assert (unfunded.code, "Fund it first" in str(unfunded.document["error"]["next"])) == (1, True)
    poor = payer.type("fund", "--from", "anna")
    assert (poor.code, "are missing" in poor.document["error"]["message"]) == (1, True)
    moved = payer.json("fund", "--dry-run")["transactions"][0]["changes"]
    amounts = [each for change in moved for each in change["fields"] if each["name"] == "amount"]
    assert [(each["old"], each["new"]) for each in amounts] == [("1000", "919.6"), ("0", "80.4")]
    assert payer.json("fund")["transactions"]
    assert payer.json("status")["funded"] == "80.4"

    # Pushed: anna is paid, and eve has no account to be paid into.
    landed = desk.transactions()
    dry = payer.json("push", "--dry-run")
    assert (dry["dry_run"], dry["transactions"][0]["outcome"], desk.transactions()) == (True, "would succeed", landed)
    [paid] = [each["fields"] for each in dry["transactions"][0]["changes"] if each["kind"] == "Distribution"]
    assert [(each["name"], each["old"], each["new"]) for each in paid] == [
        ("paid", "0", "61.2"),
        ("paid_entries", 0, 1),
    ]
    assert dry["transactions"][0]["events"][0]["fields"]["raw"] == "61.2"
    pushed = payer.json("push")
    assert (pushed["paid"], [each["code"] for each in pushed["left"]]) == ("61.2", ["missing"])
    assert payer.money.of(payer.wallet("anna")) == 61_200_000
    again = payer.json("push")
    assert (again["transactions"], again["paid_now"]) == (0, "0")

    # Claimed for eve by anybody.
    assert payer.json("claim", "eve", "--dry-run")["dry_run"] is True
    assert payer.money.of(payer.wallet("eve")) is None
    assert payer.json("claim", "eve")["transactions"]
    assert payer.money.of(payer.wallet("eve")) == 19_200_000
    assert payer.json("claim", "eve")["transactions"] == []

    # Each holder's statement proves itself, and a changed one is found.
    statements = {name: payer.json("statement", name, "--out", tmp_path / f"{name}.json") for name in ("anna", "eve")}
    assert all(each["payment"]["is_paid"] and each["payment"]["signature"] for each in statements.values())
    cash = statements["eve"]["cash"]
    assert (cash["gross"], cash["upstream_tax"], cash["withheld"], cash["amount"]) == ("24", "3.6", "1.2", "19.2")
    check = desk.terminal.json("dividend", "statement", "--check", tmp_path / "eve.json")
    assert (check["is_right"], check["problems"]) == (True, [])
    changed = json.loads((tmp_path / "eve.json").read_text())
    changed["payment"]["base_units"] = "19200001"
    (tmp_path / "changed.json").write_text(json.dumps(changed))
    found = desk.terminal.type("dividend", "statement", "--check", tmp_path / "changed.json", "--json")
    assert (found.code, len(found.document["problems"])) == (1, 2)

    # Everybody is paid, so it is closed before its expiry.
    assert payer.json("close", "--dry-run")["dry_run"] is True
    assert payer.json("close")["transactions"]
    status = payer.json("status")
    assert (status["state"], status["unpaid_entries"], status["next"]) == ("closed", 0, None)
    assert payer.json("close")["transactions"] == []
    late = payer.json("claim", "eve")
    assert (late["transactions"], "were paid" in late["notes"][0]) == ([], True)
    assert desk.terminal.json("status")["dividends"] == []
    nothing = payer.type("plan", "--correct")
    assert (nothing.code, "paid before" in nothing.document["error"]["message"]) == (1, True)
    assert desk.terminal.json("audit", "verify")["is_verified"]


def test_views_of_a_dividend_can_be_looked_at(announced: Payer) -> None:
    terminal = announced.desk.terminal
    for words, said in (
        (("status",), "closed"),
        (("status", "tAAPL", EVENT), "2 holders"),
        (("record", "tAAPL", EVENT), "all of them found"),
        (("statement", "tAAPL", EVENT, "eve"), "of class treaty"),
    ):
        typed = terminal.type("dividend", *words)
        assert (typed.code, said in typed.out) == (0, True), typed.out + typed.err


@pytest.mark.parametrize(
    ("already", "shown", "said"), [("0", "0.3", "of it carried forward"), ("700000", "0.7", "committed before")]
)
def test_a_plan_says_what_else_its_amount_is_made_of(already: str, shown: str, said: str) -> None:
    one = {"owners": 1, "payments": 1, "amount": "1300000"}
    totals = {name: "0" for name, _ in TOTALS} | {"net": "1000000", "entitled": "1000000", "already": already}
    plan = {
        "totals": totals,
        "cash": {"gross": "1", "tax": "0", "net": "1", "currency": "USD", "eligible": "1", "standing": []},
        "register": {"owners": 1, "slot": 1},
        "payment": {"mint": "x"},
        "counts": {"classes": dict.fromkeys(("wallet", "program", "frozen", "inventory"), one)},
        "differences": {"found": [], "accepted": ""},
    }
    key = bytes(32)
    record = PayoutRecord(key, key, key, 0, key, key, 6, key, key, key, 1, 1, 1_300_000, 0, b"", 0)
    console = Console(width=100, record=True, file=StringIO())
    console.print(Planned("tAAPL", EVENT, record, plan).view())
    [line] = [each for each in console.export_text().splitlines() if said in each]
    assert shown in line


def approve_on_another_machine(payer: Payer) -> None:
    """The approver has a store of its own: nothing is approved before its register and confirmation make the root."""
    desk = payer.desk
    own = Terminal(desk.folder / "approver.toml")
    own.profile.write_bytes(desk.terminal.profile.read_bytes())
    change_profile(own.profile, lambda document: document["store"].update(url="sqlite:///approver.sqlite3"))
    words = ("tAAPL", payer.event)
    before = desk.transactions()
    for missing, said in (((), "No register"), (("record",), "confirmed no cash")):
        for verb in missing:
            own.json("dividend", verb, *words)
        typed = own.type("dividend", "approve", *words, "--yes", "--json")
        assert (typed.code, said in typed.document["error"]["message"]) == (1, True), typed.out
    tax, net = Quantity(20), Quantity(100)
    other = payer.confirmation("CONF-2", tax=tax, net=net)
    wrong = own.type("dividend", "approve", *words, "--confirmation", other, "--yes", "--json")
    assert (wrong.code, desk.transactions()) == (1, before)
    assert "What you computed yourself" in wrong.document["error"]["message"]
    own.profile.with_name("approver.sqlite3").unlink()
    own.json("dividend", "record", *words)
    file = payer.confirmation("CONF-2")
    assert own.json("dividend", "approve", *words, "--confirmation", file, "--yes")["transactions"]
    assert own.json("dividend", "status", *words)["state"] == "approved"


def test_a_push_ends_where_it_was_told_and_leaves_out_whom_compliance_stopped(announced: Payer) -> None:
    desk, payer = announced.desk, Payer(announced.desk, "CA-31")
    terminal = desk.terminal
    payer.money.open_account(payer.wallet("eve"))
    payer.announce(pay="2h")
    desk.warp(TO_BOTH_DATES)
    payer.json("record")
    change_profile(terminal.profile, lambda document: declare(document, str(payer.money.address)))
    payer.json("plan", "--confirmation", payer.confirmation("CONF-2"))
    assert payer.json("open")["transactions"]
    approve_on_another_machine(payer)
    assert payer.json("fund")["transactions"]
    before = desk.transactions()
    early = payer.type("push")
    assert (early.code, "announced to be paid from" in early.document["error"]["message"]) == (1, True)
    assert desk.transactions() == before
    desk.warp(7_200)

    canary = payer.json("push", "--stop-after", "canary")
    assert (canary["paid_entries"], canary["is_finished"], canary["left"][0]["code"]) == (1, False, "payable")
    statements = {name: payer.json("statement", name)["payment"]["is_paid"] for name in ("anna", "eve")}
    [other] = [name for name, is_paid in statements.items() if not is_paid]

    terminal.json("holding", "freeze", "tAAPL", other, "--reason", "court order", "--yes")
    assert [each["code"] for each in payer.json("push")["left"]] == ["frozen_holder"]
    terminal.json("holding", "thaw", "tAAPL", other, "--reason", "lifted", "--yes")
    terminal.json("holder", "suspend", other, "--yes")
    assert [each["code"] for each in payer.json("push")["left"]] == ["suspended"]
    before = desk.transactions()
    refused = payer.type("claim", other)
    assert (refused.code, "was suspended" in refused.document["error"]["message"]) == (1, True)
    undecided = payer.type("close")
    assert (undecided.code, "1 of 2 payments" in undecided.document["error"]["message"]) == (1, True)
    assert desk.transactions() == before
    terminal.json("holder", "approve", other, "--investor", f"KYC-{other}", "--yes")
    everybody = payer.json("push")
    assert (everybody["paid"], everybody["left"], everybody["is_finished"]) == ("80.4", [], True)


class Gate(BaseHTTPRequestHandler):
    """An endpoint that passes everything on to `url`, and holds back what is broadcast until it is let through."""

    url = ""
    has_broadcast = Event()
    is_open = Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"sendTransaction" in body:
            self.has_broadcast.set()
            assert self.is_open.wait(60)
        answer = httpx.post(self.url, content=body, headers={"Content-Type": "application/json"}, trust_env=False)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *words: object) -> None:
        """Nothing is said of requests."""


@pytest.fixture
def gate(desk: Desk) -> Iterator[str]:
    """The URL of a gate before the desk's cluster."""
    Gate.url = desk.url
    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_ctrl_c_ends_a_push_behind_the_payment_on_its_way_and_the_next_one_pays_the_rest(
    announced: Payer, gate: str
) -> None:
    desk, payer = announced.desk, Payer(announced.desk, "CA-32")
    payer.money.open_account(payer.wallet("eve"))
    payer.announce()
    desk.warp(TO_BOTH_DATES)
    payer.json("record")
    change_profile(desk.terminal.profile, lambda document: declare(document, str(payer.money.address)))
    file = payer.confirmation("CONF-32")
    for verb, *words in (("plan", "--confirmation", file), ("open",), ("approve",), ("fund",)):
        payer.json(verb, *words)
    own = desk.folder / "gated.toml"
    own.write_bytes(desk.terminal.profile.read_bytes())
    change_profile(own, lambda document: document["cluster"].update(urls=[gate]))
    line = ["dividend", "push", "tAAPL", "CA-32", "--yes", "--json", "--profile", str(own)]
    script = "from tallystick_cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", script, *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert Gate.has_broadcast.wait(60)
        child.send_signal(signal.SIGINT)
        Gate.is_open.set()
        out, err = child.communicate(timeout=60)
    stopped = json.loads(out)
    assert (child.returncode, err) == (1, b"")
    assert (stopped["paid_entries"], stopped["transactions"], stopped["unknown_batches"]) == (1, 1, [])
    assert "stop" in stopped["stopped"]
    rest = payer.json("push")
    assert (rest["paid"], rest["paid_now_entries"], rest["left"]) == ("80.4", 1, [])


def test_the_help_lists_the_commands_in_the_order_of_their_use() -> None:
    runner = CliRunner()
    shown = runner.invoke(app, ["dividend", "--help"]).stdout
    steps = [shown.index(f"│ {name} ") for name in ("record", "plan", "open", "approve", "fund", "push", "close")]
    assert steps == sorted(steps)


def test_an_event_that_nobody_announced_has_no_dividend(announced: Payer) -> None:
    typed = announced.desk.terminal.type("dividend", "record", "tAAPL", "CA-99")
    assert (typed.code, "Nothing was announced" in typed.err) == (1, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda section: section.update(fee="101%"), "more than all"),
        (lambda section: section.update(default_class="other"), "no rate"),
        (lambda section: section.update(default_reason=""), "written reason"),
        (lambda section: section["payment"].append(section["payment"][0]), "one token"),
        (lambda section: section["payment"][0].update(mint="x"), "base 58"),
        (lambda section: section["holders"].append({"wallet": "bob", "class": "none"}), "has the class none"),
        (lambda section: section["withholding"][0].update(reason=""), "no reason"),
    ],
)
def test_a_wrong_section_of_the_profile_is_named(
    change: Callable[[dict[str, Any]], None], said: str, tmp_path: Path
) -> None:
    document: dict[str, Any] = {"wallets": {}}
    declare(document, "So11111111111111111111111111111111111111112")
    write_profile(tmp_path / "profile.toml", document)
    assert read_profile(tmp_path / "profile.toml").dividends.table.default_class == "standard"
    change(document["dividends"])
    with pytest.raises(ConfigurationError, match=said):
        write_profile(tmp_path / "profile.toml", document)
