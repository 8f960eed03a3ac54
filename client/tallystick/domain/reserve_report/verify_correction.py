"""Whether a correction lists everything that it changed: from the version it corrects, whose hash is on chain."""

from __future__ import annotations

from itertools import zip_longest

from tallystick.domain.canonical import sha256
from tallystick.domain.reserve_report.changes import leaf_changes
from tallystick.domain.reserve_report.checks import Check, Status, check_of
from tallystick.domain.reserve_report.comparison import differ
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.document import read_report
from tallystick.domain.reserve_report.facts import ReportFacts
from tallystick.domain.reserve_report.verify_anchor import publication_of
from tallystick.errors import InputError

NAME = "what it corrects"


def verify_correction(
    content: bytes, declared: Declared, facts: ReportFacts, corrected: bytes | None
) -> tuple[Check, ...]:
    """The check of a correction's list; none of a first version. `corrected` is report.json of the version before, None
    where nobody gave it. `content` is a report in form."""
    if declared.version == 1:
        return ()
    before, section = f"version {declared.version - 1}", "header"
    listed = declared.correction.changes if declared.correction else ()
    if corrected is None:
        words = (
            f"That it changed {len(listed)} values of {before} and no other is the issuer's word: give that file to "
        )
        words += "have the two compared."
        return (Check(NAME, section, Status.STATED, words),)
    publication, digest = publication_of(facts, declared.period, declared.version - 1), sha256(corrected)
    if publication is None or publication.hash != digest:
        wrong = publication.hash.hex() if publication else "none"
        words = f"The file given as {before} is not the one published."
        return (Check(NAME, section, Status.FAILED, words, "", wrong, digest.hex()),)
    try:
        changed = leaf_changes(read_report(corrected), read_report(content))
    except InputError as error:
        return (Check(NAME, section, Status.FAILED, f"{before} cannot be read: {error}"),)
    for place, (expected, found) in enumerate(zip_longest(changed, listed)):
        if expected != found:
            first, other = (
                f"{each.path}: {each.before} to {each.after}" if each else None for each in (expected, found)
            )
            wrong_place = differ(f"/header/corrects/changes/{place}", first, other)
            return (check_of(NAME, section, wrong_place, ""),)
    words = f"It differs from {before}, whose hash is on chain, in the {len(listed)} values that it lists, in no other."
    return (Check(NAME, section, Status.PASSED, words),)
