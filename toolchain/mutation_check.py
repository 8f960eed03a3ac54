"""Takes each guard out of the program in turn, and expects a test of the program to fail.

usage: uv run python toolchain/mutation_check.py [--only WORDS] [--limit N] [--jobs N] [--again] [--list | --compile]

tests/mutations/guards.toml lists the guards. The tree is copied to target/mutations. A build takes a minute, so guards
are put behind switches there (mutation_switches.py), as many as do not overlap in one program; all tests have to pass
on it while every guard is in, and then one guard at a time is switched off in the file. A guard for which no switch can
be made is taken out of the source, and the program built for it alone; so is one that survived, which is tried again
so before it counts, unless the list says what stands behind it. The tests run here, with the program in the variable
TALLYSTICK_PROGRAM_SO, which nothing but the tests' chain reads. What was found is kept in target/mutations/results.json
until the program or the guard changes, or the test that failed is gone, so a run that was interrupted goes on where it
stopped; what survived is tried again once the tests have changed, where it is not known why. docs/mutations.md is
written at the end.
Exit status 1 when a guard survived and the list does not say why, does not build, or was not run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Queue
from threading import Lock

from mutation_forks import PROGRAM_VARIABLE, Tests, waiting
from mutation_switches import SWITCH, switched, with_taken_out

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path("programs/tallystick/src")
GUARDS = ROOT / "tests" / "mutations" / "guards.toml"
DOCUMENT = ROOT / "docs" / "mutations.md"
PROGRAM = ROOT / "client" / "tallystick" / "program" / "tallystick.so"
FOLDER = ROOT / "target" / "mutations"
COPIED = ("programs", "toolchain", "Cargo.toml", "Cargo.lock", "rustfmt.toml", "Anchor.toml")
FIRST = ("test_refusals.py", "test_traps.py", "test_actions.py", "test_control.py", "test_distributions.py")
LAST = ("test_attacks.py", "test_authority.py")
LEFT_OUT = ("test_compute_units.py", "test_attack_coverage.py")
MEASURED = "tests/program/test_distributions.py::test_57_of_a_million_holders_are_paid_by_one_transaction"
"""Measured figures and tables of errors change with any build: a guard counts as tested where behaviour changes."""
SWITCHED = "program with switches"
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
ERROR = re.compile(r"(?:TallystickError|ErrorCode)::(\w+)")
UNTOUCHED = "untouched"

KILLED, SURVIVED, NOT_BUILT, NOT_RUN = "killed", "SURVIVED", "DOES NOT BUILD", "not run"


@dataclass(frozen=True, slots=True)
class Guard:
    """Text that is in a file of the program exactly once, and what stands there when the guard is out."""

    name: str
    serves: str
    file: str
    line: str
    instead: str
    behind: str = ""
    """What refuses the same where this guard is out, and how that is known; empty where a test has to fail."""

    @property
    def path(self) -> Path:
        """Within the tree."""
        return SOURCE / self.file

    def problem(self, root: Path = ROOT) -> str | None:
        """Why this guard cannot be taken out; None where it can."""
        path = root / self.path
        if not path.exists():
            return f"{self.path} does not exist"
        found = path.read_text(encoding="utf-8").count(self.line)
        if found != 1:
            return f"{self.path} has its line {found} times, once expected"
        return "what stands instead is the same" if self.line == self.instead else None

    def taken_out(self, text: str) -> str:
        """The file without the guard."""
        return text.replace(self.line, self.instead)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one guard. `test` is the first that failed; seconds are for building and testing together."""

    outcome: str
    test: str = ""
    seconds: int = 0
    tests: str = ""
    """Fingerprint of the tests that ran."""

    def holds(self, tests: str) -> bool:
        """Whether it still says something: other tests may kill what survived; a kill stands while its test does."""
        return self.tests == tests or (self.outcome == KILLED and exists(self.test))


def guards(path: Path = GUARDS) -> list[Guard]:
    """Every guard listed, in order. SystemExit where two have one name."""
    listed = [Guard(**each) for each in tomllib.loads(path.read_text(encoding="utf-8"))["guard"]]
    names = [each.name for each in listed]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SystemExit(f"{path.name}: listed twice: {', '.join(twice)}")
    return listed


def problems(listed: Iterable[Guard], root: Path = ROOT) -> list[str]:
    """One line for each guard that is no longer in the program as listed."""
    return [f"{each.name}: {problem}" for each in listed if (problem := each.problem(root))]


