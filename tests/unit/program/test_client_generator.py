"""What the generator makes of an IDL that has every shape; expected bytes are written out by hand."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from generation import CABINET, generate
from solders.pubkey import Pubkey
from tallystick.errors import AmountError, IdentifierError, InputError, LedgerError, ProgramError

A, B, C = (Pubkey.from_bytes(bytes([number]) * 32) for number in (1, 2, 3))
TOKEN = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")


def discriminator(space: str, name: str) -> bytes:
    """Anchor's rule: the first 8 bytes of SHA-256("space:name")."""
    return hashlib.sha256(f"{space}:{name}".encode()).digest()[:8]


def drawer(cabinet: ModuleType, /, **changes: object) -> Any:
    values: dict[str, object] = {
        "version": 1,
        "cabinet": A,
        "number": 2**64 - 1,
        "label": b"x" * 32,
        "kind": cabinet.types.Kind.VALUABLE_PAPERS,
        "counts": (1, 2, 65_535),
        "total": 2**128 - 1,
        "opened_at": -1,
        "inside": cabinet.types.Inside(left=-2, right=b"ab"),
        "reserved": bytes(16),
    }
    return cabinet.accounts.Drawer(**(values | changes))


DRAWER_BYTES = (
    b"\x01"
    + bytes(A)
    + b"\xff" * 8
    + b"x" * 32
    + b"\x01"
    + b"\x01\x00\x02\x00\xff\xff"
    + b"\xff" * 16
    + b"\xff" * 8
    + b"\xfe\xff\xff\xffab"
    + bytes(16)
)


def every(cabinet: ModuleType) -> Any:
    """A value of every shape, and what is empty beside what is not."""
    types = cabinet.types
    inside = types.Inside(left=1, right=b"cd")
    return cabinet.accounts.Every(
        from_=7, a_bool=True, a_u8=1, a_i8=-1, a_u16=2, a_i16=-2, a_u32=3, a_i32=-3, a_f32=0.5, a_u64=4, a_i64=-4,
        a_f64=-0.25, a_u128=5, a_i128=-5, a_u256=6, a_i256=-6, a_bytes=b"\x00\xff", a_string="é", a_pubkey=B,
        option_key=None, option_bytes=b"wxyz", list_u8=b"", list_of_lists=((), (9, 10)), keys=(A, C),
        kinds=(types.Kind.OTHER, types.Kind.PAPER), shape=types.ShapeBox(width=11, inside=inside),
        shapes=(types.ShapeEmpty(), types.ShapeCircle(field_0=12)), insides=(inside, inside),
        nested=(None, inside), amount=13, pair=types.Pair(field_0=14, field_1=B), nothing=types.Nothing(),
    )  # fmt: skip


EVERY_BYTES = b"".join(
    [
        b"\x07", b"\x01", b"\x01", b"\xff", b"\x02\x00", b"\xfe\xff", b"\x03\x00\x00\x00", b"\xfd\xff\xff\xff",
        b"\x00\x00\x00\x3f", b"\x04" + bytes(7), b"\xfc" + b"\xff" * 7, b"\x00\x00\x00\x00\x00\x00\xd0\xbf",
        b"\x05" + bytes(15), b"\xfb" + b"\xff" * 15, b"\x06" + bytes(31), b"\xfa" + b"\xff" * 31,
        b"\x02\x00\x00\x00\x00\xff", b"\x02\x00\x00\x00\xc3\xa9", bytes(B),
        b"\x00", b"\x01wxyz", bytes(4),
        b"\x02\x00\x00\x00" + bytes(4) + b"\x02\x00\x00\x00\x09\x00\x00\x00\x0a\x00\x00\x00",
        bytes(A) + bytes(C), b"\x02\x00\x00\x00\x02\x00", b"\x02\x0b" + bytes(7) + b"\x01\x00\x00\x00cd",
        b"\x02\x00\x00\x00\x00\x01\x0c\x00\x00\x00", b"\x01\x00\x00\x00cd\x01\x00\x00\x00cd",
        b"\x01\x02\x00\x00\x00\x00\x01\x01\x00\x00\x00cd", b"\x0d" + bytes(7), b"\x0e" + bytes(B), b"",
    ]
)  # fmt: skip


