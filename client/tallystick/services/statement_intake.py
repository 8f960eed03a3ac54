"""Receiving a custodian's statement: the bytes are kept first, then read, then registered.

So the file as received is there whatever becomes of it, and an unreadable one can be shown to the custodian.
"""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.adapters.custody.archive import StatementArchive
from tallystick.adapters.custody.pages import join_pages
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.custody.reader import read_statement
from tallystick.adapters.store.statements import Registration, StatementRegister
from tallystick.domain.identifiers import custody_account_hash
from tallystick.errors import InputError, Refused


async def receive_statement(
    files: Sequence[bytes],
    profile: StatementProfile,
    archive: StatementArchive,
    register: StatementRegister,
    *,
    accounts: Sequence[str],
    received_at: int,
) -> Registration:
    """Keep, read and register one statement; several files are its pages. `received_at` in seconds since 1970 UTC.

    `accounts` are those the issuer declares at this custodian. StatementError, naming line or path, for a file that
    cannot be used, and Refused for an account that is not ours: either is kept in the archive and registered nowhere.
    The same bytes again change nothing; another file of the same name is registered as a conflict.
    """
    if not files:
        raise InputError("A statement has at least one file.")
    for data in files:
        await archive.keep(data)
    pages = [read_statement(data, profile, received_at) for data in files]
    statement = pages[0] if len(pages) == 1 else join_pages(pages)
    ours = {custody_account_hash(profile.custodian_lei, account) for account in accounts}
    if custody_account_hash(statement.custodian_lei, statement.account) not in ours:
        raise Refused(
            f"The statement is of account {statement.account}, which is not declared at {profile.custodian_lei}.",
            hint=f"Declared are: {', '.join(accounts)}. Correct the profile, or send the file back.",
        )
    return await register.add(statement)