def program_tests() -> tuple[str, ...]:
    """The tests of the program, first those that notice most guards, last those that take longest."""
    names = sorted(path.name for path in (ROOT / "tests" / "program").glob("test_*.py"))
    between = (name for name in names if name not in FIRST + LAST + LEFT_OUT)
    return f"--deselect={MEASURED}", *(f"tests/program/{name}" for name in (*FIRST, *between, *LAST))


LAWS = ("tests/property/test_laws.py",)
"""What runs where the tests of the program notice nothing."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A guard in a program with switches, and where it is in its file."""

    number: int
    guard: Guard
    start: int
    text: str
    words: tuple[str, ...]
    """Of tests that are likely to fail: the error that follows in the file, and the instruction."""

    @property
    def end(self) -> int:
        """Where it ends in the file as it is."""
        return self.start + len(self.guard.line)

    def overlaps(self, other: Switch) -> bool:
        """Whether both cannot be in one program."""
        return self.guard.file == other.guard.file and self.start < other.end and other.start < self.end


def layers(chosen: Iterable[Guard], root: Path = ROOT) -> tuple[list[list[Switch]], list[Guard]]:
    """The programs with switches that these guards need, and the guards that cannot have one."""
    found: list[list[Switch]] = []
    alone = []
    for number, guard in enumerate(chosen, 1):
        text = (root / guard.path).read_text(encoding="utf-8")
        start = text.index(guard.line)
        made = switched(guard.line, guard.instead, text[start:], number)
        if made is None:
            alone.append(guard)
            continue
        words = (*(f"[{each}-" for each in ERROR.findall(text[start:])[:1]), f"[{guard.path.stem}")
        switch = Switch(number, guard, start, made, words)
        for layer in found:
            if not any(switch.overlaps(each) for each in layer):
                layer.append(switch)
                break
        else:
            found.append([switch])
    return found, alone


