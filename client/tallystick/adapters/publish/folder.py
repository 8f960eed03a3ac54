"""Where published files are put: a Protocol, a local folder, and in memory.

Names are paths below the folder, as 2026-10/v1/report.json. A file appears whole or not at all. Once the folder of a
version has its anchor.json, the chain has that version's hash, and its other files are never changed: whoever fetched
one yesterday has what is there today.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
from pathlib import Path
from typing import Final, Protocol

from tallystick.domain.reserve_report.published import ANCHOR
from tallystick.errors import InputError, StoreConflict, StoreError

_NAME: Final = re.compile(r"(?!.{201})[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_VERSION: Final = re.compile(r"([0-9]{4}-[0-9]{2}/v[0-9]+)/(.+)")
_INCOMING: Final = ".incoming-"


class PublishFolder(Protocol):
    """Files by name. Every method raises InputError for a name that is none, and StoreError when it cannot do it."""

    async def write(self, name: str, data: bytes) -> bool:
        """Put a file in place, whole, durable when the call returns. False when these very bytes are there already.

        StoreConflict for other bytes in a version that is anchored; its anchor.json alone may change.
        """
        ...

    async def read(self, name: str) -> bytes | None:
        """The file's bytes, None when there is none."""
        ...

    async def list(self, prefix: str = "") -> tuple[str, ...]:
        """Names of the files at or below a path, in the order of the names; all without one."""
        ...

    async def remove(self, name: str) -> None:
        """Take away a file of a version that was given up; none there is fine. StoreConflict in an anchored version."""
        ...


def require_name(name: str) -> str:
    """The name. InputError unless it is a plain path below a folder: letters, digits, . _ - and /, 200 at most."""
    if _NAME.fullmatch(name) is None:
        raise InputError(f"{name!r} is no name of a published file.")
    return name


def anchor_beside(name: str) -> str | None:
    """The anchor.json that, once it is there, keeps this file from being changed; None for files that may change."""
    found = _VERSION.fullmatch(name)
    return None if found is None or found[2] == ANCHOR else f"{found[1]}/{ANCHOR}"


class LocalPublishFolder:
    """A folder of this machine. A file is written beside its place under a name of its own, forced to disk, and
    renamed; what a crash leaves behind is taken up by the next write. Nothing outside the folder is read or written,
    whatever links somebody put into it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, name: str, data: bytes) -> bool:
        return await asyncio.to_thread(self._write, name, data)

    async def read(self, name: str) -> bytes | None:
        return await asyncio.to_thread(self._read, name)

    async def list(self, prefix: str = "") -> tuple[str, ...]:
        return await asyncio.to_thread(self._list, prefix)

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(self._remove, name)

    def path_of(self, name: str) -> Path:
        """Where a file is, or would be. StoreError when a link leads out of the folder."""
        root = self._folder.resolve()
        place = root / require_name(name)
        if place.is_symlink() or not place.parent.resolve().is_relative_to(root):
            raise StoreError(
                f"{place} is, or is behind, a link out of the folder of reports.",
                hint="Take the link away; published files are plain files.",
            )
        return place

    def _write(self, name: str, data: bytes) -> bool:
        place = self.path_of(name)
        there = self._read(name)
        if there == data:
            return False
        if there is not None:
            self._require_changeable(name)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(place, data)
        except OSError as error:
            raise _failed("written to", place, error) from error
        return True

    def _read(self, name: str) -> bytes | None:
        place = self.path_of(name)
        try:
            return place.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed("read from", place, error) from error

    def _list(self, prefix: str) -> tuple[str, ...]:
        top = self.path_of(prefix) if prefix else self._folder.resolve()
        if top.is_file():
            return (prefix,)
        root = self._folder.resolve()
        found = (str((Path(at) / each).relative_to(root)) for at, _, names in os.walk(top) for each in names)
        return tuple(sorted(each for each in found if _NAME.fullmatch(each)))

    def _remove(self, name: str) -> None:
        place = self.path_of(name)
        if not place.exists():
            return
        self._require_changeable(name)
        try:
            place.unlink()
            _force(place.parent)
        except OSError as error:
            raise _failed("removed from", place, error) from error

    def _require_changeable(self, name: str) -> None:
        anchor = anchor_beside(name)
        if anchor is not None and self.path_of(anchor).exists():
            raise _is_anchored(name)


class MemoryPublishFolder:
    """Files for the length of a process. `files` is public so that tests can look and tamper."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def write(self, name: str, data: bytes) -> bool:
        there = self.files.get(require_name(name))
        if there == data:
            return False
        if there is not None:
            self._require_changeable(name)
        self.files[name] = bytes(data)
        return True

    async def read(self, name: str) -> bytes | None:
        return self.files.get(require_name(name))

    async def list(self, prefix: str = "") -> tuple[str, ...]:
        return tuple(sorted(each for each in self.files if not prefix or f"{each}/".startswith(f"{prefix}/")))

    async def remove(self, name: str) -> None:
        if require_name(name) in self.files:
            self._require_changeable(name)
            del self.files[name]

    def _require_changeable(self, name: str) -> None:
        if anchor_beside(name) in self.files:
            raise _is_anchored(name)


def _write_whole(place: Path, data: bytes) -> None:
    temporary = place.with_name(f"{_INCOMING}{place.name}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        # Two at once would write into one another's file; the second one is told to come again.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino != temporary.stat().st_ino:
            raise BlockingIOError("another process has just written it")
        file.truncate()
        file.write(data)
        file.flush()
        os.fsync(descriptor)
        temporary.replace(place)
    _force(place.parent)


def _force(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(verb: str, place: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{place.name} cannot be {verb} {place.parent}: {error.strerror or error}.",
        hint="Check the folder, [report] folder in the profile or --folder: that it can be written and has room; then"
        " run it again.",
    )


def _is_anchored(name: str) -> StoreConflict:
    return StoreConflict(
        f"{name} belongs to a published version and stays as it is.",
        hint="A correction is a new version. If somebody changed the file, restore it from a backup.",
    )


__all__ = ["LocalPublishFolder", "MemoryPublishFolder", "PublishFolder", "anchor_beside", "require_name"]
