"""What a person sees and does while a dividend is pushed: progress, Ctrl-C, and whether to go on."""

from __future__ import annotations

import asyncio
import os
import signal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from tallystick.services.payout_report import LeftReason, PushProgress, PushReport, Share, Stage
from tallystick_cli.commands.dividend_push import Pushed
from tallystick_cli.context import Tally
from tallystick_cli.push_display import Display, Stages, interruption, progress_view, typed_line

PROGRESS = PushProgress(Stage.SAMPLE, 1_000, 57, 3, 2, 1, 1_234_567, 3_700)


def report(**change: object) -> PushReport:
    values: dict[str, object] = {
        "stage": Stage.REST,
        "entries": 10,
        "total": 100,
        "paid": Share(10, 100),
        "paid_now": Share(10, 100),
    }
    return PushReport(**(values | change))  # type: ignore[arg-type]


def test_progress_names_stage_counts_cost_and_time_left() -> None:
    console = Console(width=120, record=True, file=StringIO())
    console.print(progress_view(PROGRESS))
    shown = console.export_text()
    for part in ("one batch in a hundred", "57 of 1,000", "0.001234567", "1 h 1 min"):
        assert part in shown


async def test_the_first_interruption_asks_for_a_clean_end_and_the_second_ends_at_once() -> None:
    with interruption() as is_interrupted:
        assert not is_interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.01)
        assert is_interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


async def test_after_a_push_an_interruption_is_answered_as_before_it() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruption():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("change", "told", "code"),
    [
        ({}, False, 0),
        ({"left": {LeftReason.MISSING: Share(1, 5)}}, False, 0),
        ({"left": {LeftReason.PAYABLE: Share(1, 5)}}, False, 1),
        ({"left": {LeftReason.PAYABLE: Share(1, 5)}}, True, 0),
        ({"unknown": (3,)}, True, 3),
        ({"stopped": "a transaction failed"}, False, 0),
    ],
)
def test_the_exit_code_says_whether_something_payable_is_left(change: dict[str, object], told: bool, code: int) -> None:
    assert Pushed("tAAPL", "CA-1", None, report(**change), told).exit_code == code  # type: ignore[arg-type]


async def test_a_push_goes_on_by_itself_but_where_it_was_told_to_end() -> None:
    tally = Tally(Path("none.toml"), is_yes=True)
    asked = Stages(tally, (Stage.CANARY,), Display(Console(file=StringIO())))
    assert await asked.confirm(Stage.SAMPLE, PROGRESS)
    assert not asked.was_told
    assert not await asked.confirm(Stage.CANARY, PROGRESS)
    assert asked.was_told


async def test_a_question_takes_the_line_that_is_typed() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream:
        os.write(writing, b"y\n")
        assert await typed_line(stream, lambda: False) == "y\n"
        os.close(writing)
        assert await typed_line(stream, lambda: False) == ""


async def test_an_interruption_ends_a_question_that_nobody_answers() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream, interruption() as is_interrupted:
        os.kill(os.getpid(), signal.SIGINT)
        assert await typed_line(stream, is_interrupted) == ""
        os.write(writing, b"y\n")
        assert stream.readline() == "y\n"
    os.close(writing)
