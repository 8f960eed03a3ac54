"""The form of a report as a JSON Schema (draft 2020-12): strict, every member named and required.

What is declared has the schema of its own shapes (codec.py). tests/vectors/write_report_schema.py writes
docs/schema/reserve-report-1.json from it.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.assets import CUSTODIAN
from tallystick.domain.reserve_report.codec import DECLARED
from tallystick.domain.reserve_report.declared import DeclaredDividend
from tallystick.domain.reserve_report.header import FORMAT, FORMAT_VERSION
from tallystick.domain.reserve_report.shapes import Address, Amount, Count, Flag, Hex, Schema, Text, object_schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def report_schema() -> Schema:
    """The whole schema."""
    document = object_schema(
        {
            "format": {"const": FORMAT},
            "format_version": {"const": FORMAT_VERSION},
            "header": _header(),
            "summary": _object(is_passed=_FLAG, words=_TEXT, securities=_COUNT, holders=_COUNT, breaks_open=_COUNT),
            "test": _list(_test()),
            "second_look": _second_look(),
            "tokens": _list(_tokens()),
            "roll_forward": _list(_roll_forward()),
            "assets": _list(_assets()),
            "backing": _list(_backing()),
            "differences": _differences(),
            "activity": _list(_object(**_TITLE, subscriptions=_orders("cancelled"), redemptions=_orders("returned"))),
            "corporate_actions": _list(_action()),
            "earlier_distributions": _list(
                _object(isin=_TEXT, ticker=_TEXT, action=_ADDRESS, distribution=_distribution())
            ),
            "control_log": _control_log(),
            "statements": _statements(),
            "holders": _holders(),
            "assertion": _assertion(),
            "days": _object(before=_HASH, after=_HASH, count=_COUNT, last_day=_DAY, left_out=_list(_DAY)),
            "anchor": _object(account=_ADDRESS, uri=_TEXT),
            "declared": DECLARED.schema(),
        }
    )
    return {
        "$schema": DIALECT,
        "title": "Tallystick reserve report, format version 1",
        "description": (
            "Canonical JSON (RFC 8785). Amounts are decimal text of base units, multipliers have 18 places, addresses "
            "are base 58, hashes hex, times RFC 3339 in UTC."
        ),
        "$defs": {"close": _close()},
        **document,
    }


def _object(**properties: CanonicalValue) -> Schema:
    return object_schema(properties)


def _list(items: Schema) -> Schema:
    return {"items": items, "type": "array"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _text(pattern: str) -> Schema:
    return {"pattern": f"^{pattern}$", "type": "string"}


_TEXT, _COUNT, _AMOUNT, _FLAG, _HASH, _ADDRESS = (
    each.schema() for each in (Text(), Count(), Amount(), Flag(), Hex(), Address())
)
_DAY: Final = _text("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = _text("[0-9]{4}-[0-9]{2}")
_TIME: Final = _text("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TITLE: Final[dict[str, CanonicalValue]] = {"isin": _TEXT, "ticker": _TEXT, "decimals": _COUNT}


def _amounts(*names: str) -> dict[str, CanonicalValue]:
    return dict.fromkeys(names, _AMOUNT)


def _header() -> Schema:
    moment = _object(day=_DAY, time=_TIME, slot=_COUNT)
    change = _object(path=_TEXT, before=_TEXT, after=_TEXT)
    corrects = _object(account=_ADDRESS, hash=_HASH, version=_COUNT, reason=_TEXT, changes=_list(change))
    return _object(
        report_id=_TEXT,
        period=_MONTH,
        version=_COUNT,
        issuer=_object(address=_ADDRESS, name=_TEXT, lei=_TEXT),
        cluster=_ADDRESS,
        program=_ADDRESS,
        program_hash=_HASH,
        as_of=moment,
        opening=_or_null(moment),
        month=object_schema({"from": _TIME, "until": _TIME}),
        previous=_or_null(_object(account=_ADDRESS, hash=_HASH, period=_MONTH, version=_COUNT)),
        corrects=_or_null(corrects),
        basis=_TEXT,
        criteria=_list(_TEXT),
        generator=_TEXT,
    )


def _test() -> Schema:
    return _object(
        **_TITLE,
        **_amounts("timing", "attested", "required"),
        on_statements=_or_null(_AMOUNT),
        held=_or_null(_AMOUNT),
        surplus=_or_null(_AMOUNT),
        ratio=_or_null(_text("-?[0-9]+[.][0-9]{6}")),
        is_passed=_FLAG,
        words=_TEXT,
    )


def _second_look() -> Schema:
    draw = _object(account=_ADDRESS, attempts=_COUNT, target_slot=_COUNT, drawn_slot=_COUNT, slot_hash=_HASH, day=_DAY)
    close = _object(day=_DAY, slot=_COUNT, time=_TIME, hash=_HASH)
    return _object(draw=_or_null(draw), close=_or_null(close), test=_list(_test()), words=_TEXT)


def _tokens() -> Schema:
    return _object(
        **_TITLE,
        **_amounts("multiplier", "minted", "burnt", "supply", "supply_shares", "escrow"),
        **dict.fromkeys(
            ("frozen", "lost", "inventory_total", "redeemable", "redeemable_shares", "multiplier_bits"),
            _or_null(_AMOUNT),
        ),
        name=_TEXT,
        mint=_ADDRESS,
        pending=_or_null(_object(multiplier=_AMOUNT, effective_at=_TIME)),
        inventory=_list(_object(wallet=_ADDRESS, raw=_or_null(_AMOUNT))),
        lost_wallets=_list(_ADDRESS),
        mint_hold=_FLAG,
        redeem_hold=_FLAG,
        transfer_hold=_FLAG,
    )


def _roll_forward() -> Schema:
    flows = ("minted", "corrected", "burnt")
    return _object(
        **_TITLE,
        **_amounts("opening", *flows, "closing", "opening_shares", *(f"{each}_shares" for each in flows)),
        **_amounts("multiplier_effect_shares", "rounding_shares", "closing_shares"),
        **_amounts("opening_multiplier", "closing_multiplier"),
        fills=_object(mint=_COUNT, burn=_COUNT, correction=_COUNT),
        movements=_object(receipts=_COUNT, deliveries=_COUNT),
    )


def _assets() -> Schema:
    account = _object(
        custodian=object_schema(dict.fromkeys(CUSTODIAN, _TEXT)),
        account=_TEXT,
        as_of=_TIME,
        statement_id=_TEXT,
        statement=_HASH,
        **_amounts("aggregate", "settled", "unsettled_buys", "unsettled_sells", "in_transit", "pending_entitlements"),
        taken_off=_list(_object(code=_TEXT, quantity=_AMOUNT)),
        is_encumbered=_or_null(_FLAG),
    )
    approval = _object(attestor=_ADDRESS, approved_at=_TIME, has_role=_FLAG)
    attestation = _object(
        account=_ADDRESS,
        content_hash=_HASH,
        as_of=_TIME,
        in_force_at=_or_null(_TIME),
        **_amounts("shares", "redeemed"),
        threshold=_COUNT,
        approvals=_list(approval),
    )
    return _object(
        **_TITLE,
        **_amounts("settled", "reserve", "attested"),
        accounts=_list(account),
        without_statement=_list(_object(custodian=_object(lei=_TEXT, name=_TEXT), account=_TEXT)),
        timing=_list(_object(day=_DAY, account=_TEXT, reference=_TEXT, amount=_AMOUNT, kind=_TEXT)),
        attestation=_or_null(attestation),
        price=_or_null(_object(amount=_TEXT, currency=_TEXT, source=_TEXT, at=_TIME)),
        market_value=_or_null(_object(amount=_TEXT, currency=_TEXT)),
    )


def _backing() -> Schema:
    security = _object(
        isin=_TEXT, **_amounts("supply", "required", "attested"), on_statements=_or_null(_AMOUNT), breaks=_COUNT
    )
    return _object(day=_DAY, slot=_COUNT, time=_TIME, close=_HASH, securities=_list(security))


def _differences() -> Schema:
    texts = dict.fromkeys(("isin", "kind", "cause", "account", "reference", "owner"), _TEXT)
    open_break: dict[str, CanonicalValue] = {
        **texts,
        "id": _HASH,
        "amount": _or_null(_AMOUNT),
        "unit": {"enum": ["raw", "shares", None]},
        "age_seconds": {"type": "integer"},
        "first_seen": _TIME,
    }
    shortfall = object_schema(
        {"isin": _TEXT, "amount": _AMOUNT, "from": _TIME, "until": _or_null(_TIME), "seconds": {"type": "integer"}}
    )
    hold = _object(
        isin=_TEXT,
        ticker=_TEXT,
        owner_kind=_TEXT,
        scopes=_list(_TEXT),
        reason_code=_COUNT,
        placed_at=_TIME,
        released_at=_or_null(_TIME),
        expires_at=_or_null(_TIME),
    )
    return _object(
        open=_list(object_schema(open_break)),
        opened_in_month=_COUNT,
        closed_in_month=_COUNT,
        closed=_list(object_schema({**open_break, "closed_at": _TIME})),
        largest_shortfall=_or_null(shortfall),
        ageing=_list(_object(up_to_days=_or_null(_COUNT), open=_COUNT)),
        holds=_list(hold),
    )


def _orders(called_off: str) -> Schema:
    seconds = _or_null({"type": "integer"})
    return object_schema(
        {
            **dict.fromkeys(("opened", "settled", called_off, "open"), _COUNT),
            "quantity": _AMOUNT,
            "median_seconds": seconds,
            "percentile_95_seconds": seconds,
            "buckets": _list(_object(up_to_seconds=_or_null(_COUNT), orders=_COUNT)),
        }
    )


def _action() -> Schema:
    times = ("status_at", "announced_at", "approved_at", "ex_at", "record_at", "pay_at", "effective_at")
    return _object(
        **dict.fromkeys(("isin", "ticker", "kind", "status", "currency"), _TEXT),
        **dict.fromkeys(times, _or_null(_TIME)),
        **_amounts("numerator", "denominator", "gross_per_share"),
        account=_ADDRESS,
        event=_HASH,
        version=_COUNT,
        replaces=_or_null(_ADDRESS),
        multiplier=_or_null(_object(before=_AMOUNT, after=_AMOUNT)),
        withholding=_COUNT,
        distributions=_list(_distribution()),
    )


def _distribution() -> Schema:
    times = ("opened_at", "approved_at", "expires_at", "closed_at")
    division = [each.name for each in fields(DeclaredDividend) if each.name != "distribution"]
    return _object(
        **_amounts("total", "funded", "paid", "unclaimed", "refunded"),
        **dict.fromkeys(("number", "payment_decimals", "entries", "paid_entries"), _COUNT),
        **dict.fromkeys(times, _or_null(_TIME)),
        account=_ADDRESS,
        payment_mint=_ADDRESS,
        root=_HASH,
        status=_TEXT,
        division=_or_null(_object(**_amounts(*division))),
    )


def _control_log() -> Schema:
    entry = _object(time=_TIME, slot=_COUNT, signature=_TEXT, place=_COUNT, event=_TEXT, details={"type": "object"})
    times = dict.fromkeys(("granted_at", "in_force_from", "ends_at"), _or_null(_TIME))
    seizure = _object(
        isin=_TEXT,
        ticker=_TEXT,
        account=_ADDRESS,
        wallet=_ADDRESS,
        raw=_AMOUNT,
        reason_code=_COUNT,
        status=_TEXT,
        proposed_at=_or_null(_TIME),
        executed_at=_or_null(_TIME),
    )
    return _object(
        entries=_list(entry),
        roles=_list(_object(kind=_TEXT, key=_ADDRESS, grants=_COUNT, **times)),
        programs=_list(_object(hash=_HASH, from_day=_DAY)),
        seizures=_list(seizure),
    )


def _statements() -> Schema:
    part = _object(custodian=_TEXT, account=_TEXT, statement_id=_TEXT, as_of=_TIME, lines=_COUNT)
    return _object(root=_HASH, lines=_COUNT, statements=_list(part))


def _holders() -> Schema:
    security = _object(**_TITLE, mint=_ADDRESS, root=_or_null(_HASH), holders=_or_null(_COUNT), raw=_AMOUNT)
    return _object(slot=_COUNT, time=_TIME, securities=_list(security))


def _assertion() -> Schema:
    officer = _object(name=_TEXT, title=_TEXT, key=_or_null(_ADDRESS), signature=_or_null(Address(64).schema()))
    texts = ("examiner", "standard", "opinion", "date", "document_uri", "document_hash")
    return _object(
        words=_TEXT,
        text=_or_null(_TEXT),
        asserted_by=_list(officer),
        examination=_or_null(object_schema(dict.fromkeys(texts, _TEXT))),
        examination_words=_TEXT,
    )


def _close() -> Schema:
    """A daily close's content (domain/closes.py); version 1 has no registers at record dates."""
    statement = _object(
        account=_HASH, as_of={"type": "integer"}, quantity=_AMOUNT, sources=_list(_HASH), statement=_HASH
    )
    security: dict[str, CanonicalValue] = {
        **_amounts("burnt", "escrow", "inventory", "minted", "multiplier", "multiplier_bits", "redeemed", "required"),
        **_amounts("reserve", "supply"),
        **dict.fromkeys(("attestation", "mint", "register_root"), _HASH),
        "breaks": _list(_HASH),
        "decimals": _COUNT,
        "holders": _COUNT,
        "isin": _TEXT,
        "reserve_as_of": {"type": "integer"},
        "statements": _list(statement),
    }
    registers = _list(_object(event=_HASH, register=_HASH, slot=_COUNT))
    either = {"anyOf": [object_schema(security), object_schema({**security, "registers": registers})]}
    return _object(
        block_time={"type": "integer"},
        cluster=_TEXT,
        day=_DAY,
        issuer=_HASH,
        program=_HASH,
        securities={"items": either, "type": "array"},
        slot=_COUNT,
        version=_COUNT,
    )