def test_an_account_is_its_discriminator_and_its_fields_in_order(cabinet: ModuleType) -> None:
    data = discriminator("account", "Drawer") + DRAWER_BYTES
    assert drawer(cabinet).encode() == data
    assert cabinet.accounts.Drawer.decode(data) == drawer(cabinet)
    assert len(data) == cabinet.accounts.Drawer.SIZE


def test_every_shape_of_a_field_is_written_and_read_as_borsh_says(cabinet: ModuleType) -> None:
    data = discriminator("account", "Every") + EVERY_BYTES
    assert every(cabinet).encode() == data
    assert cabinet.accounts.Every.decode(data) == every(cabinet)
    assert cabinet.accounts.Every.SIZE is None


def test_offsets_say_where_each_field_of_an_account_starts(cabinet: ModuleType) -> None:
    data = drawer(cabinet).encode()
    offsets = cabinet.accounts.Drawer.OFFSETS
    assert data[offsets["cabinet"] :][:32] == bytes(A)
    assert data[offsets["kind"] :][:1] == b"\x01"
    assert offsets["reserved"] == len(data) - 16


def test_offsets_end_behind_the_first_field_of_varying_size(cabinet: ModuleType) -> None:
    offsets = cabinet.accounts.Every.OFFSETS
    assert every(cabinet).encode()[offsets["a_bytes"] :][:4] == b"\x02\x00\x00\x00"
    assert "a_string" not in offsets


def test_an_account_with_another_discriminator_is_refused(cabinet: ModuleType) -> None:
    data = every(cabinet).encode()
    with pytest.raises(LedgerError, match=r"account Drawer: discriminator .* expected"):
        cabinet.accounts.Drawer.decode(data)


@pytest.mark.parametrize("size", [0, 7, 8, 9, 60, 133])
def test_a_truncated_account_is_refused(cabinet: ModuleType, size: int) -> None:
    with pytest.raises(LedgerError, match=r"account Drawer: truncated"):
        cabinet.accounts.Drawer.decode(drawer(cabinet).encode()[:size])


def test_an_account_may_have_room_behind_its_content(cabinet: ModuleType) -> None:
    assert cabinet.accounts.Drawer.decode(drawer(cabinet).encode() + bytes(100)) == drawer(cabinet)


def test_bytes_behind_the_content_of_a_fixed_account_are_a_newer_version(cabinet: ModuleType) -> None:
    with pytest.raises(LedgerError, match="newer version"):
        cabinet.accounts.Drawer.decode(drawer(cabinet).encode() + bytes(9) + b"\x01")


def test_an_account_that_shrank_leaves_older_bytes_that_are_not_read(cabinet: ModuleType) -> None:
    assert cabinet.accounts.Every.decode(every(cabinet).encode() + b"\x09") == every(cabinet)


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", b"\x03"), ("kind", b"\xff")],
    ids=["the next variant", "the last byte"],
)
def test_a_variant_the_enum_does_not_have_is_refused(cabinet: ModuleType, field: str, value: bytes) -> None:
    data = bytearray(drawer(cabinet).encode())
    data[cabinet.accounts.Drawer.OFFSETS[field]] = value[0]
    with pytest.raises(LedgerError, match=r"variant of Kind \(0 to 2\) expected"):
        cabinet.accounts.Drawer.decode(bytes(data))


def test_a_variant_with_data_that_the_enum_does_not_have_is_refused(cabinet: ModuleType) -> None:
    event = cabinet.events.DrawerOpened(drawer=A, kind=cabinet.types.Kind.PAPER, label=bytes(32), shape=None)
    data = event.encode()[:-1] + b"\x01\x03"
    with pytest.raises(LedgerError, match=r"variant of Shape \(0 to 2\) expected"):
        cabinet.events.DrawerOpened.decode(data)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"number": 2**64}, AmountError),
        ({"number": -1}, AmountError),
        ({"number": 1.0}, AmountError),
        ({"number": True}, AmountError),
        ({"total": 2**128}, AmountError),
        ({"label": b"short"}, InputError),
        ({"counts": (1, 2)}, InputError),
        ({"cabinet": bytes(32)}, InputError),
    ],
    ids=["too large", "negative", "a float", "a bool", "u128 too large", "too few bytes", "too few values", "no key"],
)
def test_a_value_that_does_not_fit_is_refused_with_its_name(
    cabinet: ModuleType, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"Drawer.{next(iter(changes))}"):
        drawer(cabinet, **changes).encode()


