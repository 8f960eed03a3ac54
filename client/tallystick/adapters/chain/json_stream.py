"""Reads a JSON-RPC answer with one long list while it arrives: `{"result": {"context": .., "value": [ .. ]}}`.

Fields may come in any order and with any blanks. Of the text no more is kept than what is not understood yet, and no
element of the list after it was handed on.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

LONGEST_ELEMENT: Final = 16 * 2**20
"""Characters of one element of the list, or of anything beside it."""

_BLANK: Final = " \t\n\r"


class _Where(Enum):
    START = "start"
    ANSWER = "answer"
    RESULT = "result"
    LIST = "list"
    END = "end"


class ListingReader:
    """Feed it the body, then ask it to finish. `take` gets each element of result.value, in order.

    After `finish`: `answer` has the fields of the answer without its result, `result` those of the result without the
    list, None where there was no result with a list. Both methods raise ValueError for what is no such JSON; what
    `take` raises passes through.
    """

    def __init__(self, take: Callable[[Any], None]) -> None:
        self.answer: dict[str, Any] = {}
        self.result: dict[str, Any] | None = None
        self._take = take
        self._has_list = False
        self._text = ""
        self._where = _Where.START
        self._has_item = False  # an element or a field came before, so that a comma has to
        self._decode_utf8 = codecs.getincrementaldecoder("utf-8")()
        self._scan = json.JSONDecoder().raw_decode

    def feed(self, content: bytes) -> None:
        """The next bytes of the body."""
        self._text += self._decode_utf8.decode(content)
        self._advance(is_all=False)
        if len(self._text) > LONGEST_ELEMENT:
            raise ValueError(f"nothing that is JSON in {len(self._text):,} characters")

    def finish(self) -> None:
        """The body has ended."""
        self._text += self._decode_utf8.decode(b"", final=True)
        self._advance(is_all=True)
        if self._where is not _Where.END or self._text.strip(_BLANK):
            raise ValueError("the body was cut short")
        if not self._has_list:
            self.result = None

    def _advance(self, *, is_all: bool) -> None:
        text, at = self._text, 0
        while True:
            at = _past_blanks(text, at)
            behind = self._list(text, at) if self._where is _Where.LIST else self._fields(text, at, is_all)
            if behind == at:
                break
            at = behind
        self._text = text[at:]

    def _list(self, text: str, at: int) -> int:
        """As many elements as are there whole; where they end."""
        scan, take, size = self._scan, self._take, len(text)
        while at < size:
            letter = text[at]
            if letter == "]":
                self._where, self._has_item = _Where.RESULT, True
                return at + 1
            start = at
            if self._has_item:
                if letter != ",":
                    raise ValueError("expected a comma between elements")
                start = _past_blanks(text, at + 1)
            try:
                element, behind = scan(text, start)
            except ValueError:
                return at  # not whole yet
            if behind == size:
                return at  # a number may go on
            take(element)
            self._has_item = True
            at = _past_blanks(text, behind)
        return at

    def _fields(self, text: str, at: int, is_all: bool) -> int:
        """One step through the answer's or the result's fields; where it ends, `at` when more is needed."""
        if at == len(text):
            return at
        letter = text[at]
        if self._where is _Where.START:
            if letter != "{":
                raise ValueError("expected an object")
            self._where, self._has_item = _Where.ANSWER, False
            return at + 1
        if self._where is _Where.END:
            raise ValueError("expected nothing behind the answer")
        if letter == "}":
            self._where, self._has_item = (_Where.ANSWER if self._where is _Where.RESULT else _Where.END), True
            return at + 1
        start = at
        if self._has_item:
            if letter != ",":
                raise ValueError("expected a comma between fields")
            start = _past_blanks(text, at + 1)
        return self._field(text, at, start, is_all)

    def _field(self, text: str, at: int, start: int, is_all: bool) -> int:
        try:
            name, behind = self._scan(text, start)
            colon = _past_blanks(text, behind)
            place = _past_blanks(text, colon + 1)
            if not isinstance(name, str) or text[colon] != ":":
                raise TypeError("expected a field")
            opening = text[place]
        except TypeError as error:
            raise ValueError(str(error)) from None
        except (ValueError, IndexError):
            return at
        is_answer = self._where is _Where.ANSWER
        if is_answer and name == "result" and opening == "{":
            self.result, self._where, self._has_item = {}, _Where.RESULT, False
            return place + 1
        if not is_answer and name == "value" and opening == "[":
            if self._has_list:
                raise ValueError("expected one list")
            self._has_list, self._where, self._has_item = True, _Where.LIST, False
            return place + 1
        try:
            value, behind = self._scan(text, place)
        except ValueError:
            return at
        if behind == len(text) and not is_all:
            return at
        fields = self.answer if is_answer or self.result is None else self.result
        fields[name] = value
        self._has_item = True
        return behind


def _past_blanks(text: str, at: int) -> int:
    size = len(text)
    while at < size and text[at] in _BLANK:
        at += 1
    return at


__all__ = ["LONGEST_ELEMENT", "ListingReader"]
