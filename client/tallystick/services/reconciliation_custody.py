"""What custodians hold, held against what the tokens require, in exact shares and with no tolerance.

Statements speak of their as-of, the chain of now. Between the two only named movements count: one that was booked after
the as-of is not on the statement yet, and one that no order has used yet is not in the supply. With those,

    free shares on the statements + movements since = required for the supply + movements not used yet

(deliveries below zero). What is left over is a break, short or over by that many shares. While the multiplier is not
one, each fill leaves less than one raw unit's worth of shares in custody; it shows as over, unless the declared surplus
covers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.clock import instant
from tallystick.domain.amounts import Rounding, format_base_units, format_shares, format_tokens, share_equivalent
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.closes import StatementReference
from tallystick.domain.holdings import Basis, Completeness, StatementOfHoldings, statement_hash
from tallystick.domain.identifiers import custody_account_hash, custody_accounts_hash
from tallystick.domain.reserve import DEFAULT_TREATMENTS, Treatment, statement_reserve
from tallystick.errors import ConfigurationError
from tallystick.program.addresses import attestation_hash
from tallystick.program.generated.accounts import Attestation
from tallystick.program.generated.types import AttestationContent, StatementLine
from tallystick.services.books import IssuerBooks, SecurityBook
from tallystick.services.reconciliation_orders import BookedMovement, open_movements, signed
from tallystick.services.rules import custody_accounts_at
from tallystick.services.securities import CustodyAccount

__all__ = [
    "BridgeLine",
    "CustodyAccount",
    "CustodySide",
    "DeclaredSecurity",
    "compare_custody",
    "declarations",
    "newest_statement",
    "statement_references",
]

COMBINATIONS: Final = 256
"""How many sets of statements are tried to find the one that was attested."""


@dataclass(frozen=True, slots=True)
class DeclaredSecurity:
    """What the issuer declares of a security off chain.

    `accounts` are its custody accounts (their hash is on chain), `inventory` wallets of the issuer's own, `surplus` the
    most shares (base units) that are meant to be held beyond what the tokens require, such as the margin.
    """

    security: Pubkey
    accounts: tuple[CustodyAccount, ...]
    inventory: tuple[Pubkey, ...] = ()
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class BridgeLine:
    """A named movement that explains a difference between the two as-ofs. `amount` in shares (base units), as it is
    added to what the statements say; TIMING_ASOF when it was booked since, PENDING_SETTLEMENT when no order used it."""

    kind: BreakKind
    account: str
    reference: str
    amount: int


@dataclass(frozen=True, slots=True)
class CustodySide:
    """What custody says of a security. All in shares (base units); None where it cannot be said.

    `held` are the free shares on `statements`, `as_of` the earliest of theirs, `bridge` what was added to compare with
    `required`, and `surplus` what then remains, below zero when shares are missing.
    """

    held: int | None
    required: int
    as_of: int | None
    statements: tuple[StatementReference, ...]
    bridge: tuple[BridgeLine, ...]
    surplus: int | None


def declarations(books: IssuerBooks, declared: Sequence[DeclaredSecurity]) -> dict[Pubkey, DeclaredSecurity]:
    """What is declared of each security of the books; no accounts for those that no declaration names.

    ConfigurationError when a declaration names a security that is not in the books.
    """
    by_address = {each.security: each for each in declared}
    listed = {book.address for book in books.securities}
    unknown = sorted(str(each) for each in by_address if each not in listed)
    if unknown:
        raise ConfigurationError(
            f"Issuer {books.address} has no security {', '.join(unknown)} on this cluster.",
            hint="Correct the profile's securities, or the cluster it names.",
        )
    return {address: by_address.get(address, DeclaredSecurity(address, ())) for address in listed}


def newest_statement(
    account: bytes, statements: Sequence[StatementOfHoldings], *, until: int | None = None
) -> StatementOfHoldings | None:
    """The newest whole, complete statement on settlement basis of an account, not dated after `until`."""
    usable = [each for each in _of_account(account, statements) if until is None or each.as_of <= until]
    return max(usable, key=lambda each: (each.as_of, each.received_at), default=None)


def statement_references(
    book: SecurityBook,
    declared: DeclaredSecurity,
    statements: Sequence[StatementOfHoldings],
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
) -> tuple[StatementReference, ...]:
    """The newest usable statement of each declared account that has a certain quantity, with that quantity."""
    found: list[StatementReference] = []
    for account in declared.accounts:
        statement = newest_statement(account.hash, statements)
        reference = statement and _reference(book, statement, treatments)
        if reference:
            found.append(reference)
    return tuple(sorted(found, key=lambda each: each.account_hash))


def compare_custody(
    book: SecurityBook,
    declared: DeclaredSecurity,
    statements: Sequence[StatementOfHoldings],
    movements: Sequence[BookedMovement],
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
) -> tuple[CustodySide, tuple[Break, ...]]:
    """What is backed, and every difference between statements, supply and the attested reserve."""
    references = statement_references(book, declared, statements, treatments)
    is_whole = bool(references) and len(references) == len(declared.accounts)
    held = sum(each.quantity for each in references) if is_whole else None
    bridge = _bridge(book, references, movements)
    surplus = None if held is None else held + sum(line.amount for line in bridge) - book.required
    as_of = min((each.as_of for each in references), default=None)
    side = CustodySide(held, book.required, as_of, references, bridge, surplus)
    return side, (
        *_account_breaks(book, declared),
        *_missing_statements(book, declared, statements),
        *_quantity_breaks(book, declared, side),
        *_reserve_breaks(book, declared, statements, treatments),
    )


def _of_account(account: bytes, statements: Sequence[StatementOfHoldings]) -> list[StatementOfHoldings]:
    return [
        each
        for each in statements
        if each.is_whole
        and each.basis is Basis.SETTLED
        and each.completeness is Completeness.COMPLETE
        and custody_account_hash(each.custodian_lei, each.account) == account
    ]


def _reference(
    book: SecurityBook, statement: StatementOfHoldings, treatments: Mapping[str, Treatment]
) -> StatementReference | None:
    quantity = statement_reserve(statement, book.isin, book.decimals, treatments).quantity
    if quantity is None:
        return None
    return StatementReference(
        custody_account_hash(statement.custodian_lei, statement.account),
        statement_hash(statement, book.isin),
        statement.source_hashes,
        statement.as_of,
        quantity,
    )


def _bridge(
    book: SecurityBook, references: Sequence[StatementReference], movements: Sequence[BookedMovement]
) -> tuple[BridgeLine, ...]:
    as_ofs = {each.account_hash: each.as_of for each in references}
    since = [
        BridgeLine(BreakKind.TIMING_ASOF, each.account, each.reference, signed(each.direction, each.shares))
        for each in movements
        if each.booked_at is not None and each.booked_at > as_ofs.get(each.account_hash, each.booked_at)
    ]
    unused = [
        BridgeLine(BreakKind.PENDING_SETTLEMENT, each.movement.account, each.movement.reference, -each.signed_unused)
        for each in open_movements(book, movements)
        if each.movement.booked_at is not None
    ]
    return (*since, *unused)


def _account_breaks(book: SecurityBook, declared: DeclaredSecurity) -> Iterator[Break]:
    """The declared accounts are those that the security declares on chain."""
    hashes = sorted({account.hash for account in declared.accounts})
    expected_hash, expected = custody_accounts_at(book.security, book.now)
    if custody_accounts_hash(hashes) != expected_hash:
        yield Break(
            BreakKind.WRONG_ACCOUNT,
            f"{book.isin}: the {len(hashes)} declared custody accounts are not the {expected} that the security "
            "declares.",
            book.isin,
            "",
            "custody_accounts",
            None,
            book.now,
        )


def _missing_statements(
    book: SecurityBook, declared: DeclaredSecurity, statements: Sequence[StatementOfHoldings]
) -> Iterator[Break]:
    """Every declared account has a usable statement, once there is anything to back."""
    if book.required == 0 and book.security.attestations == 0:
        return
    for account in declared.accounts:
        if newest_statement(account.hash, statements) is None:
            yield Break(
                BreakKind.GAP,
                f"{book.isin}: there is no whole, complete statement on settlement basis of account {account.account}.",
                book.isin,
                account.account,
                "statement",
                None,
                book.now,
            )


def _quantity_breaks(book: SecurityBook, declared: DeclaredSecurity, side: CustodySide) -> Iterator[Break]:
    """Short or over by exactly so many shares: the amount says how many, the kind which way."""
    if side.surplus is None or side.as_of is None or 0 <= side.surplus <= declared.surplus:
        return
    amount = -side.surplus if side.surplus < 0 else side.surplus - declared.surplus
    shares = format_shares(amount, book.decimals)
    if book.multiplier_changed_at >= side.as_of:
        yield Break(
            BreakKind.CA_IN_FLIGHT,
            f"{book.isin}: statements from before the last multiplier change differ by {shares}.",
            book.isin,
            "",
            "multiplier",
            side.surplus,
            side.as_of,
        )
        return
    if _is_booked_early(book, declared, side):
        at = instant(book.security.multiplier_effective_at)
        yield Break(
            BreakKind.CA_IN_FLIGHT,
            f"{book.isin}: statements have the change of the multiplier already that takes effect at {at}, and differ"
            f" by {shares} until then.",
            book.isin,
            "",
            "multiplier",
            side.surplus,
            side.as_of,
        )
        return
    short = side.surplus < 0
    yield Break(
        BreakKind.QUANTITY_SHORT if short else BreakKind.QUANTITY_OVER,
        f"{book.isin}: {shares} {'short of' if short else 'more than'} what {_describe(book, side)} require.",
        book.isin,
        "",
        "custody",
        amount,
        side.as_of,
    )


def _is_booked_early(book: SecurityBook, declared: DeclaredSecurity, side: CustodySide) -> bool:
    """True when the custodian's shares are what the pending multiplier requires."""
    security = book.security
    if security.multiplier_effective_at <= book.now or side.surplus is None:
        return False
    after = share_equivalent(book.mint.supply, security.pending_multiplier, Rounding.UP)
    return 0 <= side.surplus + side.required - after <= declared.surplus


