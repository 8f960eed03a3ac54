"""Errors leave as one panel, or one JSON document, with an exit code that is the same for the same kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console
from tallystick import errors
from tallystick.adapters.custody.errors import MalformedStatement
from tallystick.program.generated.errors import ReserveExceeded
from tallystick_cli.failures import (
    CLUSTER,
    DATA,
    DEFECT,
    INTERRUPTED,
    REFUSED,
    UNKNOWN,
    USAGE,
    exit_code,
    failure_document,
    failure_panel,
)

SAMPLES: list[tuple[errors.TallystickError, int]] = [
    (errors.ConfigurationError("m"), USAGE),
    (errors.InputError("m"), USAGE),
    (errors.AmountError("m"), USAGE),
    (errors.IdentifierError("m"), USAGE),
    (MalformedStatement("m", where="line 7"), USAGE),
    (errors.Refused("m"), REFUSED),
    (errors.TransactionError("m"), REFUSED),
    (ReserveExceeded(logs=["Program log: x"]), REFUSED),
    (errors.OutcomeUnknown("m", signature="5sig"), UNKNOWN),
    (errors.ChainError("m"), CLUSTER),
    (errors.EndpointError("m"), CLUSTER),
    (errors.ClusterMismatch("m"), CLUSTER),
    (errors.RpcError(-32005, "m"), CLUSTER),
    (errors.StoreError("m"), DATA),
    (errors.StoreConflict("m"), DATA),
    (errors.LedgerError("m"), DATA),
]


def printed(error: errors.TallystickError, width: int = 100) -> str:
    console = Console(width=width, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(failure_panel(error))
    return captured.get()


def kinds(kind: type[errors.TallystickError] = errors.TallystickError) -> Iterator[type[errors.TallystickError]]:
    for each in kind.__subclasses__():
        yield each
        yield from kinds(each)


@pytest.mark.parametrize(("error", "code"), SAMPLES, ids=lambda value: type(value).__name__)
def test_each_kind_of_error_has_its_exit_code(error: errors.TallystickError, code: int) -> None:
    assert exit_code(error) == code
    assert failure_document(error)["exit_code"] == code


def test_no_error_of_the_tree_is_taken_for_a_defect() -> None:
    covered = {type(error) for error, _ in SAMPLES}
    orphans = [kind for kind in kinds() if not any(issubclass(kind, each) for each in covered)]
    assert orphans == []
    assert exit_code(ValueError("x")) == DEFECT
    assert exit_code(KeyboardInterrupt()) == INTERRUPTED


@pytest.mark.parametrize(("error", "code"), SAMPLES, ids=lambda value: type(value).__name__)
def test_a_panel_has_the_message_whatever_the_width(error: errors.TallystickError, code: int) -> None:
    text = printed(error, 40)
    for word in error.message.split():
        assert word[:20] in text


def test_a_panel_says_what_to_do_next_with_the_errors_own_hint_first() -> None:
    assert "Next: Do this." in printed(errors.StoreError("m", hint="Do this."))
    assert "Next: Check [store]" in printed(errors.StoreError("m"))


def test_markup_in_a_message_is_shown_and_not_obeyed() -> None:
    assert "[red]evil[/red]" in printed(errors.InputError("[red]evil[/red]"))


def test_an_unknown_outcome_points_at_the_outbox_and_names_the_transaction() -> None:
    text = printed(errors.OutcomeUnknown("m", signature="5sig"))
    assert "5sig" in text
    assert "tally outbox resume" in text


def test_a_program_error_carries_code_name_and_logs_in_json() -> None:
    document = failure_document(ReserveExceeded(logs=["Program log: x"]))["error"]
    assert isinstance(document, dict)
    assert (document["code"], document["name"]) == (ReserveExceeded.code, "ReserveExceeded")
    assert document["logs"] == ["Program log: x"]


def test_a_statement_error_says_where_in_json() -> None:
    document = failure_document(MalformedStatement("m", where="line 7"))["error"]
    assert isinstance(document, dict)
    assert document["where"] == "line 7"
