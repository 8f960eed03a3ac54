"""Tells the demo as it goes: a heading for each step, the command line that does it, and what the command shows."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from tallystick_cli.render import Output

T = TypeVar("T", bound=Output)


class Narrator:
    """Writes to one console; `commands` are the command lines that were told, in order."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = 0
        self.commands: list[str] = []

    def step(self, title: str, why: str) -> None:
        """Begin a step."""
        self._step += 1
        self._console.print()
        self._console.print(Rule(f"[bold]{self._step} · {title}[/bold]", align="left", style="cyan"))
        self._console.print(Text(why, style="italic"))

    def say(self, text: str) -> None:
        """A remark."""
        self._console.print(Text(text, style="italic"))

    async def run(self, line: str, work: Awaitable[T], *, is_shown: bool = True) -> T:
        """Tell a command line, do it, and show what it shows."""
        self.commands.append(line)
        self._console.print()
        self._console.print(Text.assemble(("$ ", "dim"), (line, "bold cyan")))
        output = await work
        if is_shown:
            self._console.print(Padding(output.view(), (0, 0, 0, 2), expand=False))
        return output

    async def run_quietly(self, line: str, work: Awaitable[T]) -> T:
        """As run, of what is told by its outcome alone."""
        self.commands.append(line)
        return await work

    def mark(self, text: str) -> None:
        """A word more in the line that tells how far a repeated step is."""
        self._console.print(Text(f"  {text}"), end="")

    def print(self, *parts: object) -> None:
        """Anything else."""
        for part in parts:
            self._console.print(part)
