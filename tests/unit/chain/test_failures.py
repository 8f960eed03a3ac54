"""What a cluster says of a failure, as one readable error."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction_status import (
    InstructionErrorCustom,
    InstructionErrorFieldless,
    TransactionErrorDuplicateInstruction,
    TransactionErrorFieldless,
    TransactionErrorInstructionError,
    TransactionErrorInsufficientFundsForRent,
)
from tallystick.adapters.chain.failures import TOKEN_2022, error_json, error_text, transaction_error
from tallystick.errors import ProgramError, TransactionError

PROGRAM = Pubkey.from_bytes(bytes([8] * 32))
SYSTEM = Pubkey.default()


class HoldError(ProgramError):
    code, name, text = 6001, "HoldInForce", "Expected no hold that stops minting; release it first"


def own(code: int, logs: Sequence[str], signature: str | None) -> ProgramError | None:
    return HoldError(logs=logs, signature=signature) if code == HoldError.code else None


def custom(code: int) -> object:
    return {"InstructionError": [0, {"Custom": code}]}


def failed(program: Pubkey, code: int) -> str:
    return f"Program {program} failed: custom program error: {code:#x}"


def message(program: Pubkey) -> MessageV0:
    payer = Keypair.from_seed(bytes([1] * 32)).pubkey()
    return MessageV0.try_compile(payer, [Instruction(program, b"", [])], [], Hash.default())


def test_our_programs_code_becomes_our_exception_with_logs_and_signature() -> None:
    logs = ["Program log: x", failed(PROGRAM, 6001)]
    error = transaction_error(custom(6001), logs, "sig", program_errors={PROGRAM: own})
    assert isinstance(error, HoldError)
    assert (error.logs, error.signature, error.error) == (tuple(logs), "sig", custom(6001))


def test_a_foreign_programs_equal_code_does_not_become_ours() -> None:
    error = transaction_error(custom(6001), [failed(SYSTEM, 6001)], None, program_errors={PROGRAM: own})
    assert type(error) is TransactionError


def test_the_innermost_program_is_the_one_that_refused() -> None:
    logs = [failed(TOKEN_2022, 17), failed(PROGRAM, 17)]
    error = transaction_error(custom(17), logs, None, program_errors={PROGRAM: own})
    assert error.message == "Token-2022 refused: Account is frozen (AccountFrozen, 17)"


def test_without_logs_the_instruction_tells_the_program() -> None:
    error = transaction_error(custom(6001), [], None, message=message(PROGRAM), program_errors={PROGRAM: own})
    assert isinstance(error, HoldError)


@pytest.mark.parametrize(
    ("program", "code", "text"),
    [
        (PROGRAM, 2006, "A seeds constraint was violated (ConstraintSeeds, 2006)"),
        (PROGRAM, 3012, "to be already initialized (AccountNotInitialized, 3012)"),
        (TOKEN_2022, 1, "Insufficient funds (InsufficientFunds, 1)"),
        (TOKEN_2022, 67, "paused on this mint (MintPaused, 67)"),
        (SYSTEM, 0, "The system program refused: An account with the same address already exists"),
        (PROGRAM, 77_777, "(Custom, 77777)"),
    ],
)
def test_codes_of_the_framework_and_of_known_programs_have_names_and_sentences(
    program: Pubkey, code: int, text: str
) -> None:
    assert text in transaction_error(custom(code), [failed(program, code)], None).message


def test_an_anchor_programs_own_words_are_taken_from_its_logs() -> None:
    logs = [
        "Program log: AnchorError occurred. Error Code: TooLate. Error Number: 6042. Error Message: The window closed.",
        failed(PROGRAM, 6042),
    ]
    assert "The window closed (TooLate, 6042)" in transaction_error(custom(6042), logs, None).message


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("AccountNotFound", "account not found (AccountNotFound)"),
        ({"InstructionError": [3, "MissingRequiredSignature"]}, "in instruction 3 (MissingRequiredSignature)"),
        ({"InsufficientFundsForRent": {"account_index": 1}}, "(InsufficientFundsForRent)"),
        ({}, "(Error)"),
    ],
)
def test_errors_of_the_runtime_are_readable(error: object, text: str) -> None:
    assert text in transaction_error(error, [], None).message


def test_an_unfunded_fee_payer_is_told_what_to_do() -> None:
    hint = transaction_error("AccountNotFound", [], None).hint
    assert hint is not None
    assert "SOL" in hint


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (TransactionErrorFieldless.BlockhashNotFound, "BlockhashNotFound"),
        (TransactionErrorInstructionError(2, InstructionErrorCustom(6)), {"InstructionError": [2, {"Custom": 6}]}),
        (
            TransactionErrorInstructionError(1, InstructionErrorFieldless.MissingRequiredSignature),
            {"InstructionError": [1, "MissingRequiredSignature"]},
        ),
        (TransactionErrorDuplicateInstruction(3), {"DuplicateInstruction": 3}),
        (TransactionErrorInsufficientFundsForRent(1), {"InsufficientFundsForRent": {"account_index": 1}}),
    ],
)
def test_solders_values_take_the_shape_of_the_rpc(value: object, shape: object) -> None:
    assert error_json(value) == shape
    assert error_json(shape) == shape
    assert error_text(value) == error_text(shape)
