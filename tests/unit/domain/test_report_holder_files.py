"""The holders' files beside a report: its own hold; one that is changed, missing or foreign does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from report_sample import sample_register, sample_report
from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.shards import shard_register
from tallystick.domain.reserve_report.verify_shards import verify_shards


def document() -> Any:
    return json.loads(sample_report()[0])


def files() -> dict[str, bytes]:
    """Every file below holders/ of the sample."""
    slot, securities = document()["holders"]["slot"], document()["holders"]["securities"]
    return {
        f"holders/{row['isin']}/{name}": data
        for row in securities
        for name, data in shard_register(sample_register(row["isin"]), isin=row["isin"], mint=row["mint"], slot=slot)
    }


def test_the_files_of_the_reports_registers_hold() -> None:
    found = verify_shards(document(), files())
    assert found is not None
    assert (found.status, found.words.startswith(f"{len(files())} files hold")) == (Status.PASSED, True)


def test_without_any_there_is_nothing_to_say() -> None:
    assert verify_shards(document(), {"report.pdf": b""}) is None


@pytest.mark.parametrize("name", sorted(files()))
def test_one_that_is_missing_is_found(name: str) -> None:
    given = files()
    del given[name]
    found = verify_shards(document(), given)
    assert found is not None
    assert (found.status, name.rpartition("/")[2] in found.words) == (Status.FAILED, True)


@pytest.mark.parametrize("name", sorted(files()))
def test_one_that_is_changed_is_found(name: str) -> None:
    given = files()
    place = len(given[name]) // 2
    given[name] = given[name][:place] + bytes([given[name][place] ^ 1]) + given[name][place + 1 :]
    found = verify_shards(document(), given)
    assert found is not None
    assert found.status is Status.FAILED


def test_one_of_another_security_is_found() -> None:
    found = verify_shards(document(), files() | {"holders/XX0000000000/00000.json": b"{}"})
    assert found is not None
    assert (found.status, found.words) == (
        Status.FAILED,
        "holders/XX0000000000/00000.json is of no register in the report.",
    )


def test_shards_of_another_slots_register_are_found() -> None:
    wanted = document()
    wanted["holders"]["slot"] += 1
    found = verify_shards(wanted, files())
    assert found is not None
    assert "does not lead to the root" in found.words


@pytest.mark.parametrize("holders", [None, {}, {"slot": 1, "securities": [{"root": "zz", "isin": "A"}]}])
def test_a_report_whose_holders_cannot_be_read_is_refused(holders: Any) -> None:
    found = verify_shards(document() | {"holders": holders}, files())
    assert found is not None
    assert (found.status, "cannot be read" in found.words) == (Status.FAILED, True)
