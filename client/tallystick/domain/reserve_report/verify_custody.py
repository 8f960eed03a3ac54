"""Whether what is declared of custody fits what is on chain: attestations, statements, movements, breaks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from tallystick.domain.breaks import BreakKind, break_id
from tallystick.domain.canonical import sha256
from tallystick.domain.closes import DailyClose, StatementReference
from tallystick.domain.identifiers import custody_account_hash, custody_accounts_hash, movement_hash
from tallystick.domain.reserve_report.checks import Check, Disagreement, Status, check_of
from tallystick.domain.reserve_report.comparison import differ
from tallystick.domain.reserve_report.declared import (
    DeclaredAccount,
    DeclaredBreak,
    DeclaredHolding,
    DeclaredTiming,
)
from tallystick.domain.reserve_report.facts import AttestationFacts, MovementFacts, SecurityFacts, Unserved
from tallystick.domain.reserve_report.material import Material
from tallystick.domain.reserve_report.reserves import drawn_close
from tallystick.domain.reserve_report.values import SECONDS_PER_DAY, moment
from tallystick.errors import InputError


def verify_attestations(material: Material) -> Check:
    """Every reserve of the month was approved by as many attestors as the policy asked for."""
    found = [each for security in material.securities for each in _in_force(material, security)]
    wrong = next((each for security in material.securities for each in _wrong_attestations(material, security)), None)
    words = f"{len(found)} attestations were in force, each approved by enough attestors whose role was in force."
    return check_of("attestations", "assets", wrong, words)


def verify_statements(material: Material) -> Check:
    """The declared holdings are the statements that the as-of close rests on, of the accounts that are on chain.

    The close is the issuer's; that the attestors signed the same shares of the same statements, the hash in the
    attestation shows.
    """
    wrong = next((each for security in material.securities for each in _wrong_holdings(material, security)), None)
    if wrong is None and Unserved.TERMS in material.facts.unserved:
        words = "The holdings are those of the as-of close. Whether the custody accounts were changed since, the node "
        words += "does not tell."
        return Check("custodians' statements", "assets", Status.NOT_SERVED, words)
    holdings = material.declared.holdings
    words = f"Those of the as-of close, in the accounts on chain: {len(holdings)} holdings."
    if holdings:
        words += f" The oldest statement is as of {moment(min(each.as_of for each in holdings))}."
    unsigned = [each.ticker for each in material.securities if not _is_signed_by_attestors(material, each)]
    if wrong is None and unsigned:
        words += (
            f" What those of {', '.join(unsigned)} say is the custodians' word, as the issuer tells it: they are not "
        )
        words += "the ones that the attestors signed."
        return Check("custodians' statements", "assets", Status.STATED, words)
    words += " The attestors signed the same shares of the same statements." if holdings else ""
    return check_of("custodians' statements", "assets", wrong, words)


def verify_timing(material: Material) -> tuple[Check, ...]:
    """Movements between statements and chain: those on chain have these shares.

    When a movement was booked at the custodian no chain shows. That one was booked since the statement, and that the
    statement holds one that is not told, although the chain has it since, is therefore the issuer's word.
    """
    declared, name = material.declared.timing, "movements since the statements"
    known = set[tuple[str, str, bytes]]()
    for index, each in enumerate(declared):
        found = _movement_on_chain(material, each)
        if found is None:
            continue
        shares, movement = found
        if shares != each.amount:
            wrong = differ(f"/declared/timing/{index}/amount", str(shares), str(each.amount))
            return (check_of(name, "assets", wrong, ""),)
        if (each.day, each.kind, movement.address) in known:
            twice = Disagreement(f"/declared/timing/{index}: this movement is told twice.", f"/declared/timing/{index}")
            return (check_of(name, "assets", twice, ""),)
        known.add((each.day, each.kind, movement.address))
    untold = _untold(material, known)
    words = list[str]()
    if declared:
        words.append(
            f"{len(known)} of {len(declared)} movements since the statements are on chain with these shares; when they "
            "were booked is the issuer's word."
        )
    if len(declared) > len(known):
        words.append(f"Of the other {len(declared) - len(known)} the issuer tells; the chain cannot.")
    if untold:
        words.append(
            f"That the statements hold {untold} that {'was' if untold == 1 else 'were'} used on chain since, and not "
            "told here, is the issuer's word."
        )
    return (Check(name, "assets", Status.STATED, " ".join(words)),) if words else ()


def _untold(material: Material, told: Collection[tuple[str, str, bytes]]) -> int:
    """How many movements were first used on chain behind the oldest statement of a close that the report tests, by the
    close, and are not told as booked since."""
    drawn = drawn_close(material)
    found = set[bytes]()
    for close in (material.close, *((drawn,) if drawn else ())):
        for security in material.securities:
            part = material.closed(security, close)
            if part is None or not part.statements:
                continue
            since = min(each.as_of for each in part.statements)
            found |= {
                each.address
                for each in security.movements
                if since < each.recorded_at <= close.block_time
                and (close.day, BreakKind.TIMING_ASOF.value, each.address) not in told
            }
    return len(found)


def verify_breaks(material: Material) -> Check:
    """Breaks have the ids that the closes name, and those open at the as-of are all there."""
    wrong = next(_wrong_breaks(material), None)
    named = {found for close in material.declared.closes for part in close.securities for found in part.breaks}
    beyond = sum(each.id not in named for each in material.declared.breaks)
    known = len(material.declared.breaks) - beyond
    words = f"{known} {'break is one' if known == 1 else 'breaks are those'} that the daily closes name."
    if wrong is None and beyond:
        words += (
            f" That there {'was' if beyond == 1 else 'were'} {beyond} more that no close names is the issuer's word."
        )
        return Check("breaks", "differences", Status.STATED, words)
    return check_of("breaks", "differences", wrong, words)


def _in_force(material: Material, security: SecurityFacts) -> list[AttestationFacts]:
    wanted = {each.attestation for each in (*security.days, security.as_of)}
    return [each for each in security.attestations if each.content_hash in wanted]


def _wrong_attestations(material: Material, security: SecurityFacts) -> Iterator[Disagreement]:
    for each in _in_force(material, security):
        attestors = {approval.attestor for approval in each.approvals if approval.has_role}
        if len(attestors) < max(1, each.threshold):
            words = f"{security.ticker}: {len(attestors)} attestors approved where {each.threshold} were asked for."
            yield Disagreement(words, "/assets", str(each.threshold), str(len(attestors)))
    at = security.as_of
    if not any(at.attestation):
        return
    found = material.attestation(security, at)
    if found is None:
        yield Disagreement(f"{security.ticker}: the attestation in force at the as-of was not found.", "/assets")
        return
    if (found.shares, found.as_of) != (at.reserve, at.reserve_as_of):
        yield Disagreement(
            f"{security.ticker}: the attestation in force is of other shares than the reserve.", "/assets"
        )
    holdings = [each for each in material.declared.holdings if each.isin == security.isin]
    settled = sum(each.settled for each in holdings)
    if holdings and all(each.as_of == found.as_of for each in holdings) and settled != found.shares:
        yield differ("/assets", str(found.shares), str(settled))


def _wrong_holdings(material: Material, security: SecurityFacts) -> Iterator[Disagreement]:
    part = material.closed(security)
    references: dict[bytes, StatementReference] = {
        each.account_hash: each for each in (part.statements if part else ())
    }
    accounts = list[bytes]()
    for index, each in enumerate(material.declared.holdings):
        if each.isin != security.isin:
            continue
        path = f"/declared/holdings/{index}"
        account = _account_hash(each)
        reference = references.pop(account, None) if account else None
        if account is None or reference is None:
            yield Disagreement(f"{path}: the as-of close rests on no statement of this account.", path)
            continue
        accounts.append(account)
        for name, expected, found in (
            ("statement_hash", reference.statement_hash.hex(), each.statement_hash.hex()),
            ("settled", str(reference.quantity), str(each.settled)),
            ("as_of", reference.as_of, each.as_of),
        ):
            if expected != found:
                yield differ(f"{path}/{name}", expected, found)
        if each.aggregate - sum(quantity for _, quantity in each.taken_off) != each.settled:
            yield Disagreement(f"{path}: the aggregate less what is taken off is not what is settled.", path)
    if references:
        yield Disagreement(f"{security.ticker}: the as-of close rests on statements that are not declared.", "/assets")
    if Unserved.TERMS in material.facts.unserved:
        return
    yield from _wrong_accounts(material, security, accounts)


def _is_signed_by_attestors(material: Material, security: SecurityFacts) -> bool:
    """Whether the statements of the as-of close, if it has any, are those of the attestation in force."""
    part, attestation = material.closed(security), material.attestation(security, security.as_of)
    if part is None or not part.statements:
        return True
    if attestation is None:
        return False
    replaced = (bytes(32), *(each.address for each in security.attestations))
    return any(
        _attestation_hash(security, attestation, each, part.statements) == attestation.content_hash for each in replaced
    )


def _attestation_hash(
    security: SecurityFacts, attestation: AttestationFacts, supersedes: bytes, lines: Sequence[StatementReference]
) -> bytes | None:
    """SHA-256("tallystick:attestation", security, content in Borsh) of an attestation of these statements; None for
    numbers that have no such form. Source: state/attestation.rs, AttestationContent::hash."""
    parts = [attestation.shares.to_bytes(8, "little"), attestation.redeemed.to_bytes(8, "little"), supersedes]
    parts.append(len(lines).to_bytes(4, "little"))
    try:
        for each in sorted(lines, key=lambda each: each.account_hash):
            shares, as_of = each.quantity.to_bytes(8, "little"), each.as_of.to_bytes(8, "little", signed=True)
            parts += [each.account_hash, shares, each.statement_hash, as_of]
    except OverflowError:
        return None
    as_of = attestation.as_of.to_bytes(8, "little", signed=True)
    return sha256(b"tallystick:attestation", security.address, as_of, *parts)


def _wrong_accounts(material: Material, security: SecurityFacts, accounts: Sequence[bytes]) -> Iterator[Disagreement]:
    """The accounts of the statements, with those declared to have none, are the custody accounts on chain. One that is
    not declared may be known from another close of the month."""
    silent = [_account_hash(each) for each in material.declared.without_statement if each.isin == security.isin]
    if not accounts and not silent:
        return
    every = {*accounts, *(each for each in silent if each)}
    expected, found = security.custody_accounts_hash, custody_accounts_hash(sorted(every))
    if len(every) == len(accounts) + len(silent) and expected == found:
        return
    opening = (material.declared.opening,) if material.declared.opening else ()
    parts = [material.closed(security, each) for each in (*opening, *material.declared.closes)]
    known = {each.account_hash for part in parts if part for each in part.statements if len(each.account_hash) == 32}
    if silent or custody_accounts_hash(sorted(known)) != expected:
        words = f"{security.ticker}: these are not the custody accounts that are on chain."
        path = "/declared/without_statement" if silent else "/assets"
        yield Disagreement(words, path, expected.hex(), found.hex())


def _account_hash(holding: DeclaredHolding | DeclaredAccount) -> bytes | None:
    try:
        return custody_account_hash(holding.custodian_lei, holding.account)
    except InputError:
        return None


def _movement_on_chain(material: Material, timing: DeclaredTiming) -> tuple[int, MovementFacts] | None:
    """What the movement adds to the statements, by the chain, and the movement; None when the chain has none of this
    reference.

    Booked since the statement, all its shares; not used by any order by the close of its day, the rest with the other
    sign: the statement has them, the supply has not.
    """
    try:
        wanted = {movement_hash(lei, timing.account, timing.reference) for lei in _leis(material, timing)}
    except InputError:
        return None
    for security in material.securities:
        for movement in security.movements if security.isin == timing.isin else ():
            if movement.reference_hash not in wanted:
                continue
            sign = 1 if movement.direction == "receipt" else -1
            if timing.kind == BreakKind.PENDING_SETTLEMENT.value:
                return -sign * (movement.shares - _used(material, security, movement, timing.day)), movement
            return sign * movement.shares, movement
    return None


def _leis(material: Material, timing: DeclaredTiming) -> set[str]:
    """The custodians that hold an account of that name."""
    return {each.custodian_lei for each in material.declared.holdings if each.account == timing.account}


def _used(material: Material, security: SecurityFacts, movement: MovementFacts, day: str) -> int:
    """Shares of a movement that fills had used by the close of a day; a correction gives nothing back."""
    until = next((each.block_time for each in material.declared.closes if each.day == day), material.now)
    later = (
        each.shares
        for each in security.fills
        if each.movement == movement.address and each.kind != "correction" and each.settled_at > until
    )
    return movement.allocated - sum(later)


def _wrong_breaks(material: Material) -> Iterator[Disagreement]:
    declared = {each.id: each for each in material.declared.breaks}
    for index, each in enumerate(material.declared.breaks):
        path = f"/declared/breaks/{index}"
        expected = _break_id(each)
        if expected != each.id:
            yield differ(f"{path}/id", expected.hex() if expected else "a known kind", each.id.hex())
        if each.first_seen > material.now or (each.closed_at and not each.first_seen <= each.closed_at <= material.now):
            yield Disagreement(f"{path}: the break is not of a time before the as-of.", path)
    for place, close in enumerate(material.declared.closes):
        named = {found for part in close.securities for found in part.breaks}
        yield from _wrong_times(close, [each for each in declared.values() if each.id in named])
        unknown = sorted(named - set(declared))
        if unknown:
            path = f"/declared/closes/contents/{place}"
            yield Disagreement(f"The close of {close.day} names the break {unknown[0].hex()}, which is not told.", path)
    still_open = {each.id for each in declared.values() if not each.closed_at}
    at_close = {found for part in material.close.securities for found in part.breaks}
    # A close names the breaks of its securities: one of the whole issuer, or of another instrument, is told beyond it.
    securities = {part.isin for part in material.close.securities}
    beyond = {each.id for each in declared.values() if each.instrument not in securities}
    for missing in sorted((still_open - at_close - beyond) | (at_close - still_open)):
        told = "told as open" if missing in still_open else "not told as open"
        yield Disagreement(f"The break {missing.hex()} is {told}; the as-of close says otherwise.", "/differences/open")


def _wrong_times(close: DailyClose, breaks: Iterable[DeclaredBreak]) -> Iterator[Disagreement]:
    """A close names what is open: each break began by then and ended later, but for a day of clocks that differ."""
    earliest, latest = close.block_time - SECONDS_PER_DAY, close.block_time + SECONDS_PER_DAY
    for each in breaks:
        if each.first_seen > latest or 0 < each.closed_at < earliest:
            words = f"The break {each.id.hex()} is told as open from {moment(each.first_seen)}"
            words += f" to {moment(each.closed_at)}" if each.closed_at else ""
            yield Disagreement(f"{words}; the close of {close.day} names it as open.", "/declared/breaks")


def _break_id(each: DeclaredBreak) -> bytes | None:
    try:
        return break_id(BreakKind(each.kind), each.instrument, each.account, each.reference)
    except ValueError:
        return None
