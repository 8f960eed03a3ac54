"""What the report rests on and how it is checked: roots, assertion, closed days, publication, units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.adapters.publish.blocks import (
    Block,
    Fact,
    Facts,
    Kind,
    Section,
    Subheading,
    Table,
    Tone,
    Words,
    code,
    number,
    rows,
    text,
)
from tallystick.adapters.publish.reading import (
    ABSENT,
    amounts,
    count,
    days_in_a_row,
    instant,
    instant_in_words,
)
from tallystick.domain.report_anchors import NO_DAYS

Node = Mapping[str, Any]

COMMAND: Final = "tally report verify report.json --url RPC"


def statements(document: Node) -> Section:
    """The root over the lines of the month's statements."""
    found = document["statements"]
    listed: Sequence[Node] = found["statements"]
    names = {
        account["custodian"]["lei"]: account["custodian"]["name"]
        for each in document["assets"]
        for account in each["accounts"]
    }
    return Section(
        "Statements",
        (
            Words(
                "The lines of the month's statements are leaves of one Merkle tree, each with a salt, so that one line "
                "can be shown without the others."
            ),
            Facts(
                (
                    Fact("Root", found["root"], Kind.WHOLE),
                    Fact("Lines", count(found["lines"])),
                    Fact("Statements", count(len(listed))),
                )
            ),
            Table(
                "Statements in the tree",
                (
                    text("Custodian"),
                    text("LEI"),
                    text("Account"),
                    text("Statement"),
                    text("As of, UTC"),
                    number("Lines"),
                ),
                rows(
                    [names.get(each["custodian"]) or ABSENT for each in listed],
                    [each["custodian"] for each in listed],
                    [each["account"] for each in listed],
                    [each["statement_id"] for each in listed],
                    [instant(each["as_of"]) for each in listed],
                    [count(each["lines"]) for each in listed],
                ),
                otherwise="No statement is in the tree.",
            ),
        ),
    )


def holders(document: Node) -> Section:
    """The roots of the registers, against which a holder checks its own line."""
    found = document["holders"]
    listed: Sequence[Node] = found["securities"]
    return Section(
        "Holders",
        (
            Words(
                f"Every holder at slot {count(found['slot'])} ({instant_in_words(found['time'])}) is a leaf of its "
                "security's tree. A holder enters its address on the report's web page and sees its own balance and "
                "the path to the root below; nobody else's balance is shown."
            ),
            Table(
                "Registers",
                (text("Security"), text("ISIN"), number("Holders"), number("Tokens"), code("Mint"), code("Root")),
                rows(
                    [each["ticker"] for each in listed],
                    [each["isin"] for each in listed],
                    [count(each["holders"]) for each in listed],
                    amounts((each["raw"], each["decimals"]) for each in listed),
                    [each["mint"] for each in listed],
                    [each["root"] or ABSENT for each in listed],
                ),
                otherwise="No security was listed.",
            ),
        ),
    )


def assertion(document: Node) -> Section:
    """Who stands for the report, and who examined it."""
    found = document["assertion"]
    blocks: list[Block] = [
        Subheading("Management's assertion"),
        Words(found["words"], Tone.PLAIN if found["text"] else Tone.ABSENT),
    ]
    if found["text"]:
        blocks.extend(Words(each) for each in found["text"].splitlines() if each.strip())
    for each in found["asserted_by"]:
        blocks.append(
            Facts(
                (
                    Fact("Name", each["name"]),
                    Fact("Title", each["title"] or "not declared"),
                    Fact("Key", each["key"] or "not declared", Kind.WHOLE if each["key"] else Kind.TEXT),
                    Fact("Signature", each["signature"], Kind.WHOLE)
                    if each["signature"]
                    else Fact("Signature", "not signed", tone=Tone.ABSENT),
                )
            )
        )
    blocks.append(Subheading("Examination"))
    examination = found["examination"]
    if examination is None:
        blocks.append(Words(f"This report was {found['examination_words']} by an independent accountant.", Tone.ABSENT))
    else:
        blocks.append(Words(f"This report was {found['examination_words']}."))
        blocks.append(
            Facts(
                (
                    Fact("Examiner", examination["examiner"]),
                    Fact("Standard", examination["standard"]),
                    Fact("Opinion", examination["opinion"]),
                    Fact("Date", examination["date"]),
                    Fact("Document", examination["document_uri"] or "not declared"),
                    Fact(
                        "SHA-256 of the document",
                        examination["document_hash"] or "not declared",
                        Kind.WHOLE if examination["document_hash"] else Kind.TEXT,
                    ),
                )
            )
        )
    return Section("Assertion and examination", tuple(blocks))


