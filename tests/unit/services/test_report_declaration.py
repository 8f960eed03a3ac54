"""A declared file is read strictly: what is wrong is named with its line, and what was kept reads back the same."""

from __future__ import annotations

import tomllib

import pytest
from solders.keypair import Keypair
from tallystick.domain.amounts import Quantity
from tallystick.domain.reserve_report.declared import DeclaredCustodian, DeclaredPrice, Examination
from tallystick.errors import InputError, LedgerError
from tallystick.services.declaration_template import declaration_template
from tallystick.services.report_declaration import (
    BASIS,
    CRITERIA,
    Declaration,
    DeclaredOfficer,
    LostWallets,
    OnTheWay,
    declaration_content,
    parse_declaration,
    read_declaration,
    require_known,
)

LEI, ISIN = "529900T8BM49AURSDO55", "US0378331005"
WALLET, OTHER = (Keypair.from_seed(bytes([number]) * 32).pubkey() for number in (1, 2))
TEXT = f"""
basis = "Shares against shares."
criteria = ["Ours", "Theirs"]

[[custodians]]
lei = "{LEI}"
name = "Example Custody"
kind = "bank"
liens = "none"

[[prices]]
isin = "{ISIN}"
amount = "185.20"
currency = "USD"
source = "Nasdaq, official close"
at = 2026-10-30T20:00:00Z

[[lost]]
isin = "{ISIN}"
wallets = ["{OTHER}", "{WALLET}"]

[[accounts]]
isin = "{ISIN}"
custodian = "{LEI}"
account = "safe 1"
unsettled_buys = "12.5"

[assertion]
text = '''We assert
this.'''
[[assertion.officers]]
name = "Jo Bell"
title = "Chief Executive"
[[assertion.officers]]
name = "Ann Arc"
title = "Chief Financial Officer"

[examination]
examiner = "Some Auditors"
standard = "ISAE 3000"
opinion = "In our opinion it is fairly stated."
date = 2026-11-12
document_hash = "{"ab" * 32}"
"""


def test_everything_of_a_file_is_read() -> None:
    assert parse_declaration(TEXT) == Declaration(
        basis="Shares against shares.",
        criteria=("Ours", "Theirs"),
        custodians=(DeclaredCustodian(LEI, "Example Custody", "bank", liens="none"),),
        prices=(DeclaredPrice(ISIN, "185.2", "USD", "Nasdaq, official close", 1_793_390_400),),
        lost=(LostWallets(ISIN, tuple(sorted((bytes(WALLET), bytes(OTHER))))),),
        on_the_way=(OnTheWay(ISIN, LEI, "SAFE 1", Quantity(125, 1), Quantity(0), Quantity(0), Quantity(0)),),
        assertion_text="We assert\nthis.",
        officers=(DeclaredOfficer("Jo Bell", "Chief Executive"), DeclaredOfficer("Ann Arc", "Chief Financial Officer")),
        examination=Examination(
            "Some Auditors",
            "ISAE 3000",
            "In our opinion it is fairly stated.",
            "2026-11-12",
            document_hash=bytes.fromhex("ab" * 32),
        ),
    )


@pytest.mark.parametrize("text", [TEXT, ""], ids=["full", "empty"])
def test_what_was_kept_reads_back_the_same(text: str) -> None:
    declaration = parse_declaration(text)
    assert read_declaration(declaration_content(declaration)) == declaration


