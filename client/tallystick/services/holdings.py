"""Control of holdings by compliance: freeze and thaw a wallet's accounts, and reissue what a lost key cannot move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.sender import IsDone
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import format_tokens
from tallystick.domain.canonical import sha256
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import holder_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Holder, Role, Security
from tallystick.program.generated.types import FreezeAccountParams, ReissueParams, RoleKind, ThawAccountParams
from tallystick.program.token import (
    associated_token_address,
    create_associated_token_account_idempotent,
    decode_token_account,
)
from tallystick.services.chain_reads import read_snapshot, ticker_of
from tallystick.services.holding_reads import (
    Holding,
    HoldingAccount,
    find_holding,
    require_wallet,
)
from tallystick.services.plans import Action, Plan, last_change, new_action, require_text_reference
from tallystick.services.rules import require_approved, require_may_order, require_role, require_transfer_not_held

REASON_TAG: Final = b"tallystick:holding-reason"
SECOND_KEY_HINT: Final = "Two people decide: sign with another compliance key, best on another machine."


@dataclass(frozen=True, slots=True)
class Reason:
    """Why. `code` (u16) is from the issuer's own table; of `text` only a hash goes on chain. InputError otherwise."""

    text: str
    code: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.code < 2**16:
            raise InputError(f"A reason code of 0 to 65535 is expected, not {self.code}.")
        require_text_reference(self.text, 2_000)

    @property
    def hash(self) -> bytes:
        """SHA-256("tallystick:holding-reason" || text)."""
        return sha256(REASON_TAG, require_text_reference(self.text, 2_000).encode())


async def plan_freeze(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    compliance: Pubkey,
    wallet: Pubkey,
    reason: Reason,
    account: Pubkey | None = None,
) -> Plan:
    """Stop everything in and out of a wallet's token accounts, of all of them unless one is named.

    One transaction for each, signed by a compliance key; what is frozen already is left out.
    """
    await require_wallet(chain, wallet)
    holding = await find_holding(chain, security, wallet)
    chosen = _chosen(holding, account)
    ticker = ticker_of(holding.listed)
    title = f"Freeze {ticker} of {wallet}"
    if not chosen:
        raise Refused(
            f"{wallet} has no token account of {ticker}.",
            hint="Nothing to freeze. To stop its orders: tally holder suspend",
        )
    role = role_address(holding.listed.issuer, RoleKind.COMPLIANCE, compliance)
    notes = [f"{each.address} is frozen already." for each in chosen if each.is_frozen]
    todo = [each for each in chosen if not each.is_frozen]
    if not todo:
        return Plan(title, notes=tuple(notes))
    await _require_compliance(chain, role, compliance)

    async def freeze(each: HoldingAccount) -> Action:
        return new_action(
            f"freeze:{each.address}:{await last_change(chain, each.address)}",
            f"Freeze {each.address} with {format_tokens(each.raw, holding.listed.decimals)}: {reason.text}",
            instructions.freeze_account(
                compliance=compliance,
                role=role,
                security=security,
                mint=holding.listed.mint,
                token_account=each.address,
                wallet=wallet,
                params=FreezeAccountParams(reason.code, reason.hash),
            ),
            payer,
            (compliance, "compliance"),
            is_done=_has_state(chain, each.address, frozen=True),
            is_guarded=True,
        )

    notes.append("Redemptions in escrow cannot return to a frozen account before it is thawed.")
    if account is None and not holding.listed.permissioned:
        notes.append("A new token account of this wallet would not be frozen; suspend the holder to stop its orders.")
    return Plan(title, tuple([await freeze(each) for each in todo]), tuple(notes))


