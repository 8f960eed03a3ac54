"""Reads the `result` objects of Solana's JSON-RPC (Agave 4.x) into the values of protocol.py.

Every function raises LedgerError naming what was expected when the answer has another shape: a wrong answer of a node
must never turn into a guessed number.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.chain.protocol import (
    Account,
    Blockhash,
    Commitment,
    ConfirmedTransaction,
    InnerInstruction,
    ProgramAccounts,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    TokenBalance,
)
from tallystick.adapters.chain.token_accounts import token_account_row as pack_token_account
from tallystick.domain.base58 import base58_decode
from tallystick.errors import LedgerError
from tallystick.program.token import TOKEN_2022_PROGRAM

_TOKEN_2022 = bytes(TOKEN_2022_PROGRAM)
_TOKEN_2022_TEXT = str(TOKEN_2022_PROGRAM)

Shape = TypeVar("Shape")


def read(method: str, shape: Callable[[Any], Shape], result: object) -> Shape:
    """`shape(result)`, with every way in which a malformed answer fails turned into LedgerError."""
    try:
        return shape(result)
    except LedgerError as error:
        raise LedgerError(f"The answer to {method} is malformed: {error.message}", hint=_HINT) from error
    except (KeyError, IndexError, TypeError, ValueError, binascii.Error) as error:
        raise LedgerError(
            f"The answer to {method} is malformed ({type(error).__name__}: {error}).", hint=_HINT
        ) from error


_HINT = "Ask another provider's endpoint: name it in the profile, or with --url."


def whole(value: object) -> int:
    """A whole number of 0 or more; never a float, never true or false."""
    if type(value) is not int or value < 0:
        raise LedgerError(f"expected a whole number of 0 or more, found {value!r:.60}")
    return value


def whole_or_none(value: object) -> int | None:
    return None if value is None else whole(value)


def block_time(value: object) -> int | None:
    """Seconds since 1970."""
    return whole_or_none(value)


def account(value: Any) -> Account | None:
    """An account in base64 encoding; None when there is none."""
    if value is None:
        return None
    data, encoding = value["data"]
    if encoding != "base64":
        raise LedgerError(f"expected account data in base64, found {encoding!r:.20}")
    return Account(
        owner=Pubkey.from_string(value["owner"]),
        lamports=whole(value["lamports"]),
        data=base64.b64decode(data, validate=True),
        executable=bool(value["executable"]),
    )


def slot_of(value: Any) -> int:
    """The slot an answer with context was read at."""
    return whole(value["context"]["slot"])


def accounts(value: Any, count: int) -> tuple[int, list[Account | None]]:
    found = [account(each) for each in value["value"]]
    if len(found) != count:
        raise LedgerError(f"expected {count} accounts, found {len(found)}")
    return slot_of(value), found


def program_accounts(value: Any) -> ProgramAccounts:
    found: dict[Pubkey, Account] = {}
    for each in value["value"]:
        address, content = Pubkey.from_string(each["pubkey"]), account(each["account"])
        if content is None or address in found:
            raise LedgerError(f"expected each account once, with content; {address} is not")
        found[address] = content
    return ProgramAccounts(slot_of(value), found)


def token_account_row(mint: bytes, value: Any) -> bytes:
    """One account of a listing as a row of TokenAccounts; empty for what is no token account of `mint`."""
    content = value["account"]
    data, encoding = content["data"]
    if encoding != "base64":
        raise LedgerError(f"expected account data in base64, found {encoding!r:.20}")
    owner = content["owner"]
    program = _TOKEN_2022 if owner == _TOKEN_2022_TEXT else bytes(Pubkey.from_string(owner))
    address = bytes(Pubkey.from_string(value["pubkey"]))
    return pack_token_account(mint, address, program, binascii.a2b_base64(data, strict_mode=True))


def blockhash(value: Any) -> Blockhash:
    inner = value["value"]
    return Blockhash(Hash.from_string(inner["blockhash"]), whole(inner["lastValidBlockHeight"]))


def simulation(value: Any, watch: Sequence[Pubkey] | None = None) -> Simulation:
    """A simulation; of one that succeeded also the accounts in `watch`, in its order, and what was called."""
    inner = value["value"]
    watched: dict[Pubkey, Account | None] = {}
    called: tuple[InnerInstruction, ...] = ()
    if watch is not None and inner["err"] is None:
        found = [account(each) for each in inner["accounts"]]
        if len(found) != len(watch):
            raise LedgerError(f"expected {len(watch)} accounts, found {len(found)}")
        watched = dict(zip(watch, found, strict=True))
        called = tuple(
            InnerInstruction(
                parent=whole(group["index"]),
                program=Pubkey.from_string(each["programId"]),
                accounts=tuple(Pubkey.from_string(key) for key in each["accounts"]),
                data=base58_decode(each["data"]),
            )
            for group in inner["innerInstructions"]
            for each in group["instructions"]
            if "parsed" not in each
        )
    return Simulation(
        error=inner["err"],
        logs=tuple(str(line) for line in inner.get("logs") or ()),
        units=whole(inner.get("unitsConsumed") or 0),
        loaded_data=whole_or_none(inner.get("loadedAccountsDataSize")),
        accounts=watched,
        inner=called,
    )


def status(value: Any) -> SignatureStatus | None:
    """One signature's status. An old answer without a commitment is rooted when it counts no confirmations."""
    if value is None:
        return None
    commitment = value.get("confirmationStatus")
    if commitment is None:
        commitment = "finalized" if value["confirmations"] is None else "processed"
    if commitment not in ("processed", "confirmed", "finalized"):
        raise LedgerError(f"expected a commitment, found {commitment!r:.20}")
    return SignatureStatus(slot=whole(value["slot"]), commitment=cast("Commitment", commitment), error=value["err"])


