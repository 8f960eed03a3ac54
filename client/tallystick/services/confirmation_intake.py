"""Receiving a custodian's confirmation of cash: the bytes are kept first, then read, then registered.

So the file as received is there whatever becomes of it, and an unreadable one can be shown to the custodian.
"""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.adapters.custody.archive import StatementArchive
from tallystick.adapters.custody.confirmation_reader import read_confirmation
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.store.confirmations import ConfirmationStore
from tallystick.domain.confirmations import CashConfirmation
from tallystick.domain.identifiers import canonical_spelling, custody_account_hash
from tallystick.errors import Refused


async def receive_confirmation(
    data: bytes,
    profile: StatementProfile,
    archive: StatementArchive,
    store: ConfirmationStore,
    *,
    accounts: Sequence[str],
    received_at: int,
    isin: str | None = None,
    event_id: str | None = None,
) -> CashConfirmation:
    """Keep, read and register one confirmation. `received_at` in seconds since 1970 UTC.

    `accounts` are those the issuer declares at this custodian; with `isin` and `event_id` it has to be of those too.
    StatementError, naming line or path, for a file that cannot be used, and Refused for another account, security or
    event: all of these are kept in the archive and registered nowhere. The same bytes again change nothing;
    StoreConflict for other bytes of the same reference.
    """
    await archive.keep(data)
    confirmation = read_confirmation(data, profile, received_at)
    ours = {custody_account_hash(profile.custodian_lei, account) for account in accounts}
    if custody_account_hash(confirmation.custodian_lei, confirmation.account) not in ours:
        raise Refused(
            f"The confirmation is of account {confirmation.account}, which is not declared at {profile.custodian_lei}.",
            hint=f"Declared are: {', '.join(accounts)}. Correct the profile, or send the file back.",
        )
    require_event(confirmation, isin=isin or confirmation.isin, event_id=event_id or confirmation.event_id)
    return await store.add(confirmation)


def require_event(confirmation: CashConfirmation, *, isin: str, event_id: str) -> None:
    """Refused when a confirmation is of another security, or of another event, however the ids are spelled."""
    if confirmation.isin != isin:
        raise Refused(
            f"The confirmation {confirmation.reference} is of {confirmation.isin}, not of {isin}.",
            hint="Give the file of this security.",
        )
    said, wanted = canonical_spelling(confirmation.event_id), canonical_spelling(event_id)
    if said != wanted:
        raise Refused(
            f"The confirmation {confirmation.reference} is of the event {said}, not of {wanted}.",
            hint="Give the file of this event, or announce the event by the id that the custodian uses.",
        )


__all__ = ["receive_confirmation", "require_event"]