class Mutations:
    """The copy of the tree, and what was found so far."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.lock = Lock()
        self.tree = folder / "tree"
        self.binary = folder / "tallystick.so"
        self.log = folder / "last.log"
        self.results = folder / "results.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.program = fingerprint("programs", "Cargo.lock")
        self.tests = fingerprint("tests/program", "tests/property")
        self.found: dict[str, Result] = {}
        if self.results.exists():
            kept = json.loads(self.results.read_text(encoding="utf-8"))
            self.found = {key: Result(**each) for key, each in kept.items()}

    def key(self, guard: Guard | None) -> str:
        """Changes when the program or the guard does."""
        listed = {} if guard is None else asdict(guard)
        listed.pop("behind", None)
        text = json.dumps(listed, sort_keys=True) if guard else UNTOUCHED
        return hashlib.sha256(f"{self.program}{text}".encode()).hexdigest()

    def result(self, guard: Guard | None) -> Result:
        """What was found of a guard, as long as it still holds."""
        found = self.found.get(self.key(guard), Result(NOT_RUN))
        is_known = guard is not None and is_good(guard, found)
        return found if found.holds(self.tests) or (found.outcome == SURVIVED and is_known) else Result(NOT_RUN)

    def copy(self) -> None:
        """Bring the copy up to date; files that have not changed keep their time, so that little is built anew."""
        wanted = [Path(each) for each in _git("ls-files", "--cached", "--others", "--exclude-standard", "--", *COPIED)]
        wanted = [each for each in wanted if (ROOT / each).is_file()]
        for path in wanted:
            source, target = ROOT / path, self.tree / path
            if target.exists() and target.read_bytes() == source.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
        for stale in set(self.tree.rglob("*.rs")) - {self.tree / path for path in wanted}:
            if "target" not in stale.relative_to(self.tree).parts:
                stale.unlink()

    def run(self, guard: Guard | None) -> Result:
        """Build and test without the guard; the program as it is for None. The copy is whole again afterwards."""
        started = time.monotonic()
        edits = {guard.path: guard.taken_out((self.tree / guard.path).read_text(encoding="utf-8"))} if guard else {}
        built = self._built(edits, self.binary)
        result = self._tested(self.binary, self.log, program_tests(), LAWS) if built else Result(NOT_BUILT)
        return self._keep(guard, result, started)

    def build_switched(self, layer: list[Switch], binary: Path) -> bool:
        """Build the program in which each of these guards has a switch. The copy is whole again afterwards."""
        edits = {SOURCE / "lib.rs": (self.tree / SOURCE / "lib.rs").read_text(encoding="utf-8")}
        for switch in sorted(layer, key=lambda each: each.start, reverse=True):
            path = switch.guard.path
            text = edits.get(path) or (self.tree / path).read_text(encoding="utf-8")
            edits[path] = text[: switch.start] + switch.text + text[switch.end :]
        edits[SOURCE / "lib.rs"] += SWITCH
        text = json.dumps([self.program, sorted((str(path), text) for path, text in edits.items())])
        key, kept = hashlib.sha256(text.encode()).hexdigest(), binary.with_suffix(".sha256")
        if binary.exists() and kept.exists() and kept.read_text(encoding="utf-8") == key:
            return True
        kept.unlink(missing_ok=True)
        built = self._built(edits, binary)
        if built:
            kept.write_text(key, encoding="utf-8")
        return built

    def run_switched(self, tests: Tests, binary: Path, switch: Switch | None) -> Result:
        """Test the program with switches without this guard; with all of them for None. Only a kill is kept."""
        started = time.monotonic()
        with self._mutant(binary, switch.number if switch else 0) as (mutant, _):
            failed = tests.first_failure(mutant, *(switch.words if switch else ()))
        if switch and failed:
            return self._keep(switch.guard, Result(KILLED, failed), started)
        return Result(KILLED, failed) if failed else Result(SURVIVED)

    def run_laws(self, binary: Path, switch: Switch) -> Result:
        """What the laws' own tests, which take a minute or two, say where the tests of the program noticed nothing."""
        started = time.monotonic()
        with self._mutant(binary, switch.number) as (mutant, log):
            result = self._tested(mutant, log, LAWS)
            if result.outcome == KILLED and self._tested(binary, log, LAWS).outcome == KILLED:
                result = Result(SURVIVED)
        return self._keep(switch.guard, result, started)

    def whole_key(self, binary: Path) -> str:
        """Of what the tests said of a program from which nothing is taken out."""
        return hashlib.sha256(binary.read_bytes() + self.tests.encode()).hexdigest()

    def keep_whole(self, binary: Path, result: Result) -> Result:
        """Remember that."""
        self.found[self.whole_key(binary)] = result
        return result

    @contextmanager
    def _mutant(self, binary: Path, number: int) -> Iterator[tuple[Path, Path]]:
        name = f"{binary.stem} without {number}"
        mutant, log = self.folder / f"{name}.so", self.folder / f"{name}.log"
        mutant.write_bytes(with_taken_out(binary.read_bytes(), number))
        try:
            yield mutant, log
        finally:
            mutant.unlink()
            log.unlink(missing_ok=True)

    def _keep(self, guard: Guard | None, result: Result, started: float) -> Result:
        result = replace(result, seconds=round(time.monotonic() - started), tests=self.tests)
        with self.lock:
            self.found[self.key(guard)] = result
            written = {key: asdict(each) for key, each in self.found.items()}
            self.results.write_text(json.dumps(written, indent=1), encoding="utf-8")
        return result

    def compiles(self, guard: Guard) -> bool:
        """Whether the program compiles without the guard, for this machine. The copy is whole again afterwards."""
        path = self.tree / guard.path
        before = path.read_text(encoding="utf-8")
        try:
            path.write_text(guard.taken_out(before), encoding="utf-8")
            return not self._logged(["cargo", "check", "--locked", "--quiet", "--lib"], self.tree, {}, self.log)
        finally:
            path.write_text(before, encoding="utf-8")

    def _built(self, edits: dict[Path, str], binary: Path) -> bool:
        before = {path: (self.tree / path).read_text(encoding="utf-8") for path in edits}
        build = [str(self.tree / "toolchain" / "build-sbf"), str(self.tree / "programs/tallystick"), str(binary)]
        try:
            for path, text in edits.items():
                (self.tree / path).write_text(text, encoding="utf-8")
            return not self._logged(build, self.tree, {}, self.log)
        finally:
            for path, text in before.items():
                (self.tree / path).write_text(text, encoding="utf-8")

    def _tested(self, binary: Path, log: Path, *selections: tuple[str, ...]) -> Result:
        for selection in selections:
            pytest = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", "-p", "no:cacheprovider", *selection]
            if self._logged(pytest, ROOT, {PROGRAM_VARIABLE: str(binary)}, log):
                failed = FAILED.search(log.read_text(encoding="utf-8", errors="replace"))
                return Result(KILLED, failed.group(1) if failed else "no test: " + log.read_text()[-200:])
        return Result(SURVIVED)

    @staticmethod
    def _logged(command: list[str], folder: Path, variables: dict[str, str], log: Path) -> int:
        with log.open("wb") as file:
            return subprocess.run(  # noqa: S603 (our own commands)
                command, cwd=folder, env=os.environ | variables, stdout=file, stderr=subprocess.STDOUT, check=False
            ).returncode


