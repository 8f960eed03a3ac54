"""One way to write a document as bytes, so that equal content has equal hashes everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from tallystick.errors import InputError

CanonicalValue: TypeAlias = "str | int | bool | Sequence[CanonicalValue] | Mapping[str, CanonicalValue] | None"


def canonical_json(value: CanonicalValue) -> bytes:
    """JSON in UTF-8 with sorted keys, no blanks, no escapes but the required ones, and integers as the only numbers.

    InputError for floats and other types, for keys that are not text, and for text that is not valid Unicode.
    """
    _require_plain(value)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
            "utf-8"
        )
    except UnicodeEncodeError as error:
        raise InputError("Text with unpaired surrogates cannot be hashed; it is not valid Unicode.") from error


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


_PLAIN: Final = frozenset({str, int, bool, type(None)})


def _require_plain(value: object) -> None:
    """Every value of a document, without a call for each: a report has a hundred thousand of them."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            for key in item:
                if not isinstance(key, str):
                    raise InputError(f"A canonical document has text keys, not {type(key).__name__}.")
            left.extend(each for each in item.values() if type(each) not in _PLAIN)
        elif isinstance(item, list | tuple):
            left.extend(each for each in item if type(each) not in _PLAIN)
        elif not (item is None or isinstance(item, str | int)):
            raise InputError(
                f"A canonical document holds text, integers, booleans, lists, maps; not {type(item).__name__}."
            )
