"""Corporate actions that are approved, done: the multiplier changed, or a delisted security retired (law 5)."""

from __future__ import annotations

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.amounts import format_tokens
from tallystick.errors import Refused
from tallystick.program.addresses import role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import CorporateAction, Role, Security
from tallystick.program.generated.types import ActionKind, ActionStatus, SecurityStatus
from tallystick.services.action_reads import (
    CHANGES_MULTIPLIER,
    PAYS_CASH,
    described,
    effect_notes,
    kind_text,
    moment_text,
    multiplier_text,
    new_effect,
)
from tallystick.services.action_rules import (
    ROLE,
    require_expressible,
    require_live_approval,
    require_no_change_pending,
    require_not_ended,
    require_within_bound,
)
from tallystick.services.chain_reads import Snapshot, list_actions, read_snapshot, require, ticker_of
from tallystick.services.plans import Plan, new_action
from tallystick.services.rules import kind_name, multiplier_at, require_role


async def plan_execute_action(chain: Chain, *, payer: Pubkey, executor: Pubkey, action: Pubkey) -> Plan:
    """Let an approved action change the multiplier at its effective time. Signed by any corporate actions key.

    Refused when the approver's role did not stay in force, the effective time has passed, the bound was tightened, or
    another change is pending.
    """
    found = await require(chain, CorporateAction, action)
    account, snapshot, role, approver_role = await _for_execution(chain, found, action, executor)
    found, now = snapshot.require(CorporateAction, action), snapshot.now
    title = f"Execute {described(found, account)}"
    at = moment_text(found.terms.effective_at)
    if found.status is ActionStatus.EXECUTED:
        changed = ""
        if found.multiplier_after:
            done = (multiplier_text(each) for each in (found.multiplier_before, found.multiplier_after))
            changed = f": multiplier {' → '.join(done)} at {at}"
        return Plan(title, notes=(f"It was executed on {moment_text(found.status_at)}{changed}.",))
    require_not_ended(found)
    if found.kind not in CHANGES_MULTIPLIER:
        how = (
            "It pays cash, through a distribution that is planned and opened for it: tally dividend --help"
            if found.kind in PAYS_CASH
            else "Retire the security with: tally security retire"
        )
        raise Refused(
            f"A {kind_text(found.kind)} does not change the multiplier; it is not executed this way.", hint=how
        )
    require_live_approval(found, snapshot.find(Role, approver_role), now)
    require_role(snapshot.find(Role, role), ROLE, executor, now)
    if now >= found.terms.effective_at:
        raise Refused(
            f"Its effective time {at} has passed, and the multiplier never changes in the past.",
            hint="Announce a version with a later time: tally action announce --corrects",
        )
    require_within_bound(account, found.terms, now)
    require_no_change_pending(account, now)
    before = multiplier_at(account, now)
    after = require_expressible(account, before, found.terms)
    notes = list(effect_notes(new_effect(found.terms, account, before, after), account))
    notes.append(f"Until {at} it can be taken back: tally action cancel")

    async def is_done() -> bool:
        return (await require(chain, CorporateAction, action)).status is ActionStatus.EXECUTED

    instruction = instructions.execute_action(
        executor=executor,
        role=role,
        approver_role=approver_role,
        security=found.security,
        action=action,
        mint=account.mint,
    )
    step = new_action(
        f"execute:{action}",
        title,
        instruction,
        payer,
        (executor, kind_name(ROLE)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), tuple(notes))


async def plan_retire_security(chain: Chain, *, payer: Pubkey, executor: Pubkey, action: Pubkey) -> Plan:
    """Retire a security by its approved delisting, once the effective time has come. Signed by any corporate actions
    key. For good: nothing is subscribed or minted any more; redemptions go on."""
    found = await require(chain, CorporateAction, action)
    account, snapshot, role, approver_role = await _for_execution(chain, found, action, executor)
    found, now = snapshot.require(CorporateAction, action), snapshot.now
    title = f"Retire {ticker_of(account)}"
    if found.kind is not ActionKind.DELISTING:
        raise Refused(
            f"A {kind_text(found.kind)} does not retire a security.", hint="Announce a delisting, and have it approved."
        )
    if found.status is ActionStatus.EXECUTED:
        return Plan(title, notes=(f"It was retired on {moment_text(found.status_at)}.",))
    if account.status is not SecurityStatus.ACTIVE:
        return Plan(title, notes=("It is retired already, by another delisting.",))
    require_not_ended(found)
    require_live_approval(found, snapshot.find(Role, approver_role), now)
    require_role(snapshot.find(Role, role), ROLE, executor, now)
    if now < found.terms.effective_at:
        raise Refused(
            f"The delisting takes effect at {moment_text(found.terms.effective_at)},"
            f" {found.terms.effective_at - now} s from now.",
            hint="Run this again then; until then it can be cancelled with: tally action cancel",
        )
    supply = max(account.minted - account.burnt, 0)
    notes = (
        "For good: nothing is subscribed or minted any more, and open subscriptions can only be cancelled.",
        f"Redemptions go on; {format_tokens(supply, account.decimals)} are out.",
    )

    async def is_done() -> bool:
        return (await require(chain, Security, found.security)).status is SecurityStatus.RETIRED

    instruction = instructions.retire_security(
        executor=executor, role=role, approver_role=approver_role, security=found.security, action=action
    )
    step = new_action(
        f"retire:{action}",
        title,
        instruction,
        payer,
        (executor, kind_name(ROLE)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), notes)


async def find_delisting(chain: Chain, security: Pubkey) -> Pubkey:
    """The delisting that retires a security: the one that was executed, else the newest that has not ended.

    Refused when there is none.
    """
    found = await list_actions(chain, security)
    order = {ActionStatus.EXECUTED: 2, ActionStatus.APPROVED: 1, ActionStatus.ANNOUNCED: 0}
    delistings = [
        (order[each.status], each.announced_at, each.action_version, address)
        for address, each in found.accounts.items()
        if each.kind is ActionKind.DELISTING and each.status in order
    ]
    if not delistings:
        raise Refused(
            "No delisting of this security is announced.",
            hint="Announce it with: tally action announce SECURITY EVENT --kind delisting --effective …",
        )
    return max(delistings, key=lambda each: each[:3])[3]


async def _for_execution(
    chain: Chain, found: CorporateAction, action: Pubkey, executor: Pubkey
) -> tuple[Security, Snapshot, Pubkey, Pubkey]:
    """The security, a snapshot of it with the action and both roles, and the addresses of those."""
    issuer = (await require(chain, Security, found.security)).issuer
    role, approver_role = (role_address(issuer, ROLE, key) for key in (executor, found.approver))
    snapshot = await read_snapshot(chain, [action, found.security, role, approver_role])
    return snapshot.require(Security, found.security), snapshot, role, approver_role


__all__ = ["find_delisting", "plan_execute_action", "plan_retire_security"]
