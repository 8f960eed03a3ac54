"""Custody accounts of a report: with those declared to have no statement, they are the ones that the chain names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_sample import CUSTODIANS, NEW_ACCOUNT, is_signed, published, sample_declared, sample_facts
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.declared import DeclaredAccount
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.verification import verify_document

[SILENT] = sample_declared().without_statement


def failures(*silent: DeclaredAccount) -> list[Check]:
    """What fails of the sample when it has these accounts without a statement."""
    facts = sample_facts()
    content = report_bytes(build_document(facts, replace(sample_declared(), without_statement=silent)))
    checks = verify_document(content, published(facts, content), is_signed)
    return [each for each in checks if each.status is Status.FAILED]


def test_the_account_that_the_chain_names_and_no_statement_does_holds() -> None:
    assert (SILENT.account, failures(SILENT)) == (NEW_ACCOUNT, [])


@pytest.mark.parametrize(
    "silent",
    [
        (),
        (replace(SILENT, account="SAFE-10"),),
        (replace(SILENT, custodian_lei=CUSTODIANS[0]),),
        (replace(SILENT, custodian_lei="no LEI"),),
        (SILENT, replace(SILENT, account="SAFE-10")),
        # This one has a statement.
        (SILENT, DeclaredAccount(SILENT.isin, CUSTODIANS[0], "SAFE-1")),
        # Once more, spelled in another way.
        (SILENT, replace(SILENT, account=NEW_ACCOUNT.lower())),
        (SILENT, DeclaredAccount("US0378331005", CUSTODIANS[1], NEW_ACCOUNT)),
        (SILENT, DeclaredAccount("GB0002634946", CUSTODIANS[1], NEW_ACCOUNT)),
    ],
)
def test_other_accounts_than_the_chain_names_are_found(silent: tuple[DeclaredAccount, ...]) -> None:
    assert {each.name for each in failures(*silent)} & {"custodians' statements", "declaration"}
