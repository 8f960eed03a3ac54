"""A declared file to fill in: commented TOML with the issuer's custodians, securities and accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tallystick.services.report_declaration import BASIS, CRITERIA


def declaration_template(
    issuer_name: str,
    month: str,
    as_of: str,
    custodians: Mapping[str, str],
    accounts: Sequence[tuple[str, str, str, str]],
) -> str:
    """The template for a month (YYYY-MM). `custodians` are names by LEI; `accounts` are (symbol, ISIN, LEI of the
    custodian, account). `as_of` is a time in RFC 3339 for prices. Read as it is, it declares what is not commented."""
    lines = [
        f"# What {issuer_name} declares for the reserve report of {month}: what no chain and no statement says.",
        "# What is left out or empty is said to be absent in the report. Lines with # are comments.",
        f"# Keep it with: tally report declare {month} FILE   (again after each change; the newest counts)",
        "",
        "# What is counted, in words. Without the entry, this is what the report says:",
        f"# basis = {_text(BASIS)}",
        "",
        "# By which criteria. Without the entry:",
        "# criteria = [",
        *(f"#   {_text(each)}," for each in CRITERIA),
        "# ]",
    ]
    for lei, name in custodians.items():
        lines += [
            "",
            "[[custodians]]",
            f"lei = {_text(lei)}",
            f"name = {_text(name)}",
            'kind = ""           # bank, central securities depository, broker …',
            'jurisdiction = ""   # where it is licensed',
            'regulator = ""      # who supervises it',
            'account_title = ""  # in whose name the account is, word for word',
            'segregation = ""    # omnibus or segregated, and from whose assets',
            'liens = ""          # pledges, liens, lending, rehypothecation; "none" where there are none',
        ]
    lines += ["", "# A price of one share: for information, never part of the test."]
    for symbol, isin in dict.fromkeys((symbol, isin) for symbol, isin, _, _ in accounts):
        lines += [
            f"# [[prices]]          # {symbol}",
            f"# isin = {_text(isin)}",
            '# amount = "0.00"',
            '# currency = "USD"',
            '# source = ""         # exchange and kind of price',
            f"# at = {as_of}",
        ]
    lines += ["", "# Shares on their way at the as-of, in shares: for information, none is counted as held."]
    for symbol, isin, lei, account in accounts:
        lines += [
            f"# [[accounts]]        # {symbol}",
            f"# isin = {_text(isin)}",
            f"# custodian = {_text(lei)}",
            f"# account = {_text(account)}",
            '# unsettled_buys = "0"',
            '# unsettled_sells = "0"',
            '# in_transit = "0"',
            '# pending_entitlements = "0"',
        ]
    isin = accounts[0][1] if accounts else ""
    lines += [
        "",
        "# Wallets whose tokens nobody can redeem any more (lost keys): shown apart, and backed all the same.",
        "# [[lost]]",
        f"# isin = {_text(isin)}",
        '# wallets = ["address in base 58"]',
        "",
        "# Management's assertion. Each officer signs it once the month's last close is on chain:",
        f"# tally report assert {month} --officer NAME --key FILE",
        "# [assertion]",
        '# text = "We are responsible for this report, and we assert that the shares it says are held are held."',
        "# [[assertion.officers]]",
        '# name = ""',
        '# title = ""',
        "",
        "# Who examined the report. Without the table it says: not examined.",
        "# [examination]",
        '# examiner = ""',
        '# standard = ""       # such as ISAE 3000 (Revised), reasonable assurance',
        '# opinion = ""        # in its own words',
        "# date = 2000-01-01",
        '# document_uri = ""',
        '# document_hash = ""  # SHA-256 of that document, in hex',
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    # A JSON string is a TOML basic string.
    return json.dumps(text, ensure_ascii=False)


__all__ = ["declaration_template"]
