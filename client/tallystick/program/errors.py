"""Turns the code our program returned into its exception. The classes are in generated/errors.py, one for each code."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.errors import ProgramError
from tallystick.program.generated.errors import ERRORS


def program_error(code: int, logs: Sequence[str] = (), signature: str | None = None) -> ProgramError | None:
    """The exception for a custom error code of our program, not raised; None if the program has no such code.

    Codes below 6000 are Anchor's own; the caller knows those.
    """
    kind = ERRORS.get(code)
    return None if kind is None else kind(logs=logs, signature=signature)
