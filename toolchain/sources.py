"""What toolchain/install fetches, checks, unpacks and builds with; standard library only."""

from __future__ import annotations

import hashlib
import lzma
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("TALLYSTICK_SHARED_TOOLCHAIN") or HERE.parent.parent / "shared" / "toolchain")
CACHE = Path(
    os.environ.get("TALLYSTICK_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tallystick"
)
BIN = CACHE / "bin"

# With --dry-run: commands and downloads are printed and not done.
dry_run = False


class Unavailable(Exception):
    """This source cannot give the tool; the message says why and the next source is tried."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run one command with its output shown. Raises Unavailable when it fails."""
    words = [str(word) for word in command]
    say("  $ " + " ".join([*(f"{key}={value}" for key, value in (env or {}).items()), shlex.join(words)]))
    if dry_run:
        return
    finished = subprocess.run(words, env={**os.environ, **(env or {})}, cwd=cwd, stdout=sys.stderr, check=False)
    if finished.returncode:
        raise Unavailable(f"{words[0]} ended with {finished.returncode}; run the same again to go on from there")


def output_of(*command: str | Path) -> str:
    """Standard output of a command, or "" when it is not there or fails."""
    try:
        finished = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return finished.stdout if finished.returncode == 0 else ""


def version_of(program: str | Path) -> str:
    """Second word of `program --version`, or ""."""
    words = output_of(program, "--version").split()
    return words[1] if len(words) > 1 else ""


def on_path(name: str) -> Path | None:
    """Where `name` is found on PATH, the cache's own folder left out."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder and Path(folder) != BIN]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return Path(found) if found else None


def require_program(name: str, why: str) -> str:
    found = shutil.which(name)
    if not found:
        raise Unavailable(f"{name} is not on PATH, and {why}")
    return found


def shared_archive(name: str) -> Path:
    """An archive of the shared folder whose SHA-256 is the one listed beside it."""
    archive = SHARED / name
    if not archive.is_file():
        raise Unavailable(f"{archive} is not there")
    listed: dict[str, str] = {}
    for listing in sorted(SHARED.glob("*.sha256")):
        for line in listing.read_text().splitlines():
            checksum, file = line.split(maxsplit=1)
            listed[file] = checksum
    expected = listed.get(name)
    digest = hashlib.sha256()
    with archive.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise SystemExit(f"{archive}: expected SHA-256 {expected}, found {digest.hexdigest()}; fetch it again")
    return archive


def place(source: Path, target: Path) -> None:
    """Move a finished executable to its place in one step, so that a stopped run never leaves half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, partial)
    partial.chmod(0o755)
    partial.replace(target)


def unpack_xz(archive: Path, target: Path) -> None:
    """Decompress one executable."""
    if dry_run:
        say(f"  unpack {archive} to {target}")
        return
    with tempfile.NamedTemporaryFile(dir=CACHE) as partial, lzma.open(archive) as stream:
        shutil.copyfileobj(stream, partial)
        partial.flush()
        place(Path(partial.name), target)


def unpack_tar(archive: Path, folder: Path, only: str = "") -> None:
    """Extract a tar archive, or the one member named `only`, into `folder`."""
    if dry_run:
        say(f"  unpack {archive} into {folder}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        members = [member for member in tar if not only or member.name == only]
        if not members:
            raise Unavailable(f"{archive} has no {only}")
        for member in members:
            if hasattr(tarfile, "data_filter"):
                tar.extract(member, folder, filter="data")
            else:
                tar.extract(member, folder)


def install_packages(*packages: str) -> None:
    """Install the Debian packages that are missing; without the right to, say which command does."""
    missing = [
        name for name in packages if "install ok installed" not in output_of("dpkg-query", "-Wf", "${Status}", name)
    ]
    if not missing:
        return
    require_program("apt-get", f"these are needed first: {' '.join(missing)}")
    if os.geteuid():
        raise Unavailable(f"run first: sudo apt-get update && sudo apt-get install -y {' '.join(missing)}")
    run("apt-get", "update")
    run("apt-get", "install", "-y", "--no-install-recommends", *missing, env={"DEBIAN_FRONTEND": "noninteractive"})


def cargo_install(crate: str, version: str, binary: str, target: Path, env: dict[str, str] | None = None) -> None:
    """Build one crate's binary. Cargo's target folder stays until it is in place, so a stopped build resumes."""
    require_program("cargo", f"{crate} {version} is built with it; run: toolchain/install rust")
    build = CACHE / "build" / f"{crate}-{version}"
    run(
        "cargo",
        "install",
        crate,
        "--version",
        version,
        "--locked",
        "--bin",
        binary,
        "--root",
        build / "root",
        "--no-track",
        "--force",
        env={**(env or {}), "CARGO_TARGET_DIR": str(build / "target")},
    )
    if dry_run:
        return
    place(build / "root" / "bin" / binary, target)
    if shutil.which("strip"):
        output_of("strip", target)
    shutil.rmtree(build)


def download(url: str, target: Path) -> None:
    """Fetch a file, going on from where an earlier attempt ended."""
    if dry_run:
        say(f"  download {url} to {target}")
        return
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with (
            urllib.request.urlopen(request, timeout=60) as response,
            partial.open("ab" if response.status == 206 else "wb") as stream,
        ):
            shutil.copyfileobj(response, stream, 1 << 20)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: the part on disk is already whole
            raise Unavailable(f"{url}: {error}") from None
    except OSError as error:
        raise Unavailable(f"{url}: {error}; run the same command again to go on from there") from None
    partial.replace(target)