def _describe(book: SecurityBook, side: CustodySide) -> str:
    """The two sides in words."""
    supply, held = format_tokens(book.mint.supply, book.decimals), format_base_units(side.held or 0, book.decimals)
    moved = f"{len(side.bridge)} movement{'' if len(side.bridge) == 1 else 's'}"
    return f"{supply}, against {held} on the statements and {moved} since or unused,"


def _reserve_breaks(
    book: SecurityBook,
    declared: DeclaredSecurity,
    statements: Sequence[StatementOfHoldings],
    treatments: Mapping[str, Treatment],
) -> Iterator[Break]:
    """The reserve in force is the attestation's, and that is what statements of its as-of say."""
    security = book.security
    if security.attestations == 0:
        return
    attestation = book.attestations.get(security.attestation)
    is_same = attestation is not None and (
        (attestation.shares, attestation.as_of, attestation.redeemed)
        == (security.reserve, security.reserve_as_of, security.reserve_redeemed)
    )
    if attestation is None or not is_same:
        attested = attestation.shares if attestation else 0
        yield _reserve_break(
            book,
            "in force",
            security.reserve - attested,
            (
                f"the reserve in force is {format_base_units(security.reserve, book.decimals)}, the attestation it "
                f"names has {format_base_units(attested, book.decimals)}, another as-of or other redemptions"
            ),
        )
        return
    candidates = [_candidates(book, account.hash, statements, treatments) for account in declared.accounts]
    tried = islice(product(*candidates), COMBINATIONS)
    sets = [each for each in tried if min((line.as_of for line in each), default=0) == security.reserve_as_of]
    if not sets:
        yield Break(
            BreakKind.GAP,
            f"{book.isin}: the statements that the reserve in force was attested from are not here.",
            book.isin,
            "",
            "attested",
            None,
            security.reserve_as_of,
        )
        return
    if any(_is_attested(book, attestation, each) for each in sets):
        return
    stated = sum(each.quantity for each in sets[0])
    yield _reserve_break(
        book,
        "attested",
        security.reserve - stated,
        (
            f"{format_base_units(security.reserve, book.decimals)} were attested; the statements of that as-of say "
            f"{format_base_units(stated, book.decimals)}, or are not the ones that were attested"
        ),
    )