def statuses(value: Any, count: int) -> list[SignatureStatus | None]:
    found = [status(each) for each in value["value"]]
    if len(found) != count:
        raise LedgerError(f"expected {count} statuses, found {len(found)}")
    return found


def transaction(value: Any) -> ConfirmedTransaction | None:
    """A transaction in `json` encoding, its loaded addresses after its own, as the inner instructions count them."""
    if value is None:
        return None
    meta, inner = value["meta"], value["transaction"]
    loaded = meta.get("loadedAddresses") or {"writable": [], "readonly": []}
    keys = [*inner["message"]["accountKeys"], *loaded["writable"], *loaded["readonly"]]
    addresses = tuple(Pubkey.from_string(key) for key in keys)
    return ConfirmedTransaction(
        signature=Signature.from_string(inner["signatures"][0]),
        slot=whole(value["slot"]),
        block_time=block_time(value.get("blockTime")),
        error=meta["err"],
        fee=whole(meta["fee"]),
        units=whole_or_none(meta.get("computeUnitsConsumed")),
        logs=tuple(str(line) for line in meta.get("logMessages") or ()),
        accounts=addresses,
        inner=tuple(
            InnerInstruction(
                parent=whole(group["index"]),
                program=addresses[whole(each["programIdIndex"])],
                accounts=tuple(addresses[whole(index)] for index in each["accounts"]),
                data=base58_decode(each["data"]),
            )
            for group in meta.get("innerInstructions") or ()
            for each in group["instructions"]
        ),
        before=_token_balances(meta.get("preTokenBalances"), addresses),
        after=_token_balances(meta.get("postTokenBalances"), addresses),
    )


def _token_balances(value: Any, addresses: Sequence[Pubkey]) -> tuple[TokenBalance, ...]:
    """Balances of one side of a transaction, whose accounts are named by their place in it."""
    return tuple(
        TokenBalance(
            account=addresses[whole(each["accountIndex"])],
            mint=Pubkey.from_string(each["mint"]),
            owner=Pubkey.from_string(each["owner"]),
            raw=_amount(each["uiTokenAmount"]["amount"]),
        )
        for each in value or ()
    )


def _amount(value: object) -> int:
    """An amount in decimal digits."""
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()):
        raise LedgerError(f"expected an amount in digits, found {value!r:.60}")
    return int(value)


def signature_infos(value: Any) -> list[SignatureInfo]:
    return [
        SignatureInfo(
            signature=Signature.from_string(each["signature"]),
            slot=whole(each["slot"]),
            error=each["err"],
            block_time=block_time(each.get("blockTime")),
        )
        for each in value
    ]
