"""What a person sees and answers while a dividend is pushed: progress, the question after each stage, and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from tallystick.services.payout_report import PushProgress, Stage

from tallystick_cli.context import Tally
from tallystick_cli.dry_run import LAMPORT_DECIMALS
from tallystick_cli.render import amount, span, table

_LOOK_EVERY: Final = 0.1
"""Seconds between two looks for Ctrl-C while an answer is awaited."""
_STAGES = {
    Stage.RESUME: "carrying on",
    Stage.CANARY: "canary: one wallet",
    Stage.SAMPLE: "sample: one batch in a hundred",
    Stage.REST: "the rest",
}


class Display:
    """Progress at the foot of a terminal, gone when something else is said or it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def tell(self, progress: PushProgress) -> None:
        """Show this, in place of what was shown before."""
        if self._live is None:
            # A new one each time: one that was started again would wipe the lines that were said in between.
            self._live = Live(console=self._console, transient=True, refresh_per_second=5)
            self._live.start()
        self._live.update(progress_view(progress))

    def clear(self) -> None:
        """Leave the terminal to others."""
        if self._live is not None:
            self._live.stop()
            self._live = None


class Stages:
    """Answers whether to go on: by where it was told to end, by --yes, else by asking."""

    def __init__(
        self,
        tally: Tally,
        ends: tuple[Stage, ...],
        display: Display,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._tally = tally
        self._ends = ends
        self._display = display
        self._is_interrupted = is_interrupted
        self.was_told = False

    async def confirm(self, stage: Stage, progress: PushProgress) -> bool:
        """Whether the next stage may begin. Ctrl-C is a no. Of a stage that an earlier run was through with nobody is
        asked again."""
        if stage in self._ends:
            self.was_told = True
            return False
        if self._tally.is_yes or not self._tally.can_ask or progress.stage is not stage:
            return True
        self._display.clear()
        account = f" Its account: {progress.canary}." if stage is Stage.CANARY and progress.canary else ""
        self._tally.err.print(
            f"{_STAGES[stage]}: {progress.paid:,} paid, {progress.skipped:,} skipped.{account} Look at it before you"
            " go on."
        )
        # A key that was pressed before this could be read is no consent to it.
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
        self._tally.err.print("Go on? [y/N]: ", end="", markup=False)
        answer = await typed_line(sys.stdin, self._is_interrupted)
        if not answer:
            self._tally.err.print()
        return answer.strip().lower() in ("y", "yes")


async def typed_line(stream: TextIO, is_interrupted: Callable[[], bool]) -> str:
    """The line that is typed; empty at the end of input, and when it is interrupted, which a thread that reads would
    not notice before the line is there."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(stream.readline())

    loop.add_reader(stream, read)
    try:
        while not typed.done() and not is_interrupted():
            await asyncio.wait([typed], timeout=_LOOK_EVERY)
    finally:
        loop.remove_reader(stream)
    return typed.result() if typed.done() else ""


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for a clean end; a second one ends at once."""
    loop, flag = asyncio.get_running_loop(), [False]
    before = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        flag[0] = True
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
        has_handler = True
    except (NotImplementedError, RuntimeError, ValueError):  # no main thread to catch signals in
        has_handler = False
    try:
        yield lambda: flag[0]
    finally:
        if has_handler:
            # Removing alone would leave the interpreter's handler, and not the one of who runs the loop.
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, before)


def progress_view(progress: PushProgress) -> RenderableType:
    """A push at one moment."""
    rows = table(
        "Stage", "Paid", "Skipped", "In flight", "Unknown", "SOL spent", "Time left",
        right=["Paid", "Skipped", "In flight", "Unknown", "SOL spent", "Time left"],
    )  # fmt: skip
    rows.add_row(
        _STAGES[progress.stage],
        f"{progress.paid:,} of {progress.entries:,}",
        f"{progress.skipped:,}",
        f"{progress.in_flight:,}",
        f"{progress.unknown:,}",
        amount(progress.lamports, LAMPORT_DECIMALS),
        "" if progress.seconds_left is None else span(progress.seconds_left),
    )
    return rows
