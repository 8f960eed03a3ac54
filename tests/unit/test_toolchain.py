"""toolchain/install takes each tool from the nearest source that has it, and never a damaged or wrong one."""

from __future__ import annotations

import hashlib
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ANCHOR = "#!/bin/sh\necho anchor-cli 1.2.2\n"
OLDER_ANCHOR = "#!/bin/sh\necho anchor-cli 1.1.0\n"
# Stands for cargo: builds the "crate" only when the folder it keeps between runs holds what an earlier run left there.
CARGO = """#!/bin/sh
PATH=/usr/bin:/bin
while [ $# -gt 0 ]; do [ "$1" = --root ] && root=$2; shift; done
mkdir -p "$CARGO_TARGET_DIR" "$root/bin"
[ -e "$CARGO_TARGET_DIR/half" ] || { : > "$CARGO_TARGET_DIR/half"; exit 101; }
printf '#!/bin/sh\\necho anchor-cli 1.2.2\\n' > "$root/bin/anchor"
"""


class Machine:
    """A machine with nothing but the programs a test puts on it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.shared, self.cache = folder / "path", folder / "shared", folder / "cache"
        self.path.mkdir()
        self.shared.mkdir()

    def put_program(self, name: str, text: str) -> Path:
        program = self.path / name
        program.write_text(text)
        program.chmod(0o755)
        return program

    def share_archive(self, name: str, text: str) -> Path:
        archive = self.shared / name
        archive.write_bytes(lzma.compress(text.encode()))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        (self.shared / "toolchain.sha256").write_text(f"{digest}  {name}\n")
        return archive

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.path),
            "HOME": str(self.cache.parent),
            "TALLYSTICK_CACHE": str(self.cache),
            "TALLYSTICK_SHARED_TOOLCHAIN": str(self.shared),
        }
        return subprocess.run(
            [sys.executable, ROOT / "toolchain/install", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def cached(self) -> list[str]:
        """What lies in the cache's bin folder."""
        return sorted(path.name for path in (self.cache / "bin").glob("*"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_tool_on_path_at_the_right_version_is_used_and_nothing_is_cached(machine: Machine) -> None:
    program = machine.put_program("anchor", ANCHOR)
    machine.share_archive("anchor-1.2.2.xz", ANCHOR)
    done = machine.install("anchor")
    assert done.returncode == 0
    assert done.stdout == f"anchor: {program} (anchor 1.2.2; path)\n"
    assert machine.cached() == []


def test_a_tool_on_path_at_another_version_is_passed_over_for_the_shared_one(machine: Machine) -> None:
    machine.put_program("anchor", OLDER_ANCHOR)
    machine.share_archive("anchor-1.2.2.xz", ANCHOR)
    done = machine.install("anchor")
    assert done.stdout == f"anchor: {machine.cache / 'bin/anchor'} (anchor 1.2.2; shared)\n"


def test_the_second_run_finds_the_tool_in_the_cache(machine: Machine) -> None:
    archive = machine.share_archive("anchor-1.2.2.xz", ANCHOR)
    machine.install("anchor")
    archive.unlink()
    done = machine.install("anchor")
    assert done.stdout == f"anchor: {machine.cache / 'bin/anchor'} (anchor 1.2.2; cache)\n"


def test_a_damaged_archive_ends_the_run_and_installs_nothing(machine: Machine) -> None:
    archive = machine.share_archive("anchor-1.2.2.xz", ANCHOR)
    archive.write_bytes(lzma.compress(OLDER_ANCHOR.encode()))
    done = machine.install("anchor")
    assert done.returncode == 1
    assert "expected SHA-256" in done.stderr
    assert machine.cached() == []


def test_a_shared_tool_that_runs_as_another_version_is_not_accepted(machine: Machine) -> None:
    machine.share_archive("anchor-1.2.2.xz", OLDER_ANCHOR)
    done = machine.install("--from", "shared", "anchor")
    assert done.returncode == 1
    assert "does not run as anchor 1.2.2" in done.stderr


def test_a_build_that_was_stopped_goes_on_in_the_same_folder(machine: Machine) -> None:
    machine.put_program("cargo", CARGO)
    stopped = machine.install("anchor")
    assert stopped.returncode == 1
    assert "cargo ended with 101" in stopped.stderr
    assert machine.cached() == []
    done = machine.install("anchor")
    assert done.stdout == f"anchor: {machine.cache / 'bin/anchor'} (anchor 1.2.2; registry)\n"
    assert list((machine.cache / "build").glob("*")) == []


def test_without_any_source_the_run_says_what_to_do(machine: Machine) -> None:
    done = machine.install("anchor")
    assert done.returncode == 1
    assert "toolchain/install rust" in done.stderr


def test_a_check_installs_nothing_and_fails_for_what_is_missing(machine: Machine) -> None:
    machine.share_archive("anchor-1.2.2.xz", ANCHOR)
    done = machine.install("--check", "anchor")
    assert (done.returncode, done.stdout) == (1, "anchor: anchor 1.2.2: missing\n")
    assert machine.cached() == []


def test_a_dry_run_of_the_registries_prints_the_build_and_runs_nothing(machine: Machine) -> None:
    machine.put_program("cargo", "#!/bin/sh\nexit 9\n")
    done = machine.install("--dry-run", "--from", "registry", "anchor")
    assert done.returncode == 0
    assert "cargo install anchor-cli --version 1.2.2 --locked" in done.stderr
    assert machine.cached() == []


def test_a_rustc_of_another_version_is_not_the_rust_that_is_needed(machine: Machine) -> None:
    machine.put_program("cargo", "#!/bin/sh\nexit 9\n")
    machine.put_program("rustc", "#!/bin/sh\necho rustc 1.94.0\n")
    done = machine.install("--check", "rust")
    assert (done.returncode, done.stdout) == (1, "rust: rustc 1.95.0 with cargo: missing\n")


def test_any_chromium_on_path_is_the_browser(machine: Machine) -> None:
    program = machine.put_program("google-chrome", "#!/bin/sh\necho Google Chrome 140.0.1\n")
    done = machine.install("browser")
    assert (done.returncode, done.stdout) == (0, f"browser: {program} (a Chromium; path)\n")


def test_a_browser_that_does_not_run_is_none(machine: Machine) -> None:
    machine.put_program("chromium", "#!/bin/sh\nexit 1\n")
    done = machine.install("--check", "browser")
    assert (done.returncode, done.stdout) == (1, "browser: a Chromium: missing\n")


def test_a_machine_without_packages_is_told_which_ones_the_browser_needs(machine: Machine) -> None:
    done = machine.install("browser")
    assert done.returncode == 1
    assert "chromium fonts-dejavu-core" in done.stderr