def test_an_event_with_bytes_left_over_is_refused(cabinet: ModuleType) -> None:
    event = cabinet.events.DrawerOpened(
        drawer=A, kind=cabinet.types.Kind.OTHER, label=b"l" * 32, shape=cabinet.types.ShapeCircle(field_0=1)
    )
    data = discriminator("event", "DrawerOpened") + bytes(A) + b"\x02" + b"l" * 32 + b"\x01\x01\x01\x00\x00\x00"
    assert event.encode() == data
    assert cabinet.events.DrawerOpened.decode(data) == event
    with pytest.raises(LedgerError, match="1 bytes left over"):
        cabinet.events.DrawerOpened.decode(data + b"\x00")


def open_drawer(cabinet: ModuleType, /, **changes: object) -> Any:
    types = cabinet.types
    params = types.OpenDrawerParams(
        number=258, kind=types.Kind.VALUABLE_PAPERS, label=b"n" * 32, shape=types.ShapeEmpty()
    )
    values: dict[str, object] = {
        "owner": A, "mint": B, "sign_left": C, "params": params, "mint_argument": 5, "from_": None,
    }  # fmt: skip
    return cabinet.instructions.open_drawer(**(values | changes))


def test_an_instruction_is_its_discriminator_and_its_arguments(cabinet: ModuleType) -> None:
    arguments = b"\x02\x01" + bytes(6) + b"\x01" + b"n" * 32 + b"\x00" + b"\x05" + b"\x00"
    assert bytes(open_drawer(cabinet).data) == discriminator("global", "open_drawer") + arguments
    assert bytes(open_drawer(cabinet, from_=1).data)[-9:] == b"\x01\x01" + bytes(7)


def test_accounts_that_follow_from_others_are_derived(cabinet: ModuleType) -> None:
    program = cabinet.constants.PROGRAM_ID

    def at(*seeds: bytes, under: Pubkey = program) -> Pubkey:
        return Pubkey.find_program_address(list(seeds), under)[0]

    of = at(b"cabinet", bytes(A), (258).to_bytes(8, "little"))
    expected = [
        (A, True, True),
        (of, False, False),
        (at(b"drawer", bytes(of), b"\x01", b"n" * 32), False, True),
        (B, False, False),
        (at(bytes(A), bytes(TOKEN), bytes(B), under=ASSOCIATED), False, True),
        (program, False, False),
        (C, True, False),
        (at(b"right", bytes(C)), False, False),
        (TOKEN, False, False),
        (Pubkey.default(), False, False),
        (at(b"__event_authority"), False, False),
        (program, False, False),
    ]
    metas = open_drawer(cabinet).accounts
    assert [(meta.pubkey, meta.is_signer, meta.is_writable) for meta in metas] == expected


def test_an_optional_account_that_is_given_signs(cabinet: ModuleType) -> None:
    meta = open_drawer(cabinet, witness=B).accounts[5]
    assert (meta.pubkey, meta.is_signer, meta.is_writable) == (B, True, False)


@pytest.mark.parametrize("name", ["cabinet", "drawer", "associated", "system_program", "event_authority", "program"])
def test_an_account_that_would_be_derived_can_be_given(cabinet: ModuleType, name: str) -> None:
    roles = [role.name for role in cabinet.instructions.INSTRUCTIONS["open_drawer"].accounts]
    other = Pubkey.from_bytes(b"\x09" * 32)
    assert open_drawer(cabinet, **{name: other}).accounts[roles.index(name)].pubkey == other


def test_a_derived_account_follows_another_program_id(cabinet: ModuleType) -> None:
    instruction = open_drawer(cabinet, program_id=B)
    assert instruction.program_id == B
    assert instruction.accounts[10].pubkey == Pubkey.find_program_address([b"__event_authority"], B)[0]
    assert instruction.accounts[11].pubkey == B


def test_an_account_derived_from_the_content_of_another_has_to_be_given(cabinet: ModuleType) -> None:
    with pytest.raises(TypeError, match="'drawer' and 'cabinet'"):
        cabinet.instructions.close_drawer(owner=A)