def exists(test: str) -> bool:
    """Whether a test that pytest named `file::function[parameters]` is there."""
    file, _, function = test.partition("[")[0].partition("::")
    path = ROOT / file
    return path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")


def fingerprint(*paths: str) -> str:
    """Of everything in the tree under these paths."""
    digest = hashlib.sha256()
    for path in _git("ls-files", "--cached", "--others", "--exclude-standard", "--", *paths):
        if (ROOT / path).is_file():
            digest.update(f"{path}\0".encode() + hashlib.sha256((ROOT / path).read_bytes()).digest())
    return digest.hexdigest()


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607
    return sorted(set(done.stdout.splitlines()))


def document(rows: list[tuple[Guard, Result]], written: str, program: str) -> str:
    """docs/mutations.md; `written` is the date, and `program` the SHA-256 of the program from which was taken."""
    counts = {outcome: sum(result.outcome == outcome for _, result in rows) for outcome in (KILLED, SURVIVED, NOT_RUN)}
    lines = [
        "# Mutations",
        "",
        "Each guard of `tests/mutations/guards.toml` was taken out of the program in turn, and the tests of",
        "`tests/program` and `tests/property/test_laws.py` ran until one failed. A guard whose absence no test notices",
        "is one that could be lost unnoticed. `make mutation` writes this page; `toolchain/mutation_check.py` says how",
        "a guard is taken out. The seconds are for the tests, and for the build where the guard had one of its own.",
        "",
        f"Written {written}, of the program `client/tallystick/program/tallystick.so` with the SHA-256",
        f"`{program}`.",
        "",
        f"{len(rows)} guards: {counts[KILLED]} killed, {counts[SURVIVED]} survived, {counts[NOT_RUN]} not run.",
        "",
        *_survivors(rows),
        "| serves | guard | in | result | first test that failed | seconds |",
        "| --- | --- | --- | --- | --- | ---: |",
    ]
    for guard, result in rows:
        test = result.test.replace("tests/", "").replace("|", "\\|")
        place = f"`{guard.path}`"
        lines.append(
            f"| {guard.serves} | {guard.name} | {place} | {result.outcome} | {test} | {result.seconds or ''} |"
        )
    return "\n".join(lines) + "\n"


def _survivors(rows: list[tuple[Guard, Result]]) -> list[str]:
    """What is said of the guards whose absence no test notices."""
    survived = [guard for guard, result in rows if result.outcome == SURVIVED]
    if not survived:
        return []
    reasons = [f"- {each.name} (`{each.path}`): {each.behind or 'no reason is known'}" for each in survived]
    return ["Survived, because something else refuses the same:", "", *reasons, ""]


