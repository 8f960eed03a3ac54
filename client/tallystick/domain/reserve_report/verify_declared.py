"""Whether what is declared is declared once and of something, who signed it, and how much is the issuer's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from tallystick.domain.breaks import BreakKind
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.assertion import assertion_message
from tallystick.domain.reserve_report.checks import Check, Disagreement, Status, check_of
from tallystick.domain.reserve_report.comparison import Place, is_within, leaves_of
from tallystick.domain.reserve_report.material import Material
from tallystick.domain.reserve_report.reserves import drawn_close

IsSigned: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Whether a key (32 bytes) made this signature (64 bytes, Ed25519) of a message: key, message, signature."""

_ANY: Final = "*"
SHOWN_ON_CHAIN: Final[tuple[Place, ...]] = (
    ("period",),
    ("version",),
    ("uri",),
    ("days_before",),
    ("opening",),
    ("closes",),
    *(("holdings", _ANY, name) for name in ("isin", "custodian_lei", "account", "statement_hash", "as_of", "settled")),
    ("without_statement",),
    ("wallets", _ANY, "isin"),
    *(("breaks", _ANY, name) for name in ("id", "kind", "instrument", "account", "reference")),
    ("dividends", _ANY, "distribution"),
    ("dividends", _ANY, "amount"),
)
"""Places of the declaration that the chain, or a hash on it, shows to be so. All else is the issuer's word."""


def verify_declared(material: Material) -> Check:
    """Nothing is declared twice, or of what is not in the report."""
    wrong = next(_wrong(material), None)
    return check_of("declaration", "declared", wrong, "Each part of the declaration is of something in the report.")


def verify_signatures(material: Material, is_signed: IsSigned) -> Check:
    """The officers' signatures over the as-of close and the words of the assertion."""
    found = material.declared.assertion
    name, section = "signatures", "assertion"
    if found is None:
        return Check(name, section, Status.STATED, "No assertion by the issuer's management is in this report.")
    message = assertion_message(material.declared.period, material.close_hashes[-1], found.text)
    signed = 0
    for index, each in enumerate(found.officers):
        path = f"/assertion/asserted_by/{index}/signature"
        if bool(each.key) != bool(each.signature):
            words = f"{each.name} has a key or a signature without the other."
            return Check(name, section, Status.FAILED, words, path)
        if each.signature and not is_signed(each.key, message, each.signature):
            return Check(name, section, Status.FAILED, f"The signature of {each.name} does not verify.", path)
        signed += bool(each.signature)
    of = f"{len(found.officers)} officer{'' if len(found.officers) == 1 else 's'}"
    words = f"{signed} of {of} signed it. Whose keys they are, the issuer tells."
    return Check(name, section, Status.PASSED if signed else Status.STATED, words)


def verify_examination(material: Material) -> Check:
    """What is said of an examination; nothing on chain shows it."""
    found = material.declared.examination
    if found is None:
        return Check("examination", "assertion", Status.STATED, "Nobody examined this report.")
    words = f"By the issuer's word {found.examiner} examined it ({found.standard}): {found.opinion}."
    return Check("examination", "assertion", Status.STATED, words)


def issuers_word(declared: CanonicalValue) -> Check:
    """How many of the declared values nothing on chain can show."""
    nothing: tuple[CanonicalValue, ...] = (None, "", [], {})
    places = [place for place, value in leaves_of(declared) if value not in nothing]
    stated = [place for place in places if not is_within(place, SHOWN_ON_CHAIN)]
    parts = sorted({str(place[0]).replace("_", " ") for place in stated})
    words = f"{len(stated)} of {len(places)} declared values stand on the issuer's word: {', '.join(parts)}."
    return Check("the issuer's word", "declared", Status.STATED, words)


def _wrong(material: Material) -> Iterator[Disagreement]:
    declared = material.declared
    isins = {each.isin for each in material.securities}
    used_leis = {each.custodian_lei for each in declared.holdings}
    used_leis |= {each.custodian_lei for each in declared.without_statement}
    distributions = {each.address for security in material.securities for each in security.distributions}
    yield from _each_once("custodians", [each.lei for each in declared.custodians], used_leis)
    holdings = [(each.isin, each.custodian_lei, each.account) for each in declared.holdings]
    yield from _each_once("holdings", holdings, None)
    yield from _each_once("holdings", sorted({each.isin for each in declared.holdings}), isins)
    silent = [(each.isin, each.custodian_lei, each.account) for each in declared.without_statement]
    yield from _each_once("without_statement", silent, None)
    yield from _each_once("without_statement", sorted({each.isin for each in declared.without_statement}), isins)
    yield from _each_once("wallets", [each.isin for each in declared.wallets], isins)
    for each in declared.wallets:
        yield from _each_once("wallets", each.inventory, None)
        yield from _each_once("wallets", each.lost, None)
        if set(each.inventory) & set(each.lost):
            yield Disagreement("A wallet of the issuer's own is declared as lost too.", "/declared/wallets")
    yield from _each_once("prices", [each.isin for each in declared.prices], isins)
    yield from _each_once("dividends", [each.distribution for each in declared.dividends], distributions)
    yield from _each_once("breaks", [each.id for each in declared.breaks], None)
    drawn = drawn_close(material)
    days = {material.close.day, *((drawn.day,) if drawn else ())}
    timing = [(each.day, each.isin, each.account, each.reference, each.kind) for each in declared.timing]
    yield from _each_once("timing", timing, None)
    kinds = {BreakKind.TIMING_ASOF.value, BreakKind.PENDING_SETTLEMENT.value}
    yield from _each_once("timing", sorted({each.kind for each in declared.timing}), kinds)
    yield from _each_once("timing", sorted({each.day for each in declared.timing}), days)
    yield from _each_once("timing", sorted({each.isin for each in declared.timing}), isins)
    if (declared.correction is not None) != (declared.version > 1):
        words = "A correction is declared of a first version, or none of a later one."
        yield Disagreement(words, "/declared/correction")


def _each_once(part: str, keys: Sequence[object], known: set[str] | set[bytes] | None) -> Iterator[Disagreement]:
    path = f"/declared/{part}"
    if len(set(keys)) != len(keys):
        yield Disagreement(f"{path}: something is declared twice.", path)
    if known is not None and any(each not in known for each in keys):
        yield Disagreement(f"{path}: something is declared of what is not in the report.", path)
