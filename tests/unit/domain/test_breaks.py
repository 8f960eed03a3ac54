"""A break's identity is what it is about, so that it ages; its effect says what it stops."""

from __future__ import annotations

import hashlib
import json

import pytest
from tallystick.domain.breaks import DEFAULT_EFFECTS, Break, BreakEffect, BreakKind, break_id
from tallystick.domain.canonical import canonical_json
from tallystick.errors import InputError


def test_a_break_keeps_its_id_when_its_amount_time_and_words_change() -> None:
    first = Break(BreakKind.QUANTITY_SHORT, "10 short", "US0378331005", "ACC-1", "", 10, 100)
    second = Break(BreakKind.QUANTITY_SHORT, "12 short", "US0378331005", "ACC-1", "", 12, 200, BreakEffect.HALT)
    assert first.id == second.id


@pytest.mark.parametrize(
    "other",
    [
        Break(BreakKind.QUANTITY_OVER, "", "I", "A", "R"),
        Break(BreakKind.QUANTITY_SHORT, "", "J", "A", "R"),
        Break(BreakKind.QUANTITY_SHORT, "", "I", "B", "R"),
        Break(BreakKind.QUANTITY_SHORT, "", "I", "A", "S"),
        Break(BreakKind.QUANTITY_SHORT, "", "IA", "", "R"),
        Break(BreakKind.QUANTITY_SHORT, "", "I", "AR", ""),
    ],
)
def test_breaks_about_different_things_have_different_ids(other: Break) -> None:
    assert other.id != Break(BreakKind.QUANTITY_SHORT, "", "I", "A", "R").id


def test_the_break_id_is_the_published_one() -> None:
    fields = [b"WRONG_UNIT", b"US0378331005", b"ACC-1", b""]
    preimage = b"tallystick:break" + b"".join(len(field).to_bytes(4, "little") + field for field in fields)
    assert break_id(BreakKind.WRONG_UNIT, "US0378331005", "ACC-1", "") == hashlib.sha256(preimage).digest()


def test_every_kind_has_an_effect_and_a_stored_name_like_its_own() -> None:
    assert set(DEFAULT_EFFECTS) == set(BreakKind)
    assert all(kind.value == kind.name for kind in BreakKind)


@pytest.mark.parametrize(
    ("effect", "stops"),
    [
        (BreakEffect.HALT, True),
        (BreakEffect.BLOCK_MINT, True),
        (BreakEffect.QUARANTINE, True),
        (BreakEffect.NOT_EVIDENCE, True),
        (BreakEffect.NOT_COUNTED, False),
        (BreakEffect.TICKET, False),
        (BreakEffect.WARN, False),
        (BreakEffect.NOTE, False),
    ],
)
def test_only_effects_that_taint_the_evidence_stop_an_attestation(effect: BreakEffect, stops: bool) -> None:
    assert Break(BreakKind.ENCUMBERED, "", effect=effect).stops_attestation is stops


def test_a_break_document_is_plain_json_with_its_id() -> None:
    found = Break(BreakKind.ENCUMBERED, "5 under PLED", "US0378331005", "ACC-1", "PLED", 5, 7)
    document = json.loads(canonical_json(found.document()))
    assert document["id"] == found.id.hex()
    assert (document["kind"], document["effect"], document["amount"]) == ("ENCUMBERED", "not_counted", 5)


def test_canonical_json_sorts_keys_and_writes_nothing_superfluous() -> None:
    assert canonical_json({"b": [1, True, None], "a": "ü\n"}) == '{"a":"ü\\n","b":[1,true,null]}'.encode()


@pytest.mark.parametrize("value", [1.0, {"a": 0.1}, [float("nan")], {1: "a"}, b"x", {"a": {1, 2}}, "\ud800"])
def test_canonical_json_refuses_what_has_no_single_spelling(value: object) -> None:
    with pytest.raises(InputError):
        canonical_json(value)  # type: ignore[arg-type]