def is_good(guard: Guard, result: Result) -> bool:
    """Whether a test failed without the guard; or none did, and it is known why."""
    return result.outcome == KILLED or (result.outcome == SURVIVED and bool(guard.behind))


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when every chosen guard is killed."""
    parser = argparse.ArgumentParser(description="Take each guard out of the program; a test has to fail.")
    parser.add_argument("--only", help="guards whose name, file or law has these words in it")
    parser.add_argument("--limit", type=int, help="so many guards that were not run yet, and no more")
    parser.add_argument("--jobs", type=int, default=2, help="so many tests at once")
    parser.add_argument("--again", action="store_true", help="also those whose result is known")
    parser.add_argument("--compile", action="store_true", help="only see whether the program compiles without each")
    parser.add_argument("--list", action="store_true", help="show what is known and run nothing")
    options = parser.parse_args(arguments)
    listed = guards()
    if missing := problems(listed):
        sys.stderr.write("These guards are not in the program as listed:\n  " + "\n  ".join(missing) + "\n")
        return 1
    words = (options.only or "").lower()
    chosen = [each for each in listed if words in f"{each.name} {each.file} {each.serves}".lower()]
    mutations = Mutations()
    if options.compile:
        return 0 if compile_all(mutations, chosen) else 1
    if not options.list:
        run = [each for each in chosen if options.again or mutations.result(each).outcome == NOT_RUN][: options.limit]
        if run and not run_all(mutations, listed, run, options.jobs):
            return 1
    rows = [(each, mutations.result(each)) for each in listed]
    if any(result.outcome != NOT_RUN for _, result in rows):
        program = hashlib.sha256(PROGRAM.read_bytes()).hexdigest()
        DOCUMENT.write_text(document(rows, time.strftime("%Y-%m-%d", time.gmtime()), program), encoding="utf-8")
    for each in chosen:
        if options.list or mutations.result(each).outcome not in (KILLED, NOT_RUN):
            show(each, mutations.result(each))
    missing_results = sum(mutations.result(each).outcome == NOT_RUN for each in chosen)
    sys.stdout.write(
        f"{len(chosen)} guards chosen, {missing_results} of them not run yet; {DOCUMENT.name} is written\n"
    )
    return 0 if all(is_good(each, mutations.result(each)) for each in chosen) else 1


def compile_all(mutations: Mutations, chosen: list[Guard]) -> bool:
    """Whether the program compiles, for this machine, without each of these: seconds where a build takes a minute."""
    mutations.copy()
    good = True
    for each in chosen:
        if not mutations.compiles(each):
            sys.stdout.write(f"{NOT_BUILT}: {each.name}\n{mutations.log.read_text(encoding='utf-8')}\n")
            good = False
    return good


def run_all(mutations: Mutations, listed: list[Guard], chosen: list[Guard], jobs: int) -> bool:
    """Run these. False when the tests fail on a program from which nothing is taken out: then nothing can be told."""
    with ExitStack() as stack:
        idle: Queue[Tests] = Queue()
        for number in range(jobs):
            idle.put(stack.enter_context(waiting(program_tests(), ROOT, mutations.folder / f"tests {number}.log")))
        return _run_all(mutations, listed, chosen, idle, jobs)


def _run_all(mutations: Mutations, listed: list[Guard], chosen: list[Guard], idle: Queue[Tests], jobs: int) -> bool:
    def run(binary: Path, switch: Switch | None) -> Result:
        tests = idle.get()
        try:
            return mutations.run_switched(tests, binary, switch)
        finally:
            idle.put(tests)

    mutations.copy()
    programs, alone = layers(listed, mutations.tree)
    alone = [each for each in alone if each in chosen]
    survivors: list[tuple[Path, Switch]] = []
    for number, program in enumerate(programs, 1):
        layer = [each for each in program if each.guard in chosen]
        if not layer:
            continue
        say(f"{SWITCHED} {number} of {len(programs)}: {len(layer)} guards")
        binary = mutations.folder / f"switched {number}.so"
        if not mutations.build_switched(program, binary):
            sys.stderr.write(f"it does not build: {mutations.log}\n")
            return False
        whole = mutations.found.get(mutations.whole_key(binary)) or mutations.keep_whole(binary, run(binary, None))
        if whole.outcome != SURVIVED:
            sys.stderr.write(f"nothing was taken out, and: {whole.outcome} {whole.test}\n")
            return False
        with ThreadPoolExecutor(jobs) as pool:
            results = pool.map(run, [binary] * len(layer), layer)
            for switch, result in zip(layer, results, strict=True):
                if result.outcome == KILLED:
                    show(switch.guard, result)
                else:
                    say(f"not noticed yet: {switch.guard.name}")
                    survivors.append((binary, switch))
    with ThreadPoolExecutor(jobs) as pool:
        for (_, switch), result in zip(
            survivors, pool.map(lambda each: mutations.run_laws(*each), survivors), strict=True
        ):
            show(switch.guard, result)
            if result.outcome != KILLED and not switch.guard.behind:
                alone.append(switch.guard)
    for each in alone:
        say(f"built alone: {each.name}")
        show(each, mutations.run(each))
    return True


def say(line: str) -> None:
    """One line of progress, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(guard: Guard, result: Result) -> None:
    """One line of the table."""
    say(f"{result.outcome:<14} {result.seconds:>5} s  {guard.serves}: {guard.name}  {result.test}")


if __name__ == "__main__":
    raise SystemExit(main())
