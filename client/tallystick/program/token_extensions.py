"""What the extensions of a Token-2022 mint say, from their bytes (spl-token-2022-interface 3.1, extension/)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from solders.pubkey import Pubkey

from tallystick.program.borsh import Reader


class ExtensionType(IntEnum):
    """Extension type numbers this module reads; others are kept as numbers."""

    MINT_CLOSE_AUTHORITY = 3
    CONFIDENTIAL_TRANSFER_MINT = 4
    DEFAULT_ACCOUNT_STATE = 6
    IMMUTABLE_OWNER = 7
    PERMANENT_DELEGATE = 12
    TRANSFER_HOOK = 14
    METADATA_POINTER = 18
    TOKEN_METADATA = 19
    SCALED_UI_AMOUNT = 25
    PAUSABLE = 26
    PAUSABLE_ACCOUNT = 27
    PERMISSIONED_BURN = 28


@dataclass(frozen=True, slots=True)
class ScaledUiAmount:
    """Raw units to shown units. Token-2022 keeps an f64, given here as its 64 bits so that nothing rounds on the way;
    domain/amounts.py turns them into an exact multiplier. The ratio itself is in the Security account.

    From `effective_at` (unix seconds) on, the new multiplier is the one in force.
    """

    authority: Pubkey | None
    multiplier_bits: int
    effective_at: int
    new_multiplier_bits: int

    def current_bits(self, now: int) -> int:
        """Bits of the multiplier in force at `now`, unix seconds."""
        return self.new_multiplier_bits if now >= self.effective_at else self.multiplier_bits


@dataclass(frozen=True, slots=True)
class Pausable:
    """While paused nothing is minted, burnt or transferred."""

    authority: Pubkey | None
    paused: bool


@dataclass(frozen=True, slots=True)
class TokenMetadata:
    """Names of a token, kept in its mint."""

    update_authority: Pubkey | None
    mint: Pubkey
    name: str
    symbol: str
    uri: str
    additional: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MintExtensions:
    """Extensions of a mint. None where the mint lacks one, or where it has one without an authority.

    `default_account_state` is 1 for initialized and 2 for frozen. `types` has every extension's number, in order, known
    or not: `types` says whether an extension is there at all.
    """

    types: tuple[int, ...] = ()
    scaled_ui_amount: ScaledUiAmount | None = None
    pausable: Pausable | None = None
    permanent_delegate: Pubkey | None = None
    default_account_state: int | None = None
    permissioned_burn: Pubkey | None = None
    metadata_pointer: Pubkey | None = None
    metadata: TokenMetadata | None = None


def read_entries(reader: Reader) -> Iterator[tuple[int, Reader]]:
    """Type number and value of each extension, up to the end or to the zeros behind the last. LedgerError if cut."""
    while reader.remaining >= 2:
        kind = reader.u16()
        if kind == 0:
            break
        yield kind, Reader(reader.fixed(reader.u16()), f"extension {kind}")
    if any(reader.fixed(reader.remaining)):
        reader.fail("zeros after the last extension expected")


def read_mint_extensions(reader: Reader) -> MintExtensions:
    """All extensions of a mint. LedgerError if one does not decode or appears twice."""
    types: list[int] = []
    scaled: ScaledUiAmount | None = None
    pausable: Pausable | None = None
    keys: dict[int, Pubkey | None] = {}
    state: int | None = None
    metadata: TokenMetadata | None = None
    for kind, value in read_entries(reader):
        if kind in types:
            reader.fail(f"extension {kind} once expected, found it twice")
        types.append(kind)
        match kind:
            case ExtensionType.SCALED_UI_AMOUNT:
                scaled = ScaledUiAmount(_key(value), value.u64(), value.i64(), value.u64())
            case ExtensionType.PAUSABLE:
                pausable = Pausable(_key(value), value.boolean())
            case ExtensionType.PERMANENT_DELEGATE | ExtensionType.PERMISSIONED_BURN:
                keys[kind] = _key(value)
            case ExtensionType.METADATA_POINTER:
                _key(value)
                keys[kind] = _key(value)
            case ExtensionType.DEFAULT_ACCOUNT_STATE:
                state = value.u8()
            case ExtensionType.TOKEN_METADATA:
                metadata = _metadata(value)
            case _:
                continue
        value.finish()
    return MintExtensions(
        types=tuple(types),
        scaled_ui_amount=scaled,
        pausable=pausable,
        permanent_delegate=keys.get(ExtensionType.PERMANENT_DELEGATE),
        default_account_state=state,
        permissioned_burn=keys.get(ExtensionType.PERMISSIONED_BURN),
        metadata_pointer=keys.get(ExtensionType.METADATA_POINTER),
        metadata=metadata,
    )


def _key(reader: Reader) -> Pubkey | None:
    """A key, or None for the default one, which stands for nobody."""
    key = reader.pubkey()
    return None if key == Pubkey.default() else key


def _metadata(reader: Reader) -> TokenMetadata:
    return TokenMetadata(
        _key(reader),
        reader.pubkey(),
        reader.string(),
        reader.string(),
        reader.string(),
        reader.vec(lambda: (reader.string(), reader.string())),
    )
