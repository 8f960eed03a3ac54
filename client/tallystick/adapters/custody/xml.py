"""XML of strangers: parsed without document types, entities or network, within limits, and walked strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from lxml import etree

from tallystick.adapters.custody.errors import (
    ForbiddenXml,
    MalformedStatement,
    StatementTooLarge,
    TruncatedStatement,
    UnsupportedStatement,
)

Element: TypeAlias = etree._Element

MAXIMUM_DEPTH: Final = 64
"""Levels of elements; semt.002 in an envelope has about 20."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_DECLARED_ENCODING: Final = re.compile(r"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_TRUNCATED: Final = frozenset(
    {
        etree.ErrorTypes.ERR_DOCUMENT_EMPTY,
        etree.ErrorTypes.ERR_DOCUMENT_END,
        etree.ErrorTypes.ERR_TAG_NOT_FINISHED,
        etree.ErrorTypes.ERR_GT_REQUIRED,
    }
)


def parse_xml(data: bytes, maximum_bytes: int) -> Element:
    """The root element.

    StatementTooLarge, UnsupportedStatement (an encoding other than UTF-8), ForbiddenXml (any DOCTYPE or entity
    declaration), TruncatedStatement, MalformedStatement (anything else that is not well-formed, or nested too deeply).
    """
    if len(data) > maximum_bytes:
        raise StatementTooLarge(f"The file has {len(data)} bytes; at most {maximum_bytes} are read.")
    body = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise TruncatedStatement("The file ends inside a character", where=f"byte {error.start}") from error
        raise UnsupportedStatement(
            "The file is not UTF-8, which ISO 20022 demands", where=f"byte {error.start}"
        ) from error
    if "\x00" in text:
        raise UnsupportedStatement("The file is not UTF-8, which ISO 20022 demands", where=f"byte {data.find(0)}")
    # Refused before any parser sees it; ISO 20022 has neither, so text that merely mentions them is no loss.
    for forbidden in ("<!DOCTYPE", "<!ENTITY"):
        if forbidden in text:
            line = text.count("\n", 0, text.index(forbidden)) + 1
            raise ForbiddenXml(f"The file has {forbidden}, which no ISO 20022 message has", where=f"line {line}")
    declared = _DECLARED_ENCODING.match(text.lstrip())
    if declared is not None and declared[1].upper() not in {"UTF-8", "US-ASCII", "ASCII"}:
        raise UnsupportedStatement(f"The file declares the encoding {declared[1]!r}; ISO 20022 demands UTF-8")
    return _parse(body)


def _parse(body: bytes) -> Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=False,
        remove_pis=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        where = f"line {error.lineno}" if error.lineno else None
        if error.code in _TRUNCATED:
            raise TruncatedStatement("The file ends early, or an element is not closed", where=where) from error
        raise MalformedStatement(f"The file is not well-formed XML: {error.msg}", where=where) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ForbiddenXml("The file declares a document type, which no ISO 20022 message has")
    if root.xpath("boolean(" + "/*" * (MAXIMUM_DEPTH + 1) + ")"):
        raise MalformedStatement(f"Elements are nested more than {MAXIMUM_DEPTH} levels deep")
    return root


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def namespace(element: Element) -> str:
    """The namespace, or an empty text."""
    return etree.QName(element).namespace or ""


def path(element: Element) -> str:
    """Where an element is, for a person: names from the root, positions among equals, and the line."""
    names: list[str] = []
    current: Element | None = element
    while current is not None:
        parent = current.getparent()
        position = ""
        if parent is not None:
            same = [child for child in parent if child.tag == current.tag]
            position = f"[{same.index(current) + 1}]" if len(same) > 1 else ""
        names.append(local_name(current) + position)
        current = parent
    return f"{'/'.join(reversed(names))}, line {element.sourceline}"


def elements(parent: Element) -> Iterator[Element]:
    """The child elements of the parent's own namespace; foreign ones, comments and instructions are not ours."""
    own = namespace(parent)
    for child in parent:
        if isinstance(child.tag, str) and namespace(child) == own:
            yield child


def several(parent: Element, name: str) -> list[Element]:
    """All children with the name."""
    return [child for child in elements(parent) if local_name(child) == name]


def optional(parent: Element, name: str) -> Element | None:
    """The child with the name, if any; MalformedStatement when there are two."""
    found = several(parent, name)
    if len(found) > 1:
        raise MalformedStatement(f"There are {len(found)} {name} where at most one may be", where=path(parent))
    return found[0] if found else None


def required(parent: Element, *names: str) -> Element:
    """The descendant by child names one after the other; MalformedStatement when one is missing or double."""
    current = parent
    for name in names:
        child = optional(current, name)
        if child is None:
            raise MalformedStatement(f"{name} is missing", where=path(current))
        current = child
    return current


def only(parent: Element) -> Element:
    """The single child element, for a choice; MalformedStatement when there are none or several."""
    children = list(elements(parent))
    if len(children) != 1:
        raise MalformedStatement(
            f"{local_name(parent)} holds {len(children)} elements where one was expected", where=path(parent)
        )
    return children[0]


def content(element: Element) -> str:
    """The text of an element without outer white space; MalformedStatement when it is empty or has anything else in it.

    A comment inside is refused too: parsers differ on whether the text goes on behind it.
    """
    if len(element):
        raise MalformedStatement(f"{local_name(element)} holds more than text", where=path(element))
    text = (element.text or "").strip(" \t\r\n")
    if not text:
        raise MalformedStatement(f"{local_name(element)} is empty", where=path(element))
    return text


def boolean(element: Element) -> bool:
    """An XML Schema boolean."""
    text = content(element)
    if text not in {"true", "false", "1", "0"}:
        raise MalformedStatement(f"{text[:40]!r} is neither true nor false", where=path(element))
    return text in {"true", "1"}
