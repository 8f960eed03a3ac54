"""What a security's mint is, held against what it was listed as: authorities, extensions, names and the multiplier.

The program lists every mint alike (token.rs) and alone holds its authorities. A mint that differs was tampered with, or
is not the one we think it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tallystick.domain.amounts import multiplier_to_float_bits
from tallystick.domain.breaks import Break, BreakKind
from tallystick.program.token_extensions import ExtensionType, ScaledUiAmount
from tallystick.services.books import SecurityBook

LISTED_EXTENSIONS: Final = frozenset(
    {
        ExtensionType.METADATA_POINTER,
        ExtensionType.PERMANENT_DELEGATE,
        ExtensionType.DEFAULT_ACCOUNT_STATE,
        ExtensionType.SCALED_UI_AMOUNT,
        ExtensionType.PAUSABLE,
        ExtensionType.PERMISSIONED_BURN,
        ExtensionType.TOKEN_METADATA,
    }
)
"""What a mint of ours carries, and nothing else (token.rs, EXTENSIONS, and the metadata itself)."""

_INITIALIZED: Final = 1
_FROZEN: Final = 2
_EXTENSION_NAMES: Final = {int(kind): kind.name for kind in ExtensionType}


def mint_breaks(book: SecurityBook) -> tuple[Break, ...]:
    """Every difference between the mint and what the security was listed with; nothing when there is none."""
    return (*_authority_breaks(book), *_extension_breaks(book), *_name_breaks(book), *_multiplier_breaks(book))


def _authority_breaks(book: SecurityBook) -> Iterator[Break]:
    """The security's address has every authority."""
    extensions, owner = book.mint.extensions, book.address
    scaled, pausable, metadata = extensions.scaled_ui_amount, extensions.pausable, extensions.metadata
    for name, found in (
        ("mint authority", book.mint.mint_authority),
        ("freeze authority", book.mint.freeze_authority),
        ("permanent delegate", extensions.permanent_delegate),
        ("permissioned burn authority", extensions.permissioned_burn),
        ("pause authority", pausable.authority if pausable else None),
        ("multiplier authority", scaled.authority if scaled else None),
        ("metadata update authority", metadata.update_authority if metadata else None),
    ):
        if found != owner:
            yield _break(book, name, str(found or "nobody"), f"the security {owner}")


def _extension_breaks(book: SecurityBook) -> Iterator[Break]:
    """Neither more extensions nor fewer, and new accounts start frozen where the security is permissioned."""
    extensions = book.mint.extensions
    for kind in sorted(set(extensions.types) ^ LISTED_EXTENSIONS):
        name = _EXTENSION_NAMES.get(kind, f"number {kind}")
        here = "present" if kind in extensions.types else "missing"
        yield _break(book, f"extension {name}", here, "present" if here == "missing" else "missing")
    expected = _FROZEN if book.security.permissioned else _INITIALIZED
    if extensions.default_account_state != expected:
        yield _break(book, "default account state", str(extensions.default_account_state), f"{expected}")
    if book.mint.decimals != book.security.decimals:
        yield _break(book, "decimals", str(book.mint.decimals), str(book.security.decimals))


def _name_breaks(book: SecurityBook) -> Iterator[Break]:
    """The metadata is the mint's own and names the security's ISIN and issuer."""
    extensions = book.mint.extensions
    metadata = extensions.metadata
    if extensions.metadata_pointer != book.security.mint:
        yield _break(book, "metadata pointer", str(extensions.metadata_pointer), f"the mint {book.security.mint}")
    if metadata is None:
        return
    fields = dict(metadata.additional)
    for name, found, expected in (
        ("metadata mint", str(metadata.mint), str(book.security.mint)),
        ("metadata isin", fields.get("isin", ""), book.isin),
        ("metadata issuer", fields.get("issuer", ""), book.lei),
    ):
        if found != expected:
            yield _break(book, name, found or "nothing", expected)


def _multiplier_breaks(book: SecurityBook) -> Iterator[Break]:
    """The double in force is the greatest not above the exact multiplier, and so is the pending one at its time."""
    scaled = book.mint.extensions.scaled_ui_amount
    if scaled is None:
        return
    if scaled.current_bits(book.now) != multiplier_to_float_bits(book.multiplier):
        yield _multiplier_break(book, "in force", scaled.current_bits(book.now), book.multiplier)
    elif _is_pending(book) and not _has_pending(book, scaled):
        yield _multiplier_break(book, "pending", scaled.new_multiplier_bits, book.security.pending_multiplier)
    elif not _is_pending(book) and scaled.effective_at > book.now:
        yield _multiplier_break(book, "pending", scaled.new_multiplier_bits, book.multiplier)


def _is_pending(book: SecurityBook) -> bool:
    return book.security.multiplier_effective_at > book.now


def _has_pending(book: SecurityBook, scaled: ScaledUiAmount) -> bool:
    expected = multiplier_to_float_bits(book.security.pending_multiplier)
    return (scaled.effective_at, scaled.new_multiplier_bits) == (book.security.multiplier_effective_at, expected)


def _multiplier_break(book: SecurityBook, which: str, bits: int, multiplier: int) -> Break:
    message = (
        f"{book.isin}: the mint's multiplier {which} has the bits {bits:#018x}; the greatest double not above "
        f"{multiplier} / 10^18, at the security's own time, was expected."
    )
    return Break(BreakKind.MULTIPLIER_MISMATCH, message, book.isin, "", which, None, book.now)


def _break(book: SecurityBook, name: str, found: str, expected: str) -> Break:
    message = f"{book.isin}: the mint's {name} is {found} where {expected} was expected."
    return Break(BreakKind.MINT_MISMATCH, message, book.isin, "", name, None, book.now)
