"""Files are kept as received, whole or not at all, and a change to one is noticed."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest
from tallystick.adapters.custody.archive import FolderStatementArchive, MemoryStatementArchive, StatementArchive
from tallystick.errors import StoreConflict, StoreError

DATA = b"<Document/>"
HASH = hashlib.sha256(DATA).digest()


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(params=["memory", "folder"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> StatementArchive:
    return MemoryStatementArchive() if request.param == "memory" else FolderStatementArchive(tmp_path / "statements")


async def test_bytes_are_kept_under_their_hash(archive: StatementArchive) -> None:
    assert not await archive.holds(HASH)
    assert await archive.keep(DATA) == HASH
    assert await archive.get(HASH) == DATA
    assert await archive.holds(HASH)


async def test_keeping_the_same_bytes_again_changes_nothing(archive: StatementArchive) -> None:
    assert await archive.keep(DATA) == await archive.keep(DATA)
    assert await archive.get(HASH) == DATA


async def test_bytes_that_were_never_kept_are_refused(archive: StatementArchive) -> None:
    with pytest.raises(StoreError, match="No file"):
        await archive.get(HASH)


async def test_the_same_bytes_again_leave_the_file_alone(tmp_path: Path) -> None:
    archive = FolderStatementArchive(tmp_path)
    await archive.keep(DATA)
    before = archive.path_of(HASH).stat()
    await archive.keep(DATA)
    after = archive.path_of(HASH).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


async def test_many_at_once_leave_one_file_and_nothing_beside_it(tmp_path: Path) -> None:
    archive = FolderStatementArchive(tmp_path)
    await asyncio.gather(*(archive.keep(DATA) for _ in range(20)))
    assert files_in(tmp_path) == [HASH.hex()]


async def test_a_kept_file_is_read_only(tmp_path: Path) -> None:
    archive = FolderStatementArchive(tmp_path)
    await archive.keep(DATA)
    assert archive.path_of(HASH).stat().st_mode & 0o222 == 0


async def test_a_file_somebody_changed_is_noticed_on_reading_and_on_keeping(tmp_path: Path) -> None:
    archive = FolderStatementArchive(tmp_path)
    await archive.keep(DATA)
    archive.path_of(HASH).chmod(0o600)
    archive.path_of(HASH).write_bytes(b"<Other/>")
    with pytest.raises(StoreConflict, match="not what was kept"):
        await archive.get(HASH)
    with pytest.raises(StoreConflict):
        await archive.keep(DATA)
    assert archive.path_of(HASH).read_bytes() == b"<Other/>"


async def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="could not be kept"):
        await FolderStatementArchive(tmp_path / "file").keep(DATA)


async def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = FolderStatementArchive(tmp_path)
    os.makedirs(archive.path_of(HASH) / "in the way")  # noqa: PTH103 - a folder where the file would go
    with pytest.raises(StoreError):
        await archive.keep(DATA)
    assert files_in(tmp_path) == []


async def test_a_hash_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="32 bytes"):
        await FolderStatementArchive(tmp_path).get(b"../../etc/passwd")
