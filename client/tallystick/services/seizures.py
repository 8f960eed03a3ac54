"""Seizure: one compliance key proposes it, a second one moves the tokens, to an account that the admin named before."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import format_tokens
from tallystick.domain.canonical import sha256
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import role_address, seizure_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, Role, Security, Seizure
from tallystick.program.generated.types import ProposeSeizureParams, RoleKind, SeizureStatus
from tallystick.program.token import associated_token_address, create_associated_token_account_idempotent
from tallystick.services.chain_reads import Snapshot, list_seizures, read, read_snapshot, require, ticker_of
from tallystick.services.holding_reads import (
    Holding,
    HoldingAccount,
    find_holding,
    require_token_account,
    require_wallet,
)
from tallystick.services.holdings import SECOND_KEY_HINT, Reason
from tallystick.services.plans import Plan, last_change, new_action, require_text_reference
from tallystick.services.rules import require_role, require_transfer_not_held, seizure_account_at

SEIZURE_TAG: Final = b"tallystick:seizure"
NOBODY: Final = Pubkey.default()


class SeizureState(StrEnum):
    """Where a seizure stands by the chain's clock."""

    PROPOSED = "proposed"
    EXECUTED = "executed"
    EXPIRED = "expired"


def state_of(seizure: Seizure, now: int) -> SeizureState:
    """Where it stands at `now`."""
    if seizure.status is SeizureStatus.EXECUTED:
        return SeizureState.EXECUTED
    return SeizureState.PROPOSED if now < seizure.expires_at else SeizureState.EXPIRED


def seizure_id(reference: str) -> int:
    """The u64 of a seizure: the first 8 bytes of SHA-256("tallystick:seizure" || reference), little endian.

    A reference is used once for each token account. InputError for one that is none.
    """
    return int.from_bytes(sha256(SEIZURE_TAG, require_text_reference(reference).encode())[:8], "little")


async def plan_propose_seizure(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    compliance: Pubkey,
    wallet: Pubkey,
    reference: str,
    reason: Reason,
    raw: int | None = None,
    account: Pubkey | None = None,
) -> Plan:
    """Propose to take `raw` units, else all, from a wallet's token account; a second key has 7 days to do it.

    `account` is one of the wallet's, needed where several hold tokens. `reference` names the case, once for an account.
    """
    number = seizure_id(reference)
    if raw is not None and not 0 < raw < 2**64:
        raise InputError(f"A quantity above zero is expected, not {raw}.")
    await require_wallet(chain, wallet)
    holding = await find_holding(chain, security, wallet)
    listed, now = holding.listed, holding.now
    source = await _source(chain, holding, account, number)
    address = seizure_address(security, source.address, number)
    wanted = source.raw if raw is None else raw
    role = role_address(listed.issuer, RoleKind.COMPLIANCE, compliance)
    snapshot = await read_snapshot(chain, [role, address])
    existing = snapshot.find(Seizure, address)
    if existing is not None:
        return _existing(existing, address, reference, raw, reason, now, listed)
    tokens = format_tokens(wanted, listed.decimals)
    title = f"Propose to seize {tokens} of {wallet}"
    require_role(snapshot.find(Role, role), RoleKind.COMPLIANCE, compliance, now)
    if wanted == 0 or wanted > source.raw:
        raise Refused(
            f"{source.address} holds {format_tokens(source.raw, listed.decimals)}; to be seized: {tokens}.",
            hint="Seize at most what is there; see: tally holding show",
        )
    notes = ["A second compliance key has 7 days to execute it; the tokens stay where they are until then."]
    if not source.is_frozen:
        notes.append(
            "The account is not frozen: its owner can move the tokens away. Freeze it first: tally holding freeze"
        )
    target = seizure_account_at(listed, now)
    if target is None:
        notes.append("No seizure account is in force, and none is executed before: tally security seizure-account")
    elif target == source.address:
        raise Refused(f"{source.address} is the seizure account itself.", hint="Name the account of a holder.")

    async def is_done() -> bool:
        return await read(chain, Seizure, address) is not None

    action = new_action(
        f"propose-seizure:{address}",
        f"{title} from {source.address}: {reason.text}",
        instructions.propose_seizure(
            payer=payer,
            compliance=compliance,
            role=role,
            security=security,
            source=source.address,
            wallet=wallet,
            params=ProposeSeizureParams(number, wanted, reason.code, reason.hash),
        ),
        payer,
        (compliance, "compliance"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,), tuple(notes))


