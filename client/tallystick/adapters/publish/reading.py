"""A report's values as people read them: grouped digits, dates in words, durations, percentages. All exact, all text.

The document holds amounts as decimal text of integers and times as RFC 3339 text or whole seconds; nothing here rounds,
and nothing passes through a float.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tallystick.domain.amounts import MULTIPLIER_DECIMALS, format_base_units, parse_quantity
from tallystick.errors import InputError

ABSENT: Final = "–"
"""What stands in a table where the document has nothing to say."""
MINUS: Final = "\N{MINUS SIGN}"

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DURATIONS: Final = ("delay", "window")
_TIMES: Final = ("_at", "_by", "_from", "_until", "as_of")
"""How the program's events name seconds, and seconds since 1970."""
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def grouped(text: str) -> str:
    """Decimal text with a comma between thousands and a true minus sign: -1250000.5 is −1,250,000.5."""
    sign, digits = (MINUS, text[1:]) if text.startswith("-") else ("", text)
    whole, point, fraction = digits.partition(".")
    try:
        return f"{sign}{int(whole):,}{point}{fraction}"
    except ValueError as error:
        raise InputError(f"{text!r} is not a decimal number of a report.") from error


def amount(value: int | str | None, decimals: int) -> str:
    """Base units as exact text without trailing zeros: ("1250500000", 6) is 1,250.5; None is a dash."""
    return ABSENT if value is None else grouped(format_base_units(whole(value), decimals))


def amounts(values: Iterable[tuple[int | str | None, int]]) -> list[str]:
    """A column of (base units, decimals), with as many places in every row as the longest one needs.

    So the decimal points of a column stand below each other, and no digit is lost: 1,250.50 above 0.25.
    """
    texts = [amount(value, decimals) for value, decimals in values]
    places = max((len(_fraction(text)) for text in texts), default=0)
    return [_padded(text, places) for text in texts]


def signed(text: str) -> str:
    """An amount as text with a plus sign where it is above zero."""
    return text if text.startswith((MINUS, ABSENT)) or not text.strip("0.,") else f"+{text}"


def count(value: int | str | None) -> str:
    """A whole number with grouped digits; None is a dash."""
    return ABSENT if value is None else grouped(str(whole(value)))


def counted(value: int | str, one: str, many: str) -> str:
    """A whole number with its noun: 1 security, 40 securities."""
    return f"{count(value)} {one if whole(value) == 1 else many}"


def whole(value: int | str) -> int:
    """The integer that the document has as a number or as its decimal text; InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError(f"A report holds whole numbers here, not {value!r}.")
    try:
        return int(value)
    except ValueError as error:
        raise InputError(f"A report holds whole numbers here, not {value!r}.") from error


def multiplier(value: int | str | None) -> str:
    """An integer with 18 places as text: 1000000000000000000 is 1; None is a dash."""
    return amount(value, MULTIPLIER_DECIMALS)


def per_cent(ratio: str | None) -> str:
    """A ratio as decimal text, as per cent of the same exactness: 1.000012 is 100.0012 %; None is a dash."""
    if ratio is None:
        return ABSENT
    places = len(ratio.partition(".")[2])
    quantity = parse_quantity(ratio, allow_negative=True)
    return _padded(grouped(format_base_units(quantity.to_base_units(places) * 100, places)), max(0, places - 2)) + " %"


def basis_points(value: int | str | None) -> str:
    """Basis points as per cent: 1500 is 15 %; None is a dash."""
    return ABSENT if value is None else f"{amount(value, 2)} %"


def day(value: str | int | None) -> str:
    """A date or an instant as its day in UTC, 31 October 2026; None is a dash."""
    if value is None:
        return ABSENT
    moment = _moment(value)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year:04}"


def instant(value: str | int | None) -> str:
    """RFC 3339 text or seconds since 1970 UTC, for a table whose head says UTC: 2026-10-31 23:59:12; None is a dash."""
    return ABSENT if value is None else f"{_moment(value):%Y-%m-%d %H:%M:%S}"


def instant_in_words(value: str | int | None) -> str:
    """RFC 3339 text or seconds since 1970 UTC: 31 October 2026, 23:59:12 UTC; None is a dash."""
    return ABSENT if value is None else f"{day(value)}, {_moment(value):%H:%M:%S} UTC"


def period(value: str) -> str:
    """A month as 2026-10 in words: October 2026."""
    return day(f"{value}-01").partition(" ")[2]


def duration(seconds: int | str | None) -> str:
    """Whole seconds in days, hours, minutes and seconds, without those that are none: 2 d 30 s; None is a dash."""
    if seconds is None:
        return ABSENT
    rest, parts = whole(seconds), list[str]()
    if rest < 0:
        raise InputError(f"A duration of {rest} seconds is none.")
    for size, unit in _UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number:,} {unit}")
    return " ".join(parts) or "0 s"


def up_to(limit: int | None, lower: int) -> str:
    """A bucket of durations in seconds: up to 1 h, or over 5 d for the last one, which has no limit."""
    return f"up to {duration(limit)}" if limit is not None else f"over {duration(lower)}"


def yes_no(value: bool | None) -> str:
    """True and False in words; None, where nobody said, is "not declared"."""
    return "not declared" if value is None else "yes" if value else "no"


def worded(name: str) -> str:
    """A name of the document or the program in words: cash_dividend and QUANTITY_SHORT without what joins them."""
    return name.replace("_", " ").lower()


def detail(value: object, name: str) -> str:
    """A field of an event of the program: seconds as a time or a duration where its name says so, else as it is.

    What is no text is written as JSON.
    """
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if value.isdecimal():
        if name in _DURATIONS:
            return duration(value)
        if name.endswith(_TIMES) and int(value):
            return instant(int(value))
    return value


def days_in_a_row(days: Sequence[str]) -> str:
    """Days in order, three or more in a row by the first and the last: 2026-10-02, 2026-10-05 to 2026-10-09."""
    runs = list[list[str]]()
    for each in days:
        is_next = runs and date.fromisoformat(each) - date.fromisoformat(runs[-1][-1]) == timedelta(days=1)
        runs[-1].append(each) if is_next else runs.append([each])
    return ", ".join(", ".join(run) if len(run) < 3 else f"{run[0]} to {run[-1]}" for run in runs)


def sentence(text: str) -> str:
    """The text with a capital at its beginning, and nothing else changed."""
    return text[:1].upper() + text[1:]


def short(text: str) -> str:
    """The first and last eight characters of a hash, address or signature that is longer than that."""
    return text if len(text) <= 20 else f"{text[:8]}…{text[-8:]}"


def _fraction(text: str) -> str:
    return text.partition(".")[2]


def _padded(text: str, places: int) -> str:
    """The same number with at least `places` digits behind the point."""
    missing = places - len(_fraction(text))
    if text == ABSENT or missing <= 0:
        return text
    return f"{text}{'' if '.' in text else '.'}{'0' * missing}"


def _moment(value: str | int) -> datetime:
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"{value!r} is not a time of a report.") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
