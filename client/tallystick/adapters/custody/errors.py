"""Why a statement file cannot be used; each names the line or element path in `where`.

StatementError
├── StatementTooLarge         more bytes than the profile allows
├── UnsupportedStatement      a format, version, encoding or shape that is not read
│   └── ConfirmsNothing       an announcement, or a copy, where a confirmation of cash was expected
├── ForbiddenXml              a document type or entity declaration
├── MalformedStatement        not what its format demands
│   ├── TruncatedStatement    ends before its end
│   ├── BadQuantity           a quantity that is not an exact decimal
│   ├── DuplicateHolding      one instrument at one place twice
│   └── ContradictoryCash     amounts of a confirmation that do not belong together
├── WrongCustodian            the file names another custodian than the profile
├── WrongAccount              pages of different accounts
├── DuplicateStatement        one page twice
└── IncompleteStatement       a page is missing

What is readable but doubtful (unknown ISIN, negative, too fine, stale, not settled) is no error but a break: see
domain/evidence.py and domain/reserve.py.
"""

# ruff: noqa: N818 - as in errors.py, a name says what is wrong and not that it is an error

from __future__ import annotations

from tallystick.errors import StatementError

__all__ = [
    "BadQuantity",
    "ConfirmsNothing",
    "ContradictoryCash",
    "DuplicateHolding",
    "DuplicateStatement",
    "ForbiddenXml",
    "IncompleteStatement",
    "MalformedStatement",
    "StatementError",
    "StatementTooLarge",
    "TruncatedStatement",
    "UnsupportedStatement",
    "WrongAccount",
    "WrongCustodian",
]


class StatementTooLarge(StatementError):
    """The file has more bytes than the profile allows."""


class UnsupportedStatement(StatementError):
    """A format, version, encoding or shape that is not read; nothing was guessed."""


class ConfirmsNothing(UnsupportedStatement):
    """The message announces, repeats or copies, and confirms no cash of its own."""


class ForbiddenXml(StatementError):
    """The XML declares a document type or entities, which no ISO 20022 message does."""


class MalformedStatement(StatementError):
    """The file is not what its format demands."""


class TruncatedStatement(MalformedStatement):
    """The file ends before its end."""


class BadQuantity(MalformedStatement):
    """A quantity that is not an exact decimal, or whose sign contradicts itself."""


class DuplicateHolding(MalformedStatement):
    """One instrument at one place is listed twice; adding or choosing would be a guess."""


class ContradictoryCash(MalformedStatement):
    """Amounts of a confirmation that do not belong together: gross less tax is not net, or currencies differ."""


class WrongCustodian(StatementError):
    """The file names another account servicer than the profile's custodian."""


class WrongAccount(StatementError):
    """Pages that are to be joined are of different accounts."""


class DuplicateStatement(StatementError):
    """The same page of a statement twice."""


class IncompleteStatement(StatementError):
    """A page of the statement is missing."""
