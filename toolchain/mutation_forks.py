"""Runs tests many times, each time on another program, and collects them once: mutation_check.py, which uses this.

As a plugin of pytest it reads, instead of running the tests, the path of one built program after the other, each on a
line, behind it words of the tests to run first. For each it forks, and the child runs the tests on that program until
one fails. What failed is written back, or an empty line. Most of a short run would be imports and collection otherwise.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PIPES = "TALLYSTICK_MUTATION_PIPES"
PROGRAM_VARIABLE = "TALLYSTICK_PROGRAM_SO"
CRASHED = "the tests crashed"


def pytest_runtestloop(session: pytest.Session) -> bool:
    """In place of running the tests once."""
    asked, answers = (int(each) for each in os.environ[PIPES].split(","))
    with os.fdopen(asked, encoding="utf-8") as requests, os.fdopen(answers, "w", encoding="utf-8") as replies:
        for line in requests:
            program, *words = line.rstrip("\n").split("\t")
            replies.write(_in_child(session, program, words) + "\n")
            replies.flush()
    return True


def _in_child(session: pytest.Session, program: str, words: list[str]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        failed = CRASHED
        try:
            os.environ[PROGRAM_VARIABLE] = program
            failed = _first_failure(session, words)
        finally:
            os.write(writing, failed.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read().decode()
    _, status = os.waitpid(child, 0)
    return text if status == 0 else CRASHED


def _first_failure(session: pytest.Session, words: list[str]) -> str:
    items = sorted(session.items, key=lambda item: [word not in item.nodeid for word in words])
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return item.nodeid
    return ""


class Tests:
    """A pytest that has collected some tests and waits for programs."""

    def __init__(self, selection: tuple[str, ...], root: Path, log: Path) -> None:
        asked, asking = os.pipe()
        answered, answering = os.pipe()
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        # A test that made a chain while it is collected would not notice the programs: it fails on this one.
        variables = os.environ | {PIPES: f"{asked},{answering}", "PYTHONPATH": path, PROGRAM_VARIABLE: os.devnull}
        options = ["-q", "--tb=line", "-p", "no:cacheprovider", "-p", "mutation_forks"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 (our own command)
                [sys.executable, "-m", "pytest", *options, *selection],
                cwd=root,
                env=variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(asked, answering),
            )
        os.close(asked)
        os.close(answering)
        self.requests = os.fdopen(asking, "w", encoding="utf-8")
        self.replies = os.fdopen(answered, encoding="utf-8")

    def first_failure(self, program: Path, *words: str) -> str:
        """The first test that fails on this program; empty when all pass. Those named by the first word come first."""
        self.requests.write("\t".join((str(program), *words)) + "\n")
        self.requests.flush()
        reply = self.replies.readline()
        if not reply:
            raise SystemExit("the tests could not be collected, or ended")
        return reply.strip()

    def close(self) -> None:
        """End it."""
        self.requests.close()
        self.process.wait()
        self.replies.close()


@contextmanager
def waiting(selection: tuple[str, ...], root: Path, log: Path) -> Iterator[Tests]:
    """Tests that wait for programs while the block runs."""
    tests = Tests(selection, root, log)
    try:
        yield tests
    finally:
        tests.close()