def anchors(document: Node, digest: str) -> Section:
    """The chain of closed days, of reports, and where this one is published."""
    days, anchor, header = document["days"], document["anchor"], document["header"]
    previous = header["previous"]
    before: tuple[Fact, ...] = (
        (
            Fact("Report before", f"{previous['period']}, version {previous['version']}"),
            Fact("Its SHA-256", previous["hash"], Kind.WHOLE),
            Fact("Its account on chain", previous["account"], Kind.WHOLE),
        )
        if previous
        else (Fact("Report before", "none: this is the issuer's first"),)
    )
    return Section(
        "Anchors",
        (
            Words(
                "The running hash of closed days is on chain: each close extends it, so no close can be changed, left "
                "out or put in afterwards."
            ),
            Facts(
                (
                    Fact("Running hash before the month", "32 zero bytes: no day had been closed")
                    if days["before"] == NO_DAYS.hex()
                    else Fact("Running hash before the month", days["before"], Kind.WHOLE),
                    Fact("Running hash after its last close", days["after"], Kind.WHOLE),
                    Fact("Closes of the month", count(days["count"])),
                    Fact("Last day closed", days["last_day"]),
                    Fact("Days that were not closed", days_in_a_row(days["left_out"]) or "none"),
                )
            ),
            Subheading("Publication"),
            Facts(
                (
                    Fact("SHA-256 of report.json", digest, Kind.WHOLE),
                    Fact("Account on chain", anchor["account"], Kind.WHOLE),
                    Fact("Address", anchor["uri"] or "not declared"),
                    *before,
                )
            ),
        ),
    )


def checking(document: Node, digest: str) -> Section:
    """What a reader does to check the report, and what the figures are in."""
    header = document["header"]
    return Section(
        "How to check this report",
        (
            Words(
                "This paper shows the document report.json, which is attached to it byte for byte. The document is "
                "what counts, and what is published on chain."
            ),
            Facts(
                (
                    Fact("1. Take the attachment", "Save report.json from this file's attachments."),
                    Fact("2. Compare its SHA-256", digest, Kind.WHOLE),
                    Fact("   with the account", document["anchor"]["account"], Kind.WHOLE),
                    Fact("   on the cluster", header["cluster"], Kind.WHOLE),
                    Fact("3. Recompute every figure", COMMAND, Kind.WHOLE),
                )
            ),
            Words(
                "The command needs no database and trusts no one but the node it is given: it computes supply, fills, "
                "orders, attestations, thresholds, the drawn day and the running hash of closed days anew, and names "
                "the first figure that disagrees, with both values."
            ),
            Subheading("Units and words"),
            Facts(
                (
                    Fact("Shares", "Shares of the company, held at custodians. No figure is rounded for display."),
                    Fact("Tokens", "Raw units of the token divided by 10 to the power of its decimals."),
                    Fact("Multiplier", "Turns tokens into shares; an exact decimal with up to 18 places."),
                    Fact("Required", "The shares that all tokens stand for, rounded up to the smallest unit."),
                    Fact("Attested", "What the attestors signed on chain, less shares redeemed since."),
                    Fact("Break", "A difference that reconciliation found, with its amount, age and owner."),
                    Fact("Hold", "A reason why a security may not be minted, redeemed or transferred."),
                    Fact("Slot", "The chain's own count of time; a figure is at the end of its slot."),
                    Fact("Times", "In UTC. A day ends at midnight UTC."),
                    Fact(ABSENT, "The document has no figure here."),
                    Fact("Shortened", "Keys and hashes with … are in full in the last appendix."),
                    Fact("[U+0000]", "A character that the fonts of this paper lack, by its Unicode number."),
                )
            ),
        ),
    )
