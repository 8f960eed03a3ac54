"""A command's result is written whole, or what was there before stays."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from tallystick.errors import InputError
from tallystick_cli.files import write_file


@pytest.fixture
def hundred_bytes() -> Iterator[None]:
    """No file may grow beyond a hundred bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_result_is_written_into_folders_that_are_made(tmp_path: Path) -> None:
    file = tmp_path / "2026-10" / "v1" / "report.json"
    write_file(file, b"{}")
    assert (file.read_bytes(), [*file.parent.iterdir()]) == (b"{}", [file])


def test_what_was_there_stays_when_there_is_no_room(tmp_path: Path, hundred_bytes: None) -> None:
    file = tmp_path / "report.json"
    write_file(file, b"before")
    with pytest.raises(InputError, match=r"report\.json cannot be written: File too large"):
        write_file(file, bytes(101))
    assert (file.read_bytes(), [*tmp_path.iterdir()]) == (b"before", [file])


def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "kept.json", tmp_path / "newest.json"
    target.write_bytes(b"before")
    link.symlink_to(target)
    write_file(link, b"after")
    assert (target.read_bytes(), link.is_symlink()) == (b"after", True)


def test_what_is_no_file_is_written_to_as_it_is() -> None:
    write_file(Path("/dev/null"), b"anything")
    assert not Path("/dev/null").is_file()
