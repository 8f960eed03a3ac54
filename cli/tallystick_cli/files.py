"""Files that a person names to a command, read and written."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tallystick.errors import InputError


def read_file(file: Path) -> bytes:
    """A file's bytes. InputError when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", hint="Check the path.") from error


def notice_hash(file: Path) -> bytes:
    """The SHA-256 of what a custodian sent. InputError when it cannot be read, or is empty."""
    content = read_file(file)
    if not content:
        raise InputError(f"{file} is empty.", hint="Give the file that the custodian sent.")
    return hashlib.sha256(content).digest()


def write_file(file: Path, content: bytes) -> None:
    """Write a result where it was asked for. InputError when that is not possible."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror}.", hint="Name another place, or make room; then run it again."
        ) from error
