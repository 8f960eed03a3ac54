"""Every exception this library raises, as one tree.

TallystickError
├── ConfigurationError            a setting or profile is missing or wrong
├── InputError                    a value given by the caller cannot be used
│   ├── AmountError               not a quantity in base units, or not exact
│   ├── IdentifierError           an ISIN, LEI, address or reference is malformed
│   └── StatementError            a custodian statement cannot be used (adapters/custody/errors.py)
├── ChainError                    something between us and the cluster
│   ├── RpcError                  the node answered with a JSON-RPC error
│   ├── EndpointError             no endpoint answered (refused, timed out, not JSON)
│   ├── ClusterMismatch           the endpoints do not serve the expected cluster
│   └── TransactionError          the cluster executed, or simulated, a transaction and it failed
│       └── ProgramError          ... in our program; one subclass per error code (program/errors.py)
├── OutcomeUnknown                a transaction was sent and its fate is not yet provable; nothing was re-signed
├── StoreError                    the store refused
│   └── StoreConflict             the same key already holds other content
├── LedgerError                   an account, event or document does not decode as what it claims to be
└── Refused                       a service declined to act, before anything was signed
"""

from __future__ import annotations

from collections.abc import Sequence


class TallystickError(Exception):
    """Base of every error raised here. `hint` says what to do next, for a person."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(TallystickError):
    """A setting or profile is missing or wrong."""


class InputError(TallystickError):
    """A value given by the caller cannot be used."""


class AmountError(InputError):
    """Not a quantity in base units, or not exactly representable in them."""


class IdentifierError(InputError):
    """An ISIN, LEI, address or reference is malformed."""


class StatementError(InputError):
    """A custodian statement cannot be used; `where` is a line number or an element path."""

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{message} (at {where})" if where else message, hint=hint)
        self.where = where


class ChainError(TallystickError):
    """Something between us and the cluster."""


class RpcError(ChainError):
    """The node answered with a JSON-RPC error object."""

    def __init__(self, code: int, message: str, data: object = None, *, hint: str | None = None) -> None:
        super().__init__(f"{message} (JSON-RPC {code})", hint=hint)
        self.code = code
        self.data = data


class EndpointError(ChainError):
    """No endpoint answered: refused, timed out, or not JSON-RPC. Says nothing about what the cluster did."""


class ClusterMismatch(ChainError):
    """The endpoints do not serve the cluster the profile names (genesis hashes differ)."""


class TransactionError(ChainError):
    """A transaction was executed, or simulated, and failed; nothing it would have done happened."""

    def __init__(
        self,
        message: str,
        *,
        error: object = None,
        logs: Sequence[str] = (),
        signature: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.error = error
        self.logs = tuple(logs)
        self.signature = signature


class ProgramError(TransactionError):
    """Our program refused. Subclasses in program/errors.py carry the class-level `code`, `name` and `text`."""

    code: int = -1
    name: str = "Unknown"
    text: str = ""

    def __init__(self, *, logs: Sequence[str] = (), signature: str | None = None, error: object = None) -> None:
        super().__init__(f"{self.text} ({self.name}, {self.code})", error=error, logs=logs, signature=signature)


class OutcomeUnknown(TallystickError):
    """A transaction was sent and its fate is not yet provable. It may still land; nothing was signed again."""

    def __init__(self, message: str, *, signature: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.signature = signature


class StoreError(TallystickError):
    """The store refused."""


class StoreConflict(StoreError):
    """The same key already holds other content; nothing was overwritten."""


class LedgerError(TallystickError):
    """An account, event or document does not decode as what it claims to be."""


class Refused(TallystickError):
    """A service declined to act, before anything was signed."""