async def plan_thaw(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    compliance: Pubkey,
    wallet: Pubkey,
    reason: Reason,
    account: Pubkey | None = None,
) -> Plan:
    """Let a wallet's frozen token accounts take part again, all of them unless one is named.

    Of a permissioned security the wallet has to be an approved holder, and where it has no token account yet, one is
    made and thawed in one transaction. Signed by a compliance key.
    """
    await require_wallet(chain, wallet)
    holding = await find_holding(chain, security, wallet)
    listed, chosen = holding.listed, _chosen(holding, account)
    ticker = ticker_of(listed)
    title = f"Thaw {ticker} of {wallet}"
    is_made = not chosen and listed.permissioned
    if not chosen and not is_made:
        raise Refused(
            f"{wallet} has no token account of {ticker}.",
            hint="Nothing to thaw: of this security new ones are not frozen.",
        )
    notes = [f"{each.address} is not frozen." for each in chosen if not each.is_frozen]
    todo = [each.address for each in chosen if each.is_frozen] or ([holding.associated] if is_made else [])
    if not todo:
        return Plan(title, notes=tuple(notes))
    role = role_address(listed.issuer, RoleKind.COMPLIANCE, compliance)
    await _require_compliance(chain, role, compliance)
    if listed.permissioned:
        require_may_order(holding.record, wallet, listed, holding.now)
    elif holding.record is not None and holding.record.suspended_at:
        notes.append(f"The holder is suspended since {instant(holding.record.suspended_at)}, and stays so.")
    made = create_associated_token_account_idempotent(payer=payer, wallet=wallet, mint=listed.mint)

    async def thaw(address: Pubkey) -> Action:
        found = holding.find(address)
        tokens = format_tokens(found.raw if found else 0, listed.decimals)
        thawed = thaw_instruction(listed, security, compliance, wallet, address, reason)
        return new_action(
            f"thaw:{address}:{await last_change(chain, address)}",
            f"{'Make and thaw' if is_made else 'Thaw'} {address} with {tokens}: {reason.text}",
            (made, thawed) if is_made else thawed,
            payer,
            (compliance, "compliance"),
            is_done=_has_state(chain, address, frozen=False),
            is_guarded=True,
        )

    return Plan(title, tuple([await thaw(address) for address in todo]), tuple(notes))


async def plan_reissue(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    compliance: Pubkey,
    second: Pubkey,
    old_wallet: Pubkey,
    new_wallet: Pubkey,
    evidence_hash: bytes,
) -> Plan:
    """Move all that a wallet holds to another wallet of the same investor: its key is lost.

    Signed by two compliance keys. The old wallet is suspended and its accounts are left frozen. The new wallet's
    associated account is made where there is none, and thawed where the security is permissioned.
    """
    if len(evidence_hash) != 32 or not any(evidence_hash):
        raise InputError("The evidence hash is a hash of 32 bytes, not all zero.")
    if compliance == second:
        raise Refused("A reissue takes two compliance keys, and one was given twice.", hint=SECOND_KEY_HINT)
    await require_wallet(chain, old_wallet)
    holding = await find_holding(chain, security, old_wallet)
    listed, now = holding.listed, holding.now
    issuer, title = listed.issuer, f"Reissue {ticker_of(listed)} of {old_wallet} to {new_wallet}"
    destination = associated_token_address(new_wallet, listed.mint)
    roles = [role_address(issuer, RoleKind.COMPLIANCE, key) for key in (compliance, second)]
    old_record, new_record = holder_address(issuer, old_wallet), holder_address(issuer, new_wallet)
    snapshot = await read_snapshot(chain, [*roles, new_record, destination])
    old, new = holding.record, snapshot.find(Holder, new_record)
    sources = [each for each in holding.accounts if each.raw]
    if old is not None and old.suspended_at and old.evidence_hash == evidence_hash and not sources:
        return Plan(title, notes=(f"That happened on {instant(old.suspended_at)} or later; nothing is left to move.",))
    for role, key in zip(roles, (compliance, second), strict=True):
        require_role(snapshot.find(Role, role), RoleKind.COMPLIANCE, key, now)
    if old is None:
        raise Refused(
            f"{old_wallet} has no holder record, so that nobody can say whose it is.",
            hint="Approve it under its investor first: tally holder approve",
        )
    require_approved(new, new_wallet, now)
    if new is None or new.investor_id != old.investor_id or old_wallet == new_wallet:
        raise Refused(
            f"{old_wallet} and {new_wallet} are not two wallets of one investor by their records.",
            hint="Approve the new wallet under the same investor reference: tally holder approve --investor …",
        )
    require_transfer_not_held(listed)
    if not sources:
        raise Refused(f"{old_wallet} holds nothing of {ticker_of(listed)}.", hint="Nothing to reissue.")
    preparing, notes = _receiving(payer, snapshot.accounts[destination] is None, listed, new_wallet)
    found = snapshot.token_account(destination)
    if found is not None and found.frozen:
        raise Refused(
            f"The token account {destination} of the new wallet is frozen.",
            hint="Thaw it first with: tally holding thaw",
        )
    if preparing and listed.permissioned:
        require_may_order(new, new_wallet, listed, now)
        reason = Reason("reissue of a holding")
        preparing = (*preparing, thaw_instruction(listed, security, compliance, new_wallet, destination, reason))

    async def move(source: HoldingAccount) -> Action:
        async def is_done() -> bool:
            left = await chain.get_account(source.address)
            return left is None or decode_token_account(left.data).amount == 0

        instruction = instructions.reissue(
            compliance=compliance,
            role=roles[0],
            second_compliance=second,
            second_role=roles[1],
            security=security,
            old_holder=old_record,
            new_holder=new_record,
            mint=listed.mint,
            source=source.address,
            old_wallet=old_wallet,
            destination=destination,
            params=ReissueParams(evidence_hash),
        )
        return new_action(
            f"reissue:{source.address}:{await last_change(chain, source.address)}",
            f"Move {format_tokens(source.raw, listed.decimals)} from {source.address} to {new_wallet}",
            (*(preparing if source == sources[0] else ()), instruction),
            payer,
            (compliance, "compliance"),
            (second, "second compliance"),
            is_done=is_done,
        )

    notes.append(f"{old_wallet} is suspended, and what is emptied stays frozen.")
    return Plan(title, tuple([await move(source) for source in sources]), tuple(notes))