def _candidates(
    book: SecurityBook, account: bytes, statements: Sequence[StatementOfHoldings], treatments: Mapping[str, Treatment]
) -> list[StatementReference]:
    """Statements that a line of the attestation in force may be of, nearest as-of first; none is before its as-of."""
    later = [each for each in _of_account(account, statements) if each.as_of >= book.security.reserve_as_of]
    later.sort(key=lambda each: (each.as_of, each.received_at))
    return [each for statement in later if (each := _reference(book, statement, treatments)) is not None]


def _is_attested(book: SecurityBook, attestation: Attestation, references: Sequence[StatementReference]) -> bool:
    lines = tuple(
        StatementLine(
            account=each.account_hash, shares=each.quantity, statement_hash=each.statement_hash, as_of=each.as_of
        )
        for each in sorted(references, key=lambda each: each.account_hash)
    )
    content = AttestationContent(
        as_of=min(line.as_of for line in lines),
        shares=sum(line.shares for line in lines),
        redeemed=attestation.redeemed,
        supersedes=attestation.supersedes,
        lines=lines,
    )
    return attestation_hash(book.address, content) == attestation.content_hash


def _reserve_break(book: SecurityBook, reference: str, amount: int, message: str) -> Break:
    return Break(
        BreakKind.RESERVE_MISMATCH,
        f"{book.isin}: {message}.",
        book.isin,
        "",
        reference,
        amount,
        book.security.reserve_as_of,
    )