async def plan_seize(chain: Chain, *, payer: Pubkey, compliance: Pubkey, seizure: Pubkey) -> Plan:
    """Move the tokens of a proposed seizure to the seizure account. Signed by a second compliance key."""
    first = await require(chain, Seizure, seizure, hint="See: tally seizure list")
    listed = await require(chain, Security, first.security)
    own, proposer = (role_address(listed.issuer, RoleKind.COMPLIANCE, key) for key in (compliance, first.proposer))
    snapshot = await read_snapshot(chain, [seizure, first.security, own, proposer, first.source])
    found, listed, now = snapshot.require(Seizure, seizure), snapshot.require(Security, first.security), snapshot.now
    tokens = format_tokens(found.raw, listed.decimals)
    title = f"Seize {tokens} of {found.wallet}"
    state = state_of(found, now)
    if state is SeizureState.EXECUTED:
        return Plan(title, notes=(f"That happened on {instant(found.executed_at)}.",))
    if state is SeizureState.EXPIRED:
        raise Refused(
            f"The proposal of {instant(found.proposed_at)} expired on {instant(found.expires_at)}.",
            hint="Propose it anew under another reference: tally seizure propose",
        )
    require_role(snapshot.find(Role, own), RoleKind.COMPLIANCE, compliance, now)
    if compliance == found.proposer:
        raise Refused(f"{compliance} proposed this seizure, and a second key has to execute it.", hint=SECOND_KEY_HINT)
    require_role(snapshot.find(Role, proposer), RoleKind.COMPLIANCE, found.proposer, now)
    destination = await _destination(chain, listed, found, now)
    require_transfer_not_held(listed)
    is_frozen = _require_source(snapshot, found, listed)

    async def is_done() -> bool:
        return (await require(chain, Seizure, seizure)).status is SeizureStatus.EXECUTED

    action = new_action(
        f"seize:{seizure}",
        f"{title} from {found.source} to {destination}",
        instructions.seize(
            compliance=compliance,
            role=own,
            proposer_role=proposer,
            security=found.security,
            seizure=seizure,
            mint=listed.mint,
            source=found.source,
            wallet=found.wallet,
            destination=destination,
        ),
        payer,
        (compliance, "second compliance"),
        is_done=is_done,
        is_guarded=True,
    )
    notes = (
        f"Proposed by {found.proposer} on {instant(found.proposed_at)}, reason {found.reason_code}.",
        f"The account {'stays frozen' if is_frozen else 'is not frozen, and is not afterwards'}.",
    )
    return Plan(title, (action,), notes)


async def plan_name_seizure_account(
    chain: Chain, *, payer: Pubkey, security: Pubkey, wallet: Pubkey | None = None, account: Pubkey | None = None
) -> Plan:
    """Name where seizures move tokens to: a token account, or the associated one of a wallet, which is made where there
    is none. Neither: none any more, at once. Signed by the admin; another account counts after the issuer's delay.
    """
    listed = await require(chain, Security, security)
    snapshot = await read_snapshot(chain, [security, listed.issuer])
    listed, issuer, now = snapshot.require(Security, security), snapshot.require(Issuer, listed.issuer), snapshot.now
    ticker, preparing, notes = ticker_of(listed), [], []
    if wallet is not None:
        await require_wallet(chain, wallet)
        account = associated_token_address(wallet, listed.mint)
    title = f"Name {account} as the seizure account of {ticker}" if account else f"Name no seizure account for {ticker}"
    waits = listed.pending_seizure_from > now
    current = seizure_account_at(listed, now)
    if current == account and not waits:
        return Plan(title, notes=("That is in force already.",))
    if waits and account == listed.pending_seizure_account:
        return Plan(title, notes=(f"It waits until {instant(listed.pending_seizure_from)}.",))
    if account is not None:
        exists = await chain.get_account(account) is not None
        if wallet is not None and not exists:
            preparing.append(create_associated_token_account_idempotent(payer=payer, wallet=wallet, mint=listed.mint))
            notes.append("Its token account is made first.")
            frozen, owner = listed.permissioned, wallet
        else:
            found = await require_token_account(chain, account, listed.mint)
            frozen, owner = found.frozen, found.owner
            await require_wallet(chain, owner)
        if frozen:
            notes.append(
                f"The account is frozen, and takes no seizure before it is thawed: tally holding thaw … {owner}"
            )
        if account != current:
            notes.append(f"It counts {issuer.delay} s after it is named, unless a guardian vetoes it.")
    if waits:
        notes.append(
            f"{listed.pending_seizure_account}, which waits until {instant(listed.pending_seizure_from)}, is dropped."
        )
    named = account or NOBODY

    async def is_done() -> bool:
        state = await require(chain, Security, security)
        return named in (state.pending_seizure_account, state.seizure_account) and (
            state.pending_seizure_from == 0 or state.pending_seizure_account == named
        )

    instruction = instructions.name_seizure_account(
        admin=issuer.admin,
        issuer=listed.issuer,
        security=security,
        seizure_account=account,
        wallet=owner if account is not None else None,
    )
    action = new_action(
        f"seizure-account:{security}:{named}:{await last_change(chain, security)}",
        title,
        (*preparing, instruction),
        payer,
        (issuer.admin, "admin"),
        is_done=is_done,
    )
    return Plan(title, (action,), tuple(notes))


