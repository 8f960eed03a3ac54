"""The built program, the Token-2022 program that clusters load, and the IDL, as shipped in this package.

program.sha256 has one line for each file, as `sha256sum` writes them. Nothing is returned that does not match its line.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from tallystick.errors import LedgerError

PROGRAM = "tallystick.so"
TOKEN_2022 = "token_2022.so"  # noqa: S105 (a file name)
IDL = "tallystick.json"
CHECKSUMS = "program.sha256"


def checksums() -> dict[str, str]:
    """File name to SHA-256 in hex, as committed. LedgerError if the list is missing or malformed."""
    found: dict[str, str] = {}
    for line in _read(CHECKSUMS).decode().splitlines():
        digest, _, name = line.partition(" ")
        name = name.strip().removeprefix("*")
        if len(digest) != 64 or not name:
            raise LedgerError(f"{CHECKSUMS}: lines of a SHA-256 and a file name expected, found {line!r}")
        found[name.rsplit("/", 1)[-1]] = digest
    return found


def artifact(name: str) -> bytes:
    """A shipped file's bytes. LedgerError if it is not listed, not there, or not the file that was committed."""
    expected = checksums().get(name)
    if expected is None:
        raise LedgerError(f"{name} is not listed in {CHECKSUMS}; reinstall tallystick")
    data = _read(name)
    digest = hashlib.sha256(data).hexdigest()
    if digest != expected:
        raise LedgerError(f"{name} has SHA-256 {digest}, {expected} expected; reinstall tallystick")
    return data


def program_binary() -> bytes:
    """Our program, as deployed."""
    return artifact(PROGRAM)


def token_2022_binary() -> bytes:
    """Token-2022 version 11, which has permissioned burn; both clusters load it."""
    return artifact(TOKEN_2022)


def idl() -> bytes:
    """The program's IDL, JSON."""
    return artifact(IDL)


def _read(name: str) -> bytes:
    try:
        return files("tallystick.program").joinpath(name).read_bytes()
    except FileNotFoundError:
        raise LedgerError(f"{name} is missing from the package; reinstall tallystick") from None
