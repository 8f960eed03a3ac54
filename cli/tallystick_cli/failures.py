"""How a failure is told: one readable panel, or one JSON document, and an exit code that scripts can rely on.

0 done · 1 refused, or breaks were found · 2 usage, input or profile · 3 sent, outcome not known yet · 4 the cluster
does not answer · 5 the store, or data that does not decode · 70 a defect of this program · 130 interrupted
"""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from tallystick.errors import (
    ChainError,
    ConfigurationError,
    InputError,
    LedgerError,
    OutcomeUnknown,
    ProgramError,
    Refused,
    RpcError,
    StatementError,
    StoreConflict,
    StoreError,
    TallystickError,
    TransactionError,
)

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 3
CLUSTER: Final = 4
DATA: Final = 5
DEFECT: Final = 70
INTERRUPTED: Final = 130

_CODES: Final[tuple[tuple[type[TallystickError], int], ...]] = (
    (OutcomeUnknown, UNKNOWN),
    (TransactionError, REFUSED),
    (Refused, REFUSED),
    (ConfigurationError, USAGE),
    (InputError, USAGE),
    (ChainError, CLUSTER),
    (StoreError, DATA),
    (LedgerError, DATA),
)
_TITLES: Final[tuple[tuple[type[TallystickError], str], ...]] = (
    (ProgramError, "The program refused"),
    (TransactionError, "The cluster refused"),
    (OutcomeUnknown, "Outcome not known yet"),
    (Refused, "Refused, nothing was signed"),
    (StatementError, "The statement cannot be used"),
    (ConfigurationError, "Profile or setting"),
    (InputError, "Input"),
    (RpcError, "The cluster answered with an error"),
    (ChainError, "The cluster does not answer"),
    (StoreConflict, "The store holds something else"),
    (StoreError, "The store refused"),
    (LedgerError, "Unreadable data"),
)
_NEXT: Final[tuple[tuple[type[TallystickError], str], ...]] = (
    (OutcomeUnknown, "Nothing was signed a second time. See it settle with: tally outbox resume"),
    (ProgramError, "Nothing changed on chain. Settle the cause above, then run the command again."),
    (TransactionError, "Nothing changed on chain. Settle the cause above, then run the command again."),
    (RpcError, "Run it again, or put another endpoint first under [cluster] urls in the profile."),
    (ChainError, "Check [cluster] urls in the profile, and that the cluster runs (tally localnet for development)."),
    (
        StatementError,
        "The file was kept, and used for nothing. Ask for a correct one, or correct the custodian's section.",
    ),
    (StoreError, "Check [store] in the profile, and that the disk has room."),
)


def exit_code(error: BaseException) -> int:
    """The exit code for an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return next((code for kind, code in _CODES if isinstance(error, kind)), DEFECT)


def next_step(error: TallystickError) -> str:
    """What to do next: the error's own hint, else what holds for its kind; maybe empty."""
    return error.hint or next((text for kind, text in _NEXT if isinstance(error, kind)), "")


def failure_document(error: TallystickError) -> dict[str, object]:
    """The failure as plain data for JSON."""
    document: dict[str, object] = {
        "type": type(error).__name__,
        "message": error.message,
        "next": next_step(error) or None,
    }
    if isinstance(error, StatementError):
        document["where"] = error.where
    if isinstance(error, TransactionError):
        document |= {"logs": list(error.logs), "signature": error.signature}
    if isinstance(error, ProgramError):
        document |= {"code": error.code, "name": error.name}
    if isinstance(error, RpcError):
        document["code"] = error.code
    if isinstance(error, OutcomeUnknown):
        document["signature"] = error.signature
    return {"error": document, "exit_code": exit_code(error)}


def failure_panel(error: TallystickError) -> RenderableType:
    """The failure for a person: what happened, where, and what to do next."""
    title = next((text for kind, text in _TITLES if isinstance(error, kind)), "Failed")
    style = "yellow" if isinstance(error, OutcomeUnknown) else "red"
    parts: list[RenderableType] = [Text(error.message)]
    if isinstance(error, TransactionError | OutcomeUnknown) and error.signature:
        parts.append(Text(f"Transaction {error.signature}", style="dim", overflow="fold"))
    if step := next_step(error):
        parts += [Text(), Text.assemble(("Next: ", "bold"), step)]
    return Panel(Group(*parts), title=f"[bold]{title}[/bold]", title_align="left", border_style=style, padding=(0, 1))