async def find_seizures(chain: Chain, security: Pubkey) -> tuple[tuple[Pubkey, Seizure], ...]:
    """Every seizure of a security, the oldest first."""
    found = (await list_seizures(chain, security)).accounts.items()
    return tuple(sorted(found, key=lambda item: (item[1].proposed_at, bytes(item[0]))))


async def _source(chain: Chain, holding: Holding, account: Pubkey | None, number: int) -> HoldingAccount:
    """The account that was named, else the one that holds tokens. Refused where that is not one."""
    ticker = ticker_of(holding.listed)
    if account is not None:
        found = holding.find(account)
        if found is None:
            raise Refused(
                f"{account} is no token account of {holding.wallet} of {ticker}.", hint="See: tally holding show"
            )
        return found
    # Proposed before under this reference: the same account again, whatever it holds by now.
    places = [seizure_address(holding.security, each.address, number) for each in holding.accounts]
    snapshot = await read_snapshot(chain, places)
    for place, each in zip(places, holding.accounts, strict=True):
        if snapshot.accounts[place] is not None:
            return each
    holding_some = [each for each in holding.accounts if each.raw]
    if not holding_some:
        raise Refused(f"{holding.wallet} holds nothing of {ticker}.", hint="Nothing to seize.")
    if len(holding_some) > 1:
        listed = ", ".join(str(each.address) for each in holding_some)
        raise Refused(
            f"{holding.wallet} holds {ticker} in several accounts: {listed}.", hint="Name one with --account."
        )
    return holding_some[0]


def _existing(
    existing: Seizure, address: Pubkey, reference: str, raw: int | None, reason: Reason, now: int, listed: Security
) -> Plan:
    tokens = format_tokens(existing.raw, listed.decimals)
    if raw not in (None, existing.raw) or (reason.code, reason.hash) != (existing.reason_code, existing.reason_hash):
        raise Refused(
            f"{reference!r} is another seizure, of {tokens} ({state_of(existing, now).value}).",
            hint="Choose another reference, or repeat quantity and reason exactly.",
        )
    state = state_of(existing, now)
    note = f"It was proposed on {instant(existing.proposed_at)} as {address}: {state.value}."
    if state is SeizureState.EXPIRED:
        raise Refused(note, hint="Propose it anew under another reference.")
    return Plan(f"Propose to seize {tokens} of {existing.wallet}", notes=(note,))


async def _destination(chain: Chain, listed: Security, seizure: Seizure, now: int) -> Pubkey:
    """The seizure account in force. Refused where there is none, or it takes nothing."""
    destination = seizure_account_at(listed, now)
    if destination is None:
        waiting = (
            f"{listed.pending_seizure_account} counts from {instant(listed.pending_seizure_from)}."
            if listed.pending_seizure_from
            else "The admin names one with: tally security seizure-account"
        )
        raise Refused("No seizure account is in force.", hint=waiting)
    if destination == seizure.source:
        raise Refused(f"{destination} is the seizure account itself.", hint="Nothing to seize from it.")
    if (await require_token_account(chain, destination, listed.mint)).frozen:
        raise Refused(f"The seizure account {destination} is frozen.", hint="Thaw it first with: tally holding thaw")
    return destination


def _require_source(snapshot: Snapshot, seizure: Seizure, listed: Security) -> bool:
    """Whether the source is frozen. Refused where it no longer holds what was proposed, or changed hands."""
    source = snapshot.token_account(seizure.source)
    if source is None or source.owner != seizure.wallet or source.mint != listed.mint:
        raise Refused(
            f"{seizure.source} is no token account of {seizure.wallet} any more.",
            hint="Find where the tokens went with: tally holding show, and propose it anew.",
        )
    if source.amount < seizure.raw:
        raise Refused(
            f"{seizure.source} holds {format_tokens(source.amount, listed.decimals)} by now;"
            f" to be seized: {format_tokens(seizure.raw, listed.decimals)}.",
            hint="Propose a smaller quantity under another reference, and freeze the account before.",
        )
    return source.frozen


__all__ = [
    "SeizureState",
    "find_seizures",
    "plan_name_seizure_account",
    "plan_propose_seizure",
    "plan_seize",
    "seizure_id",
    "state_of",
]