def thaw_instruction(
    listed: Security, security: Pubkey, compliance: Pubkey, wallet: Pubkey, account: Pubkey, reason: Reason
) -> Instruction:
    """Thaw one token account."""
    return instructions.thaw_account(
        compliance=compliance,
        role=role_address(listed.issuer, RoleKind.COMPLIANCE, compliance),
        security=security,
        mint=listed.mint,
        token_account=account,
        wallet=wallet,
        holder=holder_address(listed.issuer, wallet),
        params=ThawAccountParams(reason.code, reason.hash),
    )


def _receiving(
    payer: Pubkey, is_missing: bool, listed: Security, wallet: Pubkey
) -> tuple[tuple[Instruction, ...], list[str]]:
    """What makes a wallet's account where there is none, and what to know of it."""
    if not is_missing:
        return (), []
    made = create_associated_token_account_idempotent(payer=payer, wallet=wallet, mint=listed.mint)
    note = "and thawed, since new ones of this security are frozen" if listed.permissioned else "first"
    return (made,), [f"The new wallet's token account is made {note}."]


def _chosen(holding: Holding, account: Pubkey | None) -> tuple[HoldingAccount, ...]:
    """The account that was named, else all. Refused for one that is not the wallet's."""
    if account is None:
        return holding.accounts
    found = holding.find(account)
    if found is None:
        raise Refused(
            f"{account} is no token account of {holding.wallet} of this security.",
            hint="See them with: tally holding show",
        )
    return (found,)


async def _require_compliance(chain: Chain, role: Pubkey, compliance: Pubkey) -> None:
    snapshot = await read_snapshot(chain, [role])
    require_role(snapshot.find(Role, role), RoleKind.COMPLIANCE, compliance, snapshot.now)


def _has_state(chain: Chain, address: Pubkey, *, frozen: bool) -> IsDone:
    async def is_done() -> bool:
        account = await chain.get_account(address)
        return account is not None and decode_token_account(account.data).frozen is frozen

    return is_done


__all__ = [
    "SECOND_KEY_HINT",
    "Reason",
    "plan_freeze",
    "plan_reissue",
    "plan_thaw",
    "thaw_instruction",
]