def test_an_empty_file_declares_basis_and_criteria_alone() -> None:
    assert parse_declaration("# nothing\n") == Declaration(BASIS, CRITERIA)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("basis =", "bases =", r"bases \(line 2\): nothing is known of this entry"),
        ('criteria = ["Ours", "Theirs"]', 'criteria = "Ours"', r"criteria \(line 3\): a list of texts"),
        ('["Ours", "Theirs"]', '["Ours", ""]', r"criteria.2: a text is needed"),
        ('["Ours", "Theirs"]', '["Ours", 7]', r"criteria.2: text in quotes"),
        (f'lei = "{LEI}"\n', "", r"custodians\[1\].lei: a text is needed"),
        (f'lei = "{LEI}"', 'lei = "529900T8BM49AURSDO56"', r"custodians\[1\].lei \(line 6\): .*check digits"),
        ('kind = "bank"', "kind = true", r"custodians\[1\].kind \(line 8\): text in quotes"),
        ('kind = "bank"', 'kynd = "bank"', r"custodians\[1\].kynd \(line 8\): nothing is known"),
        ('kind = "bank"', f'kind = "{"x" * 8_001}"', r"custodians\[1\].kind \(line 8\): 8,001 characters"),
        ('kind = "bank"', 'kind = "\\u0000"', r"custodians\[1\].kind \(line 8\): control"),
        ('amount = "185.20"', "amount = 185.20", r"prices\[1\].amount \(line 13\): text in quotes"),
        ('amount = "185.20"', 'amount = "1e3"', r"prices\[1\].amount \(line 13\): .*exact decimal"),
        ('currency = "USD"', 'currency = "usd"', r"prices\[1\].currency \(line 14\): .*ISO 4217"),
        ('source = "Nasdaq, official close"', 'source = ""', r"prices\[1\].source \(line 15\): a text is needed"),
        ("2026-10-30T20:00:00Z", "2026-10-30T20:00:00", r"prices\[1\].at \(line 16\): a time with its zone"),
        (f'"{WALLET}"', '"nobody"', r"lost\[1\].wallets \(line 20\): 'nobody' is no address"),
        (f'["{OTHER}", "{WALLET}"]', "[]", r"lost\[1\].wallets \(line 20\): a list of addresses"),
        ('account = "safe 1"', 'account = "safe_1"', r"accounts\[1\].account \(line 25\): .*SWIFT"),
        ('unsettled_buys = "12.5"', 'unsettled_buys = "-1"', r"accounts\[1\].unsettled_buys \(line 26\): .*negative"),
        ("[assertion]", "[assertions]", r"assertion.text: a text is needed"),
        ('title = "Chief Executive"', "", r"assertion.officers\[1\].title: a text is needed"),
        ('name = "Ann Arc"', 'name = "Jo Bell"', r"assertion.officers\[2\].name \(line 35\): another table"),
        ("date = 2026-11-12\n", "", r"examination.date: the day of the opinion"),
        ("2026-11-12", "2026-11-12T00:00:00Z", r"examination.date \(line 42\): a day expected"),
        ('"ab', '"AB', r"examination.document_hash \(line 43\): a SHA-256"),
        ("[[prices]]", "[prices]", r"prices \(line 11\): a list of tables expected"),
        ("[[custodians]]", "[[custodians", "no TOML: .*line 5"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(before: str, after: str, message: str) -> None:
    assert before in TEXT
    with pytest.raises(InputError, match=message):
        parse_declaration(TEXT.replace(before, after, 1))


@pytest.mark.parametrize("table", ["custodians", "prices", "lost", "accounts"])
def test_nothing_is_declared_twice(table: str) -> None:
    start = TEXT.index(f"[[{table}]]")
    again = TEXT[start : TEXT.index("\n\n", start)]
    with pytest.raises(InputError, match=rf"{table}\[2\].*another table of this list is about the same"):
        parse_declaration(f"{TEXT}\n{again}\n")


@pytest.mark.parametrize("content", [b"{}", b"[]", b"not json", b'{"format":"tallystick.report-declaration/1"}'])
def test_bytes_that_are_no_declaration_are_refused(content: bytes) -> None:
    with pytest.raises(LedgerError, match="declaration for a report"):
        read_declaration(content)


ACCOUNTS = {(ISIN, LEI, "SAFE 1")}


def test_a_declaration_about_the_issuer_s_own_is_known() -> None:
    require_known(parse_declaration(TEXT), {ISIN}, ACCOUNTS)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[[custodians]]\nlei = "HWUPKR0MPOU8FGXBT394"', r"custodians\[1\].lei: .*holds no account"),
        (
            '[[prices]]\nisin="US5949181045"\namount="1"\ncurrency="USD"\nsource="x"\nat=2026-10-30T20:00:00Z',
            r"prices\[1\].isin: US5949181045",
        ),
        (f'[[lost]]\nisin="US5949181045"\nwallets=["{WALLET}"]', r"lost\[1\].isin: US5949181045"),
        (f'[[accounts]]\nisin="{ISIN}"\ncustodian="{LEI}"\naccount="SAFE 2"', r"accounts\[1\]: .*SAFE 2"),
    ],
)
def test_a_declaration_about_somebody_else_s_is_refused(table: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        require_known(parse_declaration(table), {ISIN}, ACCOUNTS)


def template() -> str:
    return declaration_template(
        'Example "Issuer"',
        "2026-10",
        "2026-10-31T20:00:00Z",
        {LEI: "Example Custody"},
        [("tAAPL", ISIN, LEI, "SAFE 1")],
    )


def test_a_template_declares_the_custodians_alone_until_it_is_filled_in() -> None:
    declaration = parse_declaration(template())
    assert declaration == Declaration(custodians=(DeclaredCustodian(LEI, "Example Custody"),))
    require_known(declaration, {ISIN}, ACCOUNTS)


def test_every_entry_of_a_template_is_one_that_is_known() -> None:
    opened = [line.removeprefix("# ") for line in template().splitlines() if not line.startswith("# Lines")]
    entries = "\n".join(line for line in opened if line.startswith(("[", "]", "  ", '"')) or " = " in line)
    entries = entries.replace('= ""', '= "x"').replace("address in base 58", str(WALLET))
    entries = entries.replace('document_hash = "x"', f'document_hash = "{"ab" * 32}"')
    tomllib.loads(entries)
    declaration = parse_declaration(entries)
    assert declaration.basis == BASIS
    assert declaration.criteria == CRITERIA
    assert declaration.prices
    assert declaration.on_the_way
    assert declaration.lost
    assert declaration.officers
    assert declaration.examination
    require_known(declaration, {ISIN}, ACCOUNTS)
