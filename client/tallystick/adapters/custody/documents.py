"""ISO 20022 messages in files: the Document, be it alone or in an envelope behind a business application header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tallystick.adapters.custody.errors import MalformedStatement, UnsupportedStatement
from tallystick.adapters.custody.xml import Element, content, local_name, namespace, path

_EXTENSIONS: Final = frozenset({"SplmtryData", "Xtnsn"})
_MESSAGE_NAMESPACE: Final = re.compile(
    r"(?:urn:iso:std:iso:20022:tech:xsd:|urn:swift:xsd:(?:[A-Za-z0-9.]+\$)?)([a-z]{4})\.([0-9]{3})\.([0-9]{3})\.([0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class MessageName:
    """A message of ISO 20022: semt.002.001.11 has the kind semt.002, the family 001 and the version 11."""

    kind: str
    family: str
    version: int

    def __str__(self) -> str:
        return f"{self.kind}.{self.family}.{self.version:02d}"


def message_name(document: Element) -> MessageName | None:
    """The message that a Document's namespace names; None when it names none."""
    match = _MESSAGE_NAMESPACE.fullmatch(namespace(document))
    return None if match is None else MessageName(f"{match[1]}.{match[2]}", match[3], int(match[4]))


def find_document(root: Element, expected: str) -> Element:
    """The Document element. UnsupportedStatement unless there is one; MalformedStatement when the header announces
    another message than follows. `expected` names what is looked for, for the error alone."""
    if local_name(root) == "Document":
        return root
    found = [
        element
        for element in root.iter("{*}Document")
        if message_name(element) is not None or namespace(element) == namespace(root)
    ]
    if len(found) != 1:
        raise UnsupportedStatement(
            f"The file holds {len(found)} {expected} documents where one was expected",
            where=path(root),
            hint="Pass each message or page as a file of its own.",
        )
    document = found[0]
    name = message_name(document)
    for definition in root.iter("{*}MsgDefIdr"):
        if name is not None and namespace(definition) != namespace(document) and content(definition) != str(name):
            raise MalformedStatement(
                f"The header announces {content(definition)[:40]!r}, the document is {name}", where=path(definition)
            )
    return document


def check_namespaces(root: Element) -> None:
    """MalformedStatement for elements of another message: they would be passed over, and with them maybe a pledge or a
    tax; only extensions have them."""
    for child in root:
        if not isinstance(child.tag, str) or local_name(child) in _EXTENSIONS:
            continue
        if namespace(child) != namespace(root):
            raise MalformedStatement(
                f"{local_name(child)} has the namespace {namespace(child)[:120]!r} of another message",
                where=path(child),
            )
        check_namespaces(child)


__all__ = ["MessageName", "check_namespaces", "find_document", "message_name"]
