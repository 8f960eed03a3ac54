"""The audit log: what is signed is in it before and after, and whoever changes it is found out."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_desk import Desk
from solders.system_program import TransferParams, transfer
from tallystick.adapters.chain.outbox import OutboxRow
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.chain.transactions import build_transaction, sign_transaction
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.store import open_store
from tallystick_cli.context import Tally
from typing_in import Terminal


def contents(terminal: Terminal) -> list[dict[str, Any]]:
    """What the log says, oldest first."""
    return [each["content"] for each in reversed(terminal.json("audit", "list", "--all")["entries"])]


@pytest.fixture
def copy(desk: Desk, tmp_path: Path) -> Terminal:
    """The same profile over a copy of the store, to be tampered with."""
    (tmp_path / "profile.toml").write_bytes(desk.terminal.profile.read_bytes())
    with (
        sqlite3.connect(desk.folder / "tallystick.sqlite3") as source,
        sqlite3.connect(tmp_path / "tallystick.sqlite3") as target,
    ):
        source.backup(target)
    source.close()
    target.close()
    return Terminal(tmp_path / "profile.toml")


def tamper(terminal: Terminal, statement: str) -> None:
    with sqlite3.connect(terminal.profile.with_name("tallystick.sqlite3")) as connection:
        connection.execute(statement)
    connection.close()


def test_each_transaction_is_noted_before_it_is_signed_and_after_its_outcome(desk: Desk) -> None:
    before = len(contents(desk.terminal))
    [transaction] = desk.terminal.json("issuer", "role", "grant", "publisher", "anna", "--yes")["transactions"]
    begun, ended = contents(desk.terminal)[before:]
    assert (begun["action"], ended["action"]) == ("begin", "end")
    assert begun["subject"] == ended["subject"] == transaction["intent"]
    assert begun["details"]["summary"] == transaction["summary"]
    assert "admin" in begun["details"]["signers"].values()
    assert ended["details"]["outcome"] == "landed"
    assert ended["details"]["signature"] == transaction["signature"]


def test_an_entry_names_who_gave_the_command_and_not_a_key(desk: Desk) -> None:
    assert {each["actor"] for each in contents(desk.terminal)} == {Tally(desk.terminal.profile).actor}


def test_where_the_log_cannot_be_written_nothing_is_signed(desk: Desk, copy: Terminal) -> None:
    tamper(copy, "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    copy.profile.write_text(copy.profile.read_text().replace('"keys/', f'"{desk.folder}/keys/'))
    before = desk.transactions()
    typed = copy.type("issuer", "role", "grant", "distributor", "anna", "--yes")
    assert (typed.code, desk.transactions()) == (5, before)
    assert copy.json("outbox", "list")["pending"] == []


def test_a_log_that_nobody_changed_is_verified(desk: Desk) -> None:
    typed = desk.terminal.type("audit", "verify", "--json")
    newest = desk.terminal.json("audit", "list")["entries"][0]
    assert typed.code == 0
    assert typed.document["newest"] == newest["hash"]
    assert typed.document["entries"] == newest["number"]
    assert "follows from the one before" in desk.terminal.type("audit", "verify").out


def test_an_entry_that_was_changed_is_named_with_exit_1(copy: Terminal) -> None:
    tamper(copy, "UPDATE audit SET content = CAST(replace(content, 'begin', 'beg1n') AS BLOB) WHERE sequence = 3")
    typed = copy.type("audit", "verify", "--json")
    assert (typed.code, typed.document["first_misfit"]) == (1, 3)
    assert "Entry 3 of" in copy.type("audit", "verify").out
    fits = {each["number"]: each["fits"] for each in copy.json("audit", "list", "--all")["entries"]}
    assert (fits[2], fits[3], fits[4]) == (True, False, False)


def test_an_entry_that_was_removed_from_the_middle_is_named(copy: Terminal) -> None:
    tamper(copy, "DELETE FROM audit WHERE sequence = 4")
    assert copy.type("audit", "verify", "--json").document["first_misfit"] == 4


def test_the_newest_entries_removed_are_found_by_the_hash_that_was_noted(copy: Terminal) -> None:
    noted = copy.json("audit", "verify")["newest"]
    tamper(copy, "DELETE FROM audit WHERE sequence > 3")
    assert copy.type("audit", "verify").code == 0
    typed = copy.type("audit", "verify", "--noted", noted, "--json")
    assert (typed.code, typed.document["is_noted_hash_there"]) == (1, False)


def test_a_hash_that_was_noted_earlier_is_still_there(desk: Desk) -> None:
    noted = desk.terminal.json("audit", "list", "--all")["entries"][-1]["hash"]
    assert desk.terminal.json("audit", "verify", "--noted", noted)["is_noted_hash_there"]


def test_what_is_no_hash_is_a_usage_error(desk: Desk) -> None:
    assert desk.terminal.type("audit", "verify", "--noted", "abc").code == 2


def test_an_entry_that_says_something_unreadable_is_listed_as_that(copy: Terminal) -> None:
    tamper(copy, "UPDATE audit SET content = 7 WHERE sequence = 2")
    typed = copy.type("audit", "list", "--all")
    assert typed.code == 0
    assert "unreadable" in typed.out


def test_the_list_shows_the_newest_twenty_unless_all_are_wanted(desk: Desk) -> None:
    every, shown = desk.terminal.json("audit", "list", "--all"), desk.terminal.json("audit", "list")
    assert shown["entries"] == every["entries"][:20]
    assert shown["left_out"] == len(every["entries"]) - 20 > 0


def test_a_transaction_that_a_crash_left_behind_is_resumed_and_noted(desk: Desk) -> None:
    row = asyncio.run(_left_behind(desk))
    resumed = desk.terminal.json("outbox", "resume")
    assert [each["signature"] for each in resumed["resumed"]] == [str(row.signature)]
    last = contents(desk.terminal)[-1]
    assert (last["action"], last["subject"], last["details"]["outcome"]) == ("end", row.intent, "landed")
    assert desk.terminal.json("outbox", "list")["pending"] == []


async def _left_behind(desk: Desk) -> OutboxRow:
    """Signed and stored, and the process ended before it was sent."""
    signer = KeypairSigner.from_file(desk.folder / "keys" / "admin.json")
    instruction = transfer(TransferParams(from_pubkey=signer.pubkey, to_pubkey=signer.pubkey, lamports=1))
    async with (
        RpcChain([desk.url], SystemClock()) as chain,
        await open_store(f"sqlite+aiosqlite:///{desk.folder}/tallystick.sqlite3") as store,
    ):
        recent = await chain.get_latest_blockhash()
        draft = build_transaction(
            [instruction],
            signer.pubkey,
            recent.blockhash,
            compute_unit_limit=10_000,
            loaded_accounts_data_size_limit=65_536,
        )
        signed = await sign_transaction(draft, [signer])
        row = OutboxRow(
            intent="pay:oneself",
            attempt=1,
            digest=bytes(32),
            signature=signed.signatures[0],
            transaction=bytes(signed),
            last_valid_block_height=recent.last_valid_block_height,
            commitment="confirmed",
            created_at=1,
            updated_at=1,
        )
        await store.outbox.put_signed(row)
        return row