def test_a_seed_that_is_constant_in_one_instruction_is_a_value_of_the_shared_type(cabinet: ModuleType) -> None:
    instruction = cabinet.instructions.close_drawer(owner=A, drawer=B, cabinet=C)
    shared = cabinet.pdas.drawer_address(A, cabinet.types.Kind.VALUABLE_PAPERS, b"s" * 32)
    assert instruction.accounts[3].pubkey == shared


def test_the_programs_own_address_as_a_seed_follows_the_program_id(cabinet: ModuleType) -> None:
    instruction = cabinet.instructions.close_drawer(owner=A, drawer=B, cabinet=C, program_id=C)
    assert instruction.accounts[4].pubkey == Pubkey.find_program_address([bytes(C)], LOADER)[0]


@pytest.mark.parametrize(("number", "label"), [(1, b"short"), (2**64, b"n" * 32)], ids=["too short", "too large"])
def test_a_seed_of_another_length_is_refused(cabinet: ModuleType, number: int, label: bytes) -> None:
    with pytest.raises(IdentifierError, match="address seed"):
        cabinet.pdas.drawer_address(cabinet.pdas.cabinet_address(A, number), cabinet.types.Kind.PAPER, label)


def test_errors_have_their_code_name_and_text(cabinet: ModuleType) -> None:
    error = cabinet.errors.ERRORS[6000](logs=["a log"], signature="s")
    assert isinstance(error, ProgramError)
    assert (error.code, error.name, error.logs, error.signature) == (6000, "DrawerLocked", ("a log",), "s")
    idl = json.loads(CABINET.read_text())
    assert error.text == idl["errors"][0]["msg"]
    assert str(error) == f"{error.text} (DrawerLocked, 6000)"


def test_constants_are_python_values(cabinet: ModuleType) -> None:
    constants = cabinet.constants
    assert (constants.LIMIT, constants.SEED, constants.WORD) == (604_800, b"ca", "cabinet")


def test_generated_values_cannot_be_changed(cabinet: ModuleType) -> None:
    value = drawer(cabinet)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.number = 1
    assert not hasattr(value, "__dict__")


def test_the_generated_code_passes_the_type_checker(cabinet: ModuleType) -> None:
    folder = Path(str(cabinet.__file__)).parent
    root = CABINET.parents[3]
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        "/dev/null",
        "--cache-dir",
        str(folder / ".m"),
    ]
    done = subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, check=False, env={"MYPYPATH": str(root / "client")}
    )
    assert done.returncode == 0, done.stdout


def _without_spec(idl: dict[str, Any]) -> None:
    idl["metadata"]["spec"] = "0.2.0"


def _with_zero_copy(idl: dict[str, Any]) -> None:
    idl["types"][1]["serialization"] = "bytemuck"


def _with_unknown_type(idl: dict[str, Any]) -> None:
    idl["types"][1]["type"]["fields"][0]["type"] = {"hashMap": ["u8", "u8"]}


def _with_disagreeing_seeds(idl: dict[str, Any]) -> None:
    idl["instructions"][1]["accounts"][2]["pda"]["seeds"][2] = {"kind": "account", "path": "owner"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without_spec, "IDL spec 0.1.0 expected, found 0.2.0"),
        (_with_zero_copy, "serialization bytemuck"),
        (_with_unknown_type, "Drawer.version: type"),
        (_with_disagreeing_seeds, "seed 2 of cabinet: one type expected"),
    ],
    ids=["another spec", "zero copy", "an unknown type", "seeds that disagree"],
)
def test_an_idl_the_generator_does_not_know_is_refused_and_nothing_written(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    idl = json.loads(CABINET.read_text())
    change(idl)
    (tmp_path / "idl.json").write_text(json.dumps(idl))
    done = generate("--idl", tmp_path / "idl.json", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_that_was_edited_by_hand_is_found(tmp_path: Path) -> None:
    assert generate("--idl", CABINET, "--out", tmp_path).returncode == 0
    assert generate("--idl", CABINET, "--out", tmp_path, "--check").returncode == 0
    (tmp_path / "types.py").write_text((tmp_path / "types.py").read_text() + "\n")
    done = generate("--idl", CABINET, "--out", tmp_path, "--check")
    assert done.returncode == 1
    assert done.stderr == "types.py differs from what the IDL says; run toolchain/generate_client.py\n"
