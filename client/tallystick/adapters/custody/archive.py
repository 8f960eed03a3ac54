"""Files as received, kept under their SHA-256 and never changed."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final, Protocol

from tallystick.domain.canonical import sha256
from tallystick.errors import StoreConflict, StoreError

_HASH_LENGTH: Final = 32


class StatementArchive(Protocol):
    """Keeps each file's bytes under their SHA-256 (32 bytes)."""

    async def keep(self, data: bytes) -> bytes:
        """Store the bytes and return their hash; bytes that are there already are left alone."""
        ...

    async def get(self, source_hash: bytes) -> bytes:
        """The bytes with that hash; StoreError when there are none, StoreConflict when they were changed since."""
        ...

    async def holds(self, source_hash: bytes) -> bool:
        """True when bytes with that hash were kept."""
        ...


class MemoryStatementArchive:
    """An archive for the length of a process."""

    def __init__(self) -> None:
        self._files: dict[bytes, bytes] = {}

    async def keep(self, data: bytes) -> bytes:
        source_hash = sha256(data)
        self._files.setdefault(source_hash, bytes(data))
        return source_hash

    async def get(self, source_hash: bytes) -> bytes:
        try:
            return self._files[source_hash]
        except KeyError as error:
            raise _absent(source_hash) from error

    async def holds(self, source_hash: bytes) -> bool:
        return source_hash in self._files


class FolderStatementArchive:
    """An archive in a folder: one read-only file each, named by its hash in hex, in subfolders of its first two digits.

    A file appears whole or not at all: it is written beside its place, forced to disk, and renamed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, data: bytes) -> bytes:
        return await asyncio.to_thread(self._keep, data)

    async def get(self, source_hash: bytes) -> bytes:
        return await asyncio.to_thread(self._get, source_hash)

    async def holds(self, source_hash: bytes) -> bool:
        return await asyncio.to_thread(self.path_of(source_hash).is_file)

    def path_of(self, source_hash: bytes) -> Path:
        """Where the file with that hash is, or would be."""
        if len(source_hash) != _HASH_LENGTH:
            raise StoreError(f"A file's SHA-256 has 32 bytes, not {len(source_hash)}.")
        name = source_hash.hex()
        return self._folder / name[:2] / name

    def _keep(self, data: bytes) -> bytes:
        source_hash = sha256(data)
        place = self.path_of(source_hash)
        try:
            if place.is_file():
                self._get(source_hash)
                return source_hash
            place.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(place, data)
        except OSError as error:
            raise StoreError(
                f"The statement could not be kept in {self._folder}: {error}",
                hint="Check that the folder can be written and has room; the statement was not used.",
            ) from error
        return source_hash

    def _get(self, source_hash: bytes) -> bytes:
        place = self.path_of(source_hash)
        try:
            data = place.read_bytes()
        except FileNotFoundError as error:
            raise _absent(source_hash) from error
        except OSError as error:
            raise StoreError(f"The statement {source_hash.hex()} could not be read: {error}") from error
        if sha256(data) != source_hash:
            raise StoreConflict(
                f"The file {place} is not what was kept there: its SHA-256 is {sha256(data).hex()}.",
                hint="Somebody changed it. Restore it from a backup, and find out who.",
            )
        return data


def _write_whole(place: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".incoming-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o440)
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _absent(source_hash: bytes) -> StoreError:
    return StoreError(
        f"No file with SHA-256 {source_hash.hex()} was kept.",
        hint="Read the statement's file again; the same file has the same hash.",
    )
