"""What attacks.py has to know of distributions: what they create, and where another error says it."""

from __future__ import annotations

DISTRIBUTION_CREATED = {"open_distribution": {"distribution", "escrow"}}
NOT_ITS_OWN = "spl-token:instruction modified data of an account it does not own"
"""What the runtime says where SPL Token, which leaves that to it, wrote to somebody else's account."""
WAYS = ("is not there", "is owned by another program", "is of another type")


def _all(instruction: str, account: str, error: str, *ways: str) -> dict[tuple[str, str, str], str]:
    return {(instruction, account, way): error for way in ways or WAYS}


DISTRIBUTION_OTHERWISE = (
    _all("open_distribution", "payment_mint", "PaymentMintRefused")
    | _all("open_distribution", "payment_mint", "WrongPaymentEscrow", "is not there", "is of another type")
    | _all("open_distribution", "escrow", "WrongPaymentEscrow", "is elsewhere")
    | _all("open_distribution", "escrow", "associated-token:IllegalOwner", "is taken by another program")
    | _all("open_distribution", "refund", "WrongRefund")
    | _all("grow_distribution", "payer", "ConstraintMut", "is read only")
    | {
        (instruction, account, way): error
        for instruction in ("fund_distribution", "pay_batch", "pay_entitlement", "close_distribution")
        for account, error in (("payment_mint", "WrongPaymentMint"), ("escrow", "WrongPaymentEscrow"))
        for way in WAYS
    }
    | {
        (instruction, "payment_mint", "is owned by another program"): "PaymentMintRefused"
        for instruction in ("fund_distribution", "pay_batch", "pay_entitlement")
    }
    | {
        (instruction, "escrow", "is owned by another program"): NOT_ITS_OWN
        for instruction in ("fund_distribution", "pay_batch", "pay_entitlement", "close_distribution")
    }
    | _all("pay_batch", "escrow", "spl-token:IncorrectProgramId", "is owned by another program")
    | _all("fund_distribution", "source", "spl-token:InvalidAccountData")
    | _all("fund_distribution", "source", NOT_ITS_OWN, "is owned by another program")
    | _all("pay_batch", "program", "InvalidProgramId", "is another program")
    | _all("pay_entitlement", "destination", "ProofDiffers")
    | _all("pay_entitlement", "destination", "RecipientNotThere", "is owned by another program")
    | _all("pay_entitlement", "holder", "WrongHolderRecord", "is not there", "is of another type")
    | _all("close_distribution", "rent_recipient", "WrongRentRecipient")
    | _all("close_distribution", "refund", "WrongRefund")
    | _all("close_distribution", "refund", NOT_ITS_OWN, "is owned by another program")
)
DISTRIBUTION_HARMLESS = {
    (
        "close_distribution",
        "rent_recipient",
        "is owned by another program",
    ): "lamports may be sent to any account, whoever owns it",
    (
        "close_distribution",
        "payment_mint",
        "is owned by another program",
    ): "closing takes the mint's address alone, which the distribution names; a mint never changes its owner",
}
