"""The outcome: the test of every security, what a correction changed, and the second look on the drawn day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.adapters.publish.blocks import (
    Block,
    Chart,
    Fact,
    Facts,
    Kind,
    Section,
    Table,
    Tone,
    Words,
    number,
    rows,
    text,
)
from tallystick.adapters.publish.reading import (
    amounts,
    count,
    counted,
    day,
    instant_in_words,
    per_cent,
    sentence,
    signed,
)

Node = Mapping[str, Any]


def verdict(document: Node) -> tuple[str, Tone]:
    """The outcome in a word: of the test at the as-of time, and of nothing else."""
    return ("PASSED", Tone.PASSED) if document["summary"]["is_passed"] else ("NOT PASSED", Tone.FAILED)


def glance(document: Node) -> Facts:
    """What a reader of the first page alone has to know beside the outcome."""
    found, assertion = document["summary"], document["assertion"]
    return Facts(
        (
            Fact("Second look", document["second_look"]["words"], tone=_tone_of_second_look(document)),
            Fact(
                "Breaks open",
                count(found["breaks_open"]) if found["breaks_open"] else "none",
                tone=Tone.FAILED if found["breaks_open"] else Tone.PLAIN,
            ),
            Fact("Management's assertion", assertion["words"], tone=Tone.PLAIN if assertion["text"] else Tone.ABSENT),
            Fact(
                "Examination",
                sentence(assertion["examination_words"]),
                tone=Tone.PLAIN if assertion["examination"] else Tone.ABSENT,
            ),
        )
    )


def _tone_of_second_look(document: Node) -> Tone:
    tests = document["second_look"]["test"]
    return Tone.ABSENT if not tests else Tone.PASSED if all(each["is_passed"] for each in tests) else Tone.FAILED


def summary(document: Node) -> Section:
    """Numbers of the report as a whole, and the test."""
    found, as_of = document["summary"], document["header"]["as_of"]
    tone = Tone.PASSED if found["is_passed"] else Tone.FAILED
    return Section(
        "Summary",
        (
            Words(found["words"], tone),
            Facts(
                (
                    Fact("Securities", count(found["securities"])),
                    Fact("Holders in all registers", count(found["holders"])),
                    Fact(
                        "Breaks open",
                        count(found["breaks_open"]) if found["breaks_open"] else "none",
                        tone=Tone.FAILED if found["breaks_open"] else Tone.PLAIN,
                    ),
                )
            ),
            test_table(f"The test on {day(as_of['day'])}, at slot {count(as_of['slot'])}", document["test"]),
            Words(
                "Held is what the custodians' statements say, with movements that were booked since. Attested is the "
                "reserve that the attestors signed on chain, less shares redeemed since. Required is the number of "
                "shares that all tokens in existence stand for, rounded up. A security passes when held and attested "
                "both reach what is required.",
                Tone.MUTED,
            ),
            _verdicts(document["test"]),
            Chart(
                "reserve",
                "Supply and reserve by security",
                "Shares required and shares held, by security, at the as-of time.",
            ),
        ),
    )


def test_table(title: str, tests: Sequence[Node]) -> Table:
    """The test as a table, a row for each security."""
    return Table(
        title,
        (
            text("Security"),
            text("ISIN"),
            number("On statements"),
            number("Booked since"),
            number("Held"),
            number("Attested"),
            number("Required"),
            number("Surplus"),
            number("Ratio"),
            text("Result"),
        ),
        rows(
            [each["ticker"] for each in tests],
            [each["isin"] for each in tests],
            *(
                amounts((each[name], each["decimals"]) for each in tests)
                for name in ("on_statements", "timing", "held", "attested", "required")
            ),
            [signed(each) for each in amounts((each["surplus"], each["decimals"]) for each in tests)],
            [per_cent(each["ratio"]) for each in tests],
            ["pass" if each["is_passed"] else "FAIL" for each in tests],
            tones=[Tone.PLAIN if each["is_passed"] else Tone.FAILED for each in tests],
        ),
        otherwise="No security was listed.",
        note="In shares.",
    )


test_table.__test__ = False  # type: ignore[attr-defined]


def _verdicts(tests: Sequence[Node]) -> Table:
    """The sentence on every security, those that failed first."""
    ordered = sorted(tests, key=lambda each: bool(each["is_passed"]))
    return Table(
        "In words",
        (text("Security"), text("Outcome")),
        rows(
            [each["ticker"] for each in ordered],
            [each["words"] for each in ordered],
            tones=[Tone.PLAIN if each["is_passed"] else Tone.FAILED for each in ordered],
        ),
        otherwise="No security was listed.",
    )


def correction(document: Node) -> tuple[Section, ...]:
    """What a version changed of the one before it; no section in a first version."""
    found = document["header"]["corrects"]
    if found is None:
        return ()
    return (
        Section(
            "What this version corrects",
            (
                Words(f"Version {found['version']} of this month's report is replaced. Why: {found['reason']}"),
                Facts(
                    (
                        Fact("SHA-256 of the other", found["hash"], Kind.WHOLE),
                        Fact("Its account on chain", found["account"], Kind.WHOLE),
                    )
                ),
                Table(
                    "Every value that changed",
                    (text("Place in the document"), text("Before"), text("Now")),
                    rows(
                        [each["path"] for each in found["changes"]],
                        [each["before"] or "absent" for each in found["changes"]],
                        [each["after"] or "absent" for each in found["changes"]],
                    ),
                    otherwise="No value is listed as changed.",
                ),
            ),
        ),
    )


def second_look(document: Node) -> Section:
    """The test of the drawn day, or why there is none."""
    found = document["second_look"]
    draw, close = found["draw"], found["close"]
    blocks: list[Block] = [
        Words(
            "The same test on a day that nobody could choose: it was drawn from the hash of a slot that came after the "
            "month had ended and its days were closed.",
            Tone.MUTED,
        ),
        Words(found["words"], _tone_of_second_look(document)),
    ]
    if draw:
        blocks.append(
            Facts(
                (
                    Fact("Drawn day", day(draw["day"])),
                    Fact("Requests", counted(draw["attempts"], "request", "requests")),
                    Fact("Slot named in advance", count(draw["target_slot"])),
                    Fact("Slot that decided", count(draw["drawn_slot"])),
                    Fact("Its hash", draw["slot_hash"], Kind.WHOLE),
                    Fact("Account of the draw", draw["account"], Kind.WHOLE),
                )
            )
        )
    if close:
        blocks.append(
            Facts(
                (
                    Fact("Close of that day", f"{instant_in_words(close['time'])}, slot {count(close['slot'])}"),
                    Fact("Hash of the close", close["hash"], Kind.WHOLE),
                )
            )
        )
    if found["test"]:
        blocks.append(test_table(f"The test on {day(close['day'] if close else draw['day'])}", found["test"]))
        blocks.append(_verdicts(found["test"]))
    return Section("Second look", tuple(blocks))
