"""The text beside an export: what each file is, and how everything is checked with tools that everybody has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_HEAD: Final = """\
Evidence of the books of issuer {issuer}
{what}

Written by "tally audit export" from the issuer's store and from the chain with the genesis hash
{cluster}. It takes no database and no program of the
issuer to read it: text, JSON and CSV in UTF-8. The same books and the same chain make the same bytes.
"""

_BODY: Final = """\
HOW TO CHECK IT

1. Nothing was changed on the way: sha256sum -c SHA256SUMS
   manifest.json names the same files with their SHA-256 and size. Note the SHA-256 of manifest.json elsewhere.

2. The daily closes follow from each other, and the chain has them.
   For each file of closes/, in the order of closes/closes.csv, || is the joining of bytes and hex is decoded first:
       hash = SHA-256( "tallystick:daily-close" || previous (32 bytes) || SHA-256(file) )
   previous is the hash of the line before it (32 zero bytes for an issuer's first close). On chain is a running hash:
       days = SHA-256( "tallystick:days" || days before (32 bytes) || day (u32) || hash (32 bytes) || slot (u64) )
   numbers little endian, day counted from 1970-01-01; it begins with 32 zero bytes at the issuer's first close
   that is on chain. months/*/chain/closed-days.csv has it after each day. Ask an RPC endpoint of your own choice
   for the issuer's account and compare: tally report verify does it.

3. The statements are those that were received.
   Each file of statements/received/ is named by its own SHA-256: sha256sum statements/received/*
   So is each of dividends/received/.
   Ask the custodian for the SHA-256 of what it sent. statements/read/ is what our reader found in them, named by
   the SHA-256 of the file, or of its pages' hashes one after the other. The closes name the same hashes under
   "sources".

4. The report is what the chain has.
   sha256sum months/*/report/v*/report.json - the chain has that hash in the account that anchor.json names.
   approval.json: Ed25519 by "approver" (base 58) over "tallystick:report-approval" and the 32 bytes of digest.
   Every figure of it is made again from the chain alone by: tally report verify report.json --url RPC

5. The holders are those of the report.
   months/*/holders/*.csv in the order of the owners' 32 bytes: a leaf is owner (32 bytes) || raw (u64, little endian),
       leaf hash = SHA-256( 0x00 || leaf )      node = SHA-256( 0x01 || left || right )
   in the shape of RFC 6962; the root is register_root of the close and the root in the report. Without holders
   it is the SHA-256 of nothing.

6. The audit log is whole.
   Line n of audit-log/entries.jsonl, without its line end, is the content of line n of audit-log/chain.csv:
       hash = SHA-256( "tallystick:audit" || previous (32 bytes) || content )
   previous is the hash of the line before it. Whoever noted a hash earlier finds it here.

WHAT IS HERE

closes/YYYY-MM-DD.json      a day's supply, reserve, register root, statements and breaks of each security
closes/closes               every close with its hashes
statements/received/        files as the custodians sent them, named by SHA-256
statements/read/            each statement as it was read
statements/statements       every statement: where from, as of when, whether it may be used and why not
books/movements             the journal of movements in the custodians' books, with the orders each was for
books/orders                the order book: our references of what was ordered
books/breaks                every difference that reconciliation found, with its life and its owner
dividends/received/         the custodians' confirmations of cash as they were sent, named by SHA-256
dividends/confirmations     each of them as it was read
dividends/ADDRESS.json      how a distribution was computed: sources, terms, control totals
audit-log/                  what was signed and decided here, before and after
months/YYYY-MM/chain/       read from the chain when this was written, as of the month's last close:
    figures                 supply, escrow, reserve, multiplier before the month and at each close
    fills, movements        what was minted and burnt, and against which movement in custody
    orders                  subscriptions and redemptions that were open or ended in the month
    attestations            claims about the reserve, with who approved each and whether they might
    actions, distributions  corporate actions, and dividends paid
    holds, seizures, roles  what was stopped and why, what was taken, who might do what
    control-log             every event of the month that changed powers or promises
    closed-days, draw       the days on chain, and the day of the second look
    publications            every published report of the issuer
    issuer, securities      who and what
months/YYYY-MM/holders/     who held how much at the month's last close
months/YYYY-MM/declared/    what the issuer declared, every version of it, and who signed the assertion
months/YYYY-MM/report/      each version of the report, with approval, PDF and anchor

Each table is there twice, as .json (exact) and as .csv (for a spreadsheet). Amounts are integers in base units:
shares x 10^decimals, or raw token units; multipliers have 18 decimal places. Times are in UTC. Addresses, keys and
signatures are base 58, hashes hex. An empty cell is nothing. In CSV, text that begins like a formula has an
apostrophe in front of it.

The two books are apart on purpose: books/ is what the issuer wrote down, months/*/chain/ what the chain says.
"""


def readme_text(*, issuer: str, cluster: str, periods: Sequence[str], missing: Sequence[tuple[str, str]]) -> bytes:
    """README.txt of an export; `periods` as YYYY-MM, `missing` what should be there and is not, with the reason."""
    what = f"for the reports of {', '.join(periods)}" if periods else "without a report, since none was built yet"
    parts = [_HEAD.format(issuer=issuer, what=what, cluster=cluster)]
    if missing:
        parts.append("".join(["WHAT IS MISSING\n\n", *(f"{name}\n    {reason}\n" for name, reason in missing)]))
    return "\n".join([*parts, _BODY]).encode()


__all__ = ["readme_text"]
