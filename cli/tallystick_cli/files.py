"""Files that a person names to a command, read and written."""

from __future__ import annotations

import hashlib
import os
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
    """Write a result where it was asked for, whole or not at all: what was there stays until all of it is written.
    InputError when that is not possible."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and not file.is_file():  # such as /dev/stdout
            file.write_bytes(content)
        else:
            _write_whole(file.resolve(), content)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror}.", hint="Name another place, or make room; then run it again."
        ) from error


def _write_whole(file: Path, content: bytes) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
