"""Turns what a cluster says of a failed transaction into one readable error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from solders.message import VersionedMessage
from solders.pubkey import Pubkey

from tallystick.adapters.chain.foreign_errors import ANCHOR_ERRORS, SYSTEM_ERRORS, TOKEN_2022_ERRORS
from tallystick.errors import ProgramError, TransactionError

ProgramErrors = Callable[[int, Sequence[str], str | None], ProgramError | None]
"""Error code, logs and signature to one program's own error, or None when the code is not one of its own."""

TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
_SYSTEM: Final = Pubkey.default()
_FOREIGN: Final[Mapping[Pubkey, tuple[str, Mapping[int, tuple[str, str]]]]] = {
    TOKEN_2022: ("Token-2022", TOKEN_2022_ERRORS),
    _SYSTEM: ("The system program", SYSTEM_ERRORS),
}
# Agave 4.x runtime log: `Program <id> failed: <text>`; the innermost program fails, and logs, first.
_FAILED: Final = re.compile(r"^Program (\w{32,44}) failed: ")
_ANCHOR: Final = re.compile(r"Error Code: (\w+)\. Error Number: (\d+)\. Error Message: (.*?)\.?$")
_HINTS: Final[Mapping[str, str]] = {
    "AccountNotFound": "The fee payer holds no SOL on this cluster; send it some.",
    "InsufficientFundsForFee": "The fee payer cannot pay the fee; send it some SOL.",
    "InsufficientFundsForRent": "An account would fall below its rent reserve; send the payer some SOL.",
    "BlockhashNotFound": "The node does not know the blockhash; it may lag. Run this again.",
    "ProgramAccountNotFound": "The program is not deployed on this cluster; check the profile's cluster.",
    "InvalidProgramForExecution": "The program is not deployed on this cluster; check the profile's cluster.",
    "MaxLoadedAccountsDataSizeExceeded": "The accounts grew since the simulation; run this again.",
    "ComputationalBudgetExceeded": "It took more compute than the simulation; run this again.",
}


def error_json(error: object) -> object:
    """The execution error in the JSON shape of Agave's RPC, whether it came as JSON or as a solders value.

    `{"InstructionError": [2, {"Custom": 6001}]}`, `"BlockhashNotFound"`, `{"InsufficientFundsForRent": {...}}`.
    """
    if error is None or isinstance(error, str | dict):
        return error
    index, inner = getattr(error, "index", None), getattr(error, "err", None)
    if index is not None and inner is not None:
        code = getattr(inner, "code", None)
        return {"InstructionError": [index, {"Custom": code} if code is not None else _variant(inner)]}
    if (account := getattr(error, "account_index", None)) is not None:
        return {type(error).__name__.removeprefix("TransactionError"): {"account_index": account}}
    return {"DuplicateInstruction": index} if index is not None else _variant(error)


def error_text(error: object) -> str:
    """The execution error as JSON text, for a store."""
    return json.dumps(error_json(error), sort_keys=True)


def transaction_error(
    error: object,
    logs: Sequence[str],
    signature: str | None,
    *,
    message: VersionedMessage | None = None,
    program_errors: Mapping[Pubkey, ProgramErrors] | None = None,
) -> TransactionError:
    """One error for a failed execution or simulation.

    `program_errors` maps a program to its own codes; `message` tells which program ran when the logs do not.
    """
    value = error_json(error)
    index, detail = _instruction(value)
    code = detail.get("Custom") if isinstance(detail, dict) else None
    if not isinstance(code, int):
        return _runtime_error(value, index, detail, logs, signature)
    program = _failing_program(logs) or _program_of(message, index)
    if program is not None and (own := (program_errors or {}).get(program)) is not None:
        known = own(code, logs, signature)
        if known is not None:
            known.error = value
            return known
    who, name, text = _foreign(program, code, logs)
    return TransactionError(f"{who} refused: {text} ({name}, {code})", error=value, logs=logs, signature=signature)


def _foreign(program: Pubkey | None, code: int, logs: Sequence[str]) -> tuple[str, str, str]:
    label, table = _FOREIGN.get(program, (f"Program {program}", {})) if program is not None else ("A program", {})
    if code in table:
        return label, *table[code]
    for line in logs:
        if (match := _ANCHOR.search(line)) and int(match[2]) == code:
            return label, match[1], match[3]
    if code in ANCHOR_ERRORS:
        return label, *ANCHOR_ERRORS[code]
    return label, "Custom", "it returned an error code that is not known here; its logs may say more"


def _runtime_error(
    value: object, index: int | None, detail: object, logs: Sequence[str], signature: str | None
) -> TransactionError:
    name = detail if isinstance(detail, str) else next(iter(detail)) if isinstance(detail, dict) and detail else "Error"
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name)).lower()
    where = "" if index is None else f" in instruction {index}"
    return TransactionError(
        f"The cluster refused the transaction: {text}{where} ({name})",
        error=value,
        logs=logs,
        signature=signature,
        hint=_HINTS.get(str(name)),
    )


def _instruction(value: object) -> tuple[int | None, object]:
    """The instruction index and what it says, or (None, the error) when it is of the whole transaction."""
    if isinstance(value, dict) and isinstance(pair := value.get("InstructionError"), list | tuple) and len(pair) == 2:
        return int(pair[0]), pair[1]
    return None, value


def _failing_program(logs: Sequence[str]) -> Pubkey | None:
    for line in logs:
        if match := _FAILED.match(line):
            try:
                return Pubkey.from_string(match[1])
            except ValueError:
                return None
    return None


def _program_of(message: VersionedMessage | None, index: int | None) -> Pubkey | None:
    if message is None or index is None or index >= len(message.instructions):
        return None
    keys, place = message.account_keys, message.instructions[index].program_id_index
    return keys[place] if place < len(keys) else None


def _variant(value: object) -> str:
    # solders prints a field-less variant as `TransactionErrorFieldless.BlockhashNotFound`.
    return re.split(r"[.(]", str(value).removesuffix(")"))[-1].strip() or type(value).__name__


__all__ = ["TOKEN_2022", "ProgramErrors", "error_json", "error_text", "transaction_error"]
