"""The folder of published files: whole or not at all, nothing outside it, and what is anchored stays."""

from __future__ import annotations

import fcntl
import stat
from pathlib import Path

import pytest
from tallystick.adapters.publish.folder import LocalPublishFolder, MemoryPublishFolder, PublishFolder
from tallystick.errors import InputError, StoreConflict, StoreError

REPORT, PAGE, ANCHOR = "2026-10/v1/report.json", "2026-10/v1/index.html", "2026-10/v1/anchor.json"


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> PublishFolder:
    """Either implementation."""
    return LocalPublishFolder(tmp_path / "reports") if request.param == "local" else MemoryPublishFolder()


async def test_what_is_written_is_read_back_and_listed_in_order(folder: PublishFolder) -> None:
    assert await folder.list() == ()
    for name in ("index.html", REPORT, "2026-10/v1/holders/US0378331005/00000.json", "2026-10/v10/report.json"):
        assert await folder.write(name, name.encode())
    assert await folder.read(REPORT) == REPORT.encode()
    assert await folder.read(PAGE) is None
    assert await folder.list() == (
        "2026-10/v1/holders/US0378331005/00000.json",
        REPORT,
        "2026-10/v10/report.json",
        "index.html",
    )
    assert await folder.list("2026-10/v1") == ("2026-10/v1/holders/US0378331005/00000.json", REPORT)
    assert await folder.list(REPORT) == (REPORT,)
    assert await folder.list("2026-11") == ()


async def test_the_same_bytes_are_not_written_again(folder: PublishFolder) -> None:
    assert await folder.write(REPORT, b"a")
    assert not await folder.write(REPORT, b"a")
    assert await folder.write(REPORT, b"b")
    assert await folder.read(REPORT) == b"b"


async def test_files_of_an_anchored_version_stay(folder: PublishFolder) -> None:
    await folder.write(REPORT, b"a")
    await folder.write(ANCHOR, b"anchor")
    for change in (folder.write(REPORT, b"b"), folder.remove(REPORT)):
        with pytest.raises(StoreConflict, match="stays as it is"):
            await change
    assert await folder.read(REPORT) == b"a"
    assert not await folder.write(REPORT, b"a")


async def test_an_anchored_version_is_completed_and_what_is_no_part_of_it_may_change(folder: PublishFolder) -> None:
    for name in (ANCHOR, "index.html", "proof-of-reserves.json", "2026-10/v2/report.json"):
        await folder.write(name, b"a")
        assert await folder.write(name, b"b")
    assert await folder.write(PAGE, b"page")


async def test_a_version_that_was_given_up_is_taken_away(folder: PublishFolder) -> None:
    await folder.write(REPORT, b"a")
    await folder.remove(REPORT)
    await folder.remove(REPORT)
    assert await folder.list() == ()


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../a", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a b", "ä", "a\\b", "a" * 201]
)
async def test_a_name_that_leads_elsewhere_is_refused(folder: PublishFolder, name: str) -> None:
    for call in (folder.write(name, b"a"), folder.read(name), folder.remove(name)):
        with pytest.raises(InputError):
            await call
    assert await folder.list() == ()


async def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (tmp_path / "reports" / "2026-10").symlink_to(tmp_path / "outside")
    (tmp_path / "reports" / "index.html").symlink_to(tmp_path / "outside" / "secret")
    folder = LocalPublishFolder(tmp_path / "reports")
    for name in ("2026-10/a.json", "2026-10/secret", "index.html"):
        for call in (folder.write(name, b"a"), folder.read(name), folder.remove(name)):
            with pytest.raises(StoreError, match="link out of the folder"):
                await call
    assert [each.read_bytes() for each in (tmp_path / "outside").iterdir()] == [b"secret"]


async def test_what_a_crash_left_behind_is_neither_listed_nor_in_the_way(tmp_path: Path) -> None:
    place = tmp_path / "2026-10" / "v1"
    place.mkdir(parents=True)
    (place / ".incoming-report.json").write_bytes(b"half of a longer fi")
    folder = LocalPublishFolder(tmp_path)
    assert await folder.list() == ()
    await folder.write(REPORT, b"whole")
    assert sorted(each.name for each in place.iterdir()) == ["report.json"]
    assert (place / "report.json").read_bytes() == b"whole"
    assert stat.S_IMODE((place / "report.json").stat().st_mode) & 0o444


async def test_two_that_write_one_file_at_once_do_not_mix(tmp_path: Path) -> None:
    folder = LocalPublishFolder(tmp_path)
    await folder.write(REPORT, b"before")
    with (tmp_path / "2026-10" / "v1" / ".incoming-report.json").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="cannot be written"):
            await folder.write(REPORT, b"mine")
    assert await folder.read(REPORT) == b"before"


async def test_a_file_where_a_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "2026-10").write_bytes(b"")
    with pytest.raises(StoreError, match=r"report\.json cannot be"):
        await LocalPublishFolder(tmp_path).write(REPORT, b"a")
