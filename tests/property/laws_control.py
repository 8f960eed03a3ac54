"""Policy, metadata, freezing, seizure and reissue in the laws' state machine, and what law 7 says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from control import CUSTODIAN_WALLET, Control
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from laws_acting import DELAY, NOTICE, PICK, POOL, SMALL, WALLETS, Acting
from laws_world import (
    CUSTODY,
    DAY,
    HOUR,
    Chain,
    Custodian,
    Issuer,
    Mirror,
    Pubkey,
    Receipt,
    RoleKind,
    Security,
    accounts,
    custody_accounts_hash,
    events,
    key,
    types,
)  # fmt: skip
from solders.instruction import Instruction
from tallystick.program.generated.types import SeizureStatus, VetoSubject

COMPLIANCE, GUARDIAN = RoleKind.COMPLIANCE, RoleKind.GUARDIAN
OTHER_WALLET = key("other seizure wallet")
NOBODY = Pubkey.default()
LONGEST_DELAY = 30 * DAY
POLICIES: list[dict[str, int]] = [
    {"threshold": 2}, {"threshold": 3}, {"margin": 100}, {"margin": 0}, {"margin": 5_000}, {"margin": 50},
    {"max_attestation_age": HOUR}, {"max_attestation_age": 4 * HOUR}, {"max_attestation_age": DAY},
    {"supply_cap": 700}, {"supply_cap": 20_000}, {"supply_cap": 10**9}, {"accept_period": 60}, {"accept_period": DAY},
    {"settle_period": 60}, {"settle_period": DAY}, {"notice": NOTICE}, {"notice": 60}, {"notice": 2 * NOTICE},
    {"change_window": 60}, {"change_window": 600}, {"max_change_numerator": 2}, {"max_change_numerator": 1_000},
    {"max_change_numerator": 10}, {"allowed_classes": 3}, {"allowed_classes": 2}, {"allowed_classes": 1},
    {"threshold": 1}, {"notice": 0}, {"margin": 100, "notice": 60}, {"custody_accounts": 1},
]  # fmt: skip
"""Tighter, looser, both, and out of bounds."""
VETOED = list(VetoSubject)


@dataclass(frozen=True, slots=True)
class Promise:
    """What the issuer promised: policy and custody accounts."""

    policy: types.Policy
    custody_accounts_hash: bytes
    custody_accounts: int

    def is_no_looser_than(self, other: Promise) -> bool:
        """Whether no holder loses by it."""
        mine, theirs = self.policy, other.policy
        return (
            mine.threshold >= theirs.threshold
            and mine.margin >= theirs.margin
            and mine.max_attestation_age <= theirs.max_attestation_age
            and mine.supply_cap <= theirs.supply_cap
            and mine.accept_period <= theirs.accept_period
            and mine.settle_period <= theirs.settle_period
            and mine.notice >= theirs.notice
            and mine.change_window >= theirs.change_window
            and Fraction(mine.max_change_numerator, mine.max_change_denominator)
            <= Fraction(theirs.max_change_numerator, theirs.max_change_denominator)
            and not mine.allowed_classes & ~theirs.allowed_classes
            and (self.custody_accounts_hash, self.custody_accounts)
            == (other.custody_accounts_hash, other.custody_accounts)
        )


class ControlRules(Acting):
    """Admin, guardian and compliance try everything."""

    def begin(self, chain: Chain, alpha: Issuer, acme: Security, custodian: Custodian, mirror: Mirror) -> None:
        """A new program of steps."""
        super().begin(chain, alpha, acme, custodian, mirror)
        self.control = Control(acme)
        self.promised = self._promise()
        self.promise_waits: tuple[Promise, int] | None = None
        self.takes_seized = NOBODY
        self.takes_next: tuple[Pubkey, int] | None = None
        self.metadata: tuple[bytes, int] | None = None
        self.content = self.control.metadata()
        self.limits: dict[Pubkey, list[tuple[int, int, int, int]]] = {}
        for address, each in self.of(accounts.Limit).items():
            self.limits[address] = [(each.mint_cap, each.burn_cap, each.window, 0)]
            if each.pending_from:
                pending = (each.pending_mint_cap, each.pending_burn_cap, each.pending_window, each.pending_from)
                self.limits[address].append(pending)
        self.seizures = 0
        self.owners = (*WALLETS, CUSTODIAN_WALLET, OTHER_WALLET)

    # Steps -----------------------------------------------------------------------------------------------------------

    @rule(change=st.sampled_from(POLICIES), pick=PICK)
    def policy_is_changed(self, change: dict[str, int], pick: int) -> None:
        """Tightened or loosened, by the admin or by somebody else."""
        fields: dict[str, Any] = dict(change)
        if "custody_accounts" in fields:
            if pick % 4:
                return
            fields["custody_accounts_hash"] = custody_accounts_hash(CUSTODY[:1])
        self.act(self.control.update_policy(**fields, **self._admin(pick)))

    @rule(who=st.sampled_from([CUSTODIAN_WALLET, CUSTODIAN_WALLET, OTHER_WALLET, None, "escrow"]), pick=PICK)
    def seizure_account_is_named(self, who: Any, pick: int) -> None:
        """A wallet's, nobody's, or the escrow."""
        owner = self.acme.address if who == "escrow" else who
        self.act(self.control.name_seizure_account(owner, **self._admin(pick)))

    @rule(
        announce=st.booleans(), other=st.booleans(), pick=PICK, wait=st.sampled_from([None, NOTICE - 1, NOTICE, HOUR])
    )  # fmt: skip
    def metadata_is_changed(self, announce: bool, other: bool, pick: int, wait: int | None) -> None:
        """Announced, or written: what was announced last or something else."""
        if announce:
            self.content = replace(self.content, name=f"Name {pick}")
            self.act(self.control.announce_metadata(self.content, **self._admin(pick)))
        if wait is not None:
            self.pass_time(wait)
        if wait is not None or not announce:
            content = replace(self.content, name="Another") if other else self.content
            self.act(self.control.update_metadata(content, **self._admin(pick)))

    @rule(pick=PICK, subject=st.sampled_from(VETOED), cosigned=st.booleans())
    def guardian_vetoes(self, pick: int, subject: VetoSubject, cosigned: bool) -> None:
        """Anything that waits, or does not; its own removal too, with compliance or without."""
        guardian = self.holder_of(GUARDIAN, pick)
        named: dict[str, Pubkey] = {}
        if subject is VetoSubject.ROLE:
            roles = self.sorted_of(accounts.Role)
            waiting = [each for each in roles if each[1].in_force_from > self.chain.now or self._is_leaving(each[1])]
            named = {"role": (waiting or roles)[pick % len(waiting or roles)][0]}
        elif subject is VetoSubject.LIMIT:
            operator = self.holder_of(RoleKind.OPERATOR, pick)
            named = {"security": self.acme.address, "limit": self.acme.limit(operator)}
        elif subject is not VetoSubject.ADMIN:
            named = {"security": self.acme.address}
        if cosigned:
            signer = self.holder_of(COMPLIANCE, pick)
            named |= {"cosigner": signer, "cosigner_role": self.alpha.role(COMPLIANCE, signer)}
        role = self.alpha.role(GUARDIAN, guardian)
        self.act(self.alpha.veto(subject, guardian=guardian, guardian_role=role, **named))

    @rule(pick=PICK, wait=st.sampled_from([0, DELAY - 1, DELAY]), veto=st.booleans())
    def guardian_is_removed(self, pick: int, wait: int, veto: bool) -> None:
        """By the admin, after the delay, unless it is vetoed."""
        guardian = self.holder_of(GUARDIAN, pick)
        role = self.alpha.role(GUARDIAN, guardian)
        self.act(self.alpha.revoke_role(GUARDIAN, guardian, admin=self.issuer.admin, role=role))
        if veto:
            signer = self.holder_of(COMPLIANCE, pick)
            beside = {"cosigner": signer, "cosigner_role": self.alpha.role(COMPLIANCE, signer)} if pick % 2 else {}
            self.act(self.alpha.veto(guardian=guardian, guardian_role=role, role=role, **beside))
        self.pass_time(wait)

    @rule(wallet=st.integers(0, 4), thaw=st.booleans(), pick=PICK)
    def account_is_frozen_or_thawed(self, wallet: int, thaw: bool, pick: int) -> None:
        """Any holder's, the escrow, or the seizure account."""
        step = self.control.thaw_account if thaw else self.control.freeze_account
        self.act(step(self._owner(wallet), **self.acting(COMPLIANCE, pick, "compliance")))

    @rule(wallet=st.integers(0, 4), raw=SMALL, pick=PICK)
    def seizure_is_proposed(self, wallet: int, raw: int, pick: int) -> None:
        """Of part of a holder's, or of the escrow."""
        self._propose(self._owner(wallet), raw, pick)

    @precondition(lambda self: self.of(accounts.Seizure))
    @rule(pick=PICK, same=st.booleans(), other=st.booleans())
    def seizure_is_executed(self, pick: int, same: bool, other: bool) -> None:
        """Any, by another compliance key or the same, to the account named or another."""
        found = self.sorted_of(accounts.Seizure)
        if found:
            address, state = found[pick % len(found)]
            self._seize(address, state, pick, same=same and pick % 2 == 0, other=other and pick % 3 == 0)

    @rule(
        wallet=st.integers(0, 2), raw=SMALL, pick=PICK, frozen=st.booleans(), wait=st.sampled_from([0, HOUR, 8 * DAY])
    )
    def holding_is_seized(self, wallet: int, raw: int, pick: int, frozen: bool, wait: int) -> None:
        """Named, proposed and executed; of an account that is frozen before, or is not."""
        if self.takes_seized == NOBODY:
            self.act(self.control.name_seizure_account(CUSTODIAN_WALLET, admin=self.issuer.admin))
            self.pass_time(DELAY)
        if frozen:
            acting = self.acting(COMPLIANCE, pick, "compliance")
            self.act(self.control.freeze_account(WALLETS[wallet], **acting))
        balance = self.chain.balance(self.acme.tokens(WALLETS[wallet]))
        address = self._propose(WALLETS[wallet], min(raw, balance) or raw, pick)
        if address is not None:
            self.pass_time(wait)
            self._seize(address, self.of(accounts.Seizure)[address], pick)

    @rule(old=st.integers(0, 4), new=st.integers(0, 4), pick=PICK, same=st.booleans())
    def holding_is_reissued(self, old: int, new: int, pick: int, same: bool) -> None:
        """Between any wallets, by two compliance keys, or by one twice."""
        first = self.holder_of(COMPLIANCE, pick)
        second = first if same and pick % 3 == 0 else self._second(first, pick)
        call = self.control.reissue(
            self._owner(old), self._owner(new),
            compliance=first, role=self.alpha.role(COMPLIANCE, first),
            second_compliance=second, second_role=self.alpha.role(COMPLIANCE, second),
        )  # fmt: skip
        self.act(call)

    # How -------------------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: int) -> None:
        """What waited may count now."""
        super().pass_time(seconds)
        self._follow_time()

    def _admin(self, pick: int) -> dict[str, Pubkey]:
        return {"admin": POOL[pick % len(POOL)] if pick % 10 == 9 else self.issuer.admin}

    def _owner(self, number: int) -> Pubkey:
        return [*WALLETS, self.acme.address, CUSTODIAN_WALLET][number]

    def _is_leaving(self, role: accounts.Role) -> bool:
        return role.in_force_from <= self.chain.now < role.ends_at < 2**62

    def _second(self, first: Pubkey, pick: int) -> Pubkey:
        found = self.holder_of(COMPLIANCE, pick)
        return found if found != first else self.holder_of(COMPLIANCE, pick + 1)

    def _propose(self, owner: Pubkey, raw: int, pick: int) -> Pubkey | None:
        self.seizures += 1
        acting = self.acting(COMPLIANCE, pick, "compliance")
        if self.act(self.control.propose_seizure(owner, raw, self.seizures, **acting)) is None:
            return None
        return self.control.seizure(self.acme.tokens(owner), self.seizures)

    def _seize(
        self, address: Pubkey, state: accounts.Seizure, pick: int, *, same: bool = False, other: bool = False
    ) -> None:
        who = state.proposer if same else self._second(state.proposer, pick)
        destination = self.acme.tokens(OTHER_WALLET) if other or self.takes_seized == NOBODY else self.takes_seized
        call = self.control.seize(
            state.wallet, state.seizure_id,
            compliance=who, role=self.alpha.role(COMPLIANCE, who),
            proposer_role=self.alpha.role(COMPLIANCE, state.proposer), destination=destination,
        )  # fmt: skip
        self.act(call)

    def _promise(self) -> Promise:
        state = self.security
        if 0 < state.pending_policy_from <= self.chain.now:
            return Promise(state.pending_policy, state.pending_custody_accounts_hash, state.pending_custody_accounts)
        return Promise(state.policy, state.custody_accounts_hash, state.custody_accounts)

    def _follow_time(self) -> None:
        if self.promise_waits is not None and self.chain.now >= self.promise_waits[1]:
            self.promised, self.promise_waits = self.promise_waits[0], None
        if self.takes_next is not None and self.chain.now >= self.takes_next[1]:
            self.takes_seized, self.takes_next = self.takes_next[0], None

    # Law 7 -----------------------------------------------------------------------------------------------------------

    def check_receipt(self, receipt: Receipt, call: Instruction) -> None:
        """Follow what waits, and prove who did what."""
        self._law_7_takings(receipt, call)
        for event in receipt.events:
            match event:
                case events.PolicyUpdated():
                    self._law_7_policy(event)
                case events.SeizureAccountNamed():
                    self._law_7_seizure_account(event)
                case events.MetadataAnnounced():
                    notice = self.promised.policy.notice
                    assert event.writable_from == self.chain.now + notice, "law 7: metadata without notice"
                    self.metadata = event.content_hash, event.writable_from
                case events.MetadataUpdated():
                    assert self.metadata is not None, "law 7: metadata that was not announced"
                    assert self.metadata[0] == event.content_hash
                    assert self.chain.now >= self.metadata[1]
                    self.metadata = None
                case events.LimitSet():
                    self._law_7_limit(event)
                case events.ChangeVetoed():
                    self._law_7_veto(event, call)
                case events.AccountFrozen() | events.AccountThawed():
                    assert event.token_account != self.acme.escrow, "law 3: an account the program owns"
                    who = event.frozen_by if isinstance(event, events.AccountFrozen) else event.thawed_by
                    self._in_force(COMPLIANCE, who)
                    if isinstance(event, events.AccountThawed) and self.security.permissioned:
                        self._law_7_permission(event.wallet)
                case events.SeizureProposed():
                    assert event.source != self.acme.escrow, "law 3: an account the program owns"
                    self._in_force(COMPLIANCE, event.proposer)
                case events.HoldingSeized():
                    self._law_7_seizure(event)
                case events.HoldingReissued():
                    assert event.source != self.acme.escrow, "law 3: an account the program owns"
                    signers = {each.pubkey for each in call.accounts if each.is_signer} - {self.chain.payer}
                    assert len(signers) == 2, "law 7: one key alone"
                    for each in signers:
                        self._in_force(COMPLIANCE, each)
                    assert self.of(accounts.Holder)[self.alpha.holder(event.old_wallet)].suspended_at
                    self._law_7_permission(event.new_wallet, whatever_class=True)
                    assert self.control.is_frozen(event.source)
                    assert self.chain.balance(event.source) == 0
                case _:
                    pass
        super().check_receipt(receipt, call)

    def _law_7_takings(self, receipt: Receipt, call: Instruction) -> None:
        """Nobody's tokens go without a signature of his, but by a seizure or a reissue."""
        signers = {each.pubkey for each in call.accounts if each.is_signer}
        taken = {
            each.source for each in receipt.events if isinstance(each, (events.HoldingSeized, events.HoldingReissued))
        }
        for owner in self.owners:
            address = self.acme.tokens(owner)
            if address in self.given and owner not in signers and address not in taken:
                assert self._moved(address) >= 0, "law 7: taken without its owner"

    def _law_7_policy(self, event: events.PolicyUpdated) -> None:
        wanted = Promise(event.policy, event.custody_accounts_hash, event.custody_accounts)
        if event.in_force_from == self.chain.now:
            assert wanted.is_no_looser_than(self.promised), "law 7: loosened at once"
            self.promised, self.promise_waits = wanted, None
        else:
            assert event.in_force_from == self.chain.now + self.issuer.delay, "law 7: the delay"
            self.promise_waits = wanted, event.in_force_from

    def _law_7_limit(self, event: events.LimitSet) -> None:
        known = self.limits.setdefault(event.limit, [(0, 0, 0, 0)])
        if known[-1][3] > self.chain.now:
            known.pop()
        mint_cap, burn_cap, window, _ = known[-1]
        if event.in_force_from == self.chain.now:
            assert event.mint_cap <= mint_cap, "law 7: a limit loosened at once"
            assert event.burn_cap <= burn_cap, "law 7: a limit loosened at once"
            assert event.window >= window, "law 7: a limit loosened at once"
        else:
            assert event.in_force_from == self.chain.now + self.issuer.delay, "law 7: the delay"
        known.append((event.mint_cap, event.burn_cap, event.window, event.in_force_from))

    def _law_7_seizure_account(self, event: events.SeizureAccountNamed) -> None:
        assert event.seizure_account != self.acme.escrow
        self.takes_next = None
        if event.in_force_from == self.chain.now:
            assert event.seizure_account in (NOBODY, self.takes_seized), "law 7: named at once"
            self.takes_seized = event.seizure_account
        else:
            assert event.in_force_from == self.chain.now + self.issuer.delay, "law 7: the delay"
            self.takes_next = event.seizure_account, event.in_force_from

    def _law_7_veto(self, event: events.ChangeVetoed, call: Instruction) -> None:
        self._in_force(GUARDIAN, event.guardian)
        if event.kind is VetoSubject.POLICY:
            assert self.promise_waits is not None, "law 7: what had come was vetoed"
            self.promise_waits = None
        elif event.kind is VetoSubject.SEIZURE_ACCOUNT:
            assert self.takes_next is not None, "law 7: what had come was vetoed"
            self.takes_next = None
        elif event.kind is VetoSubject.METADATA:
            self.metadata = None
        elif event.kind is VetoSubject.LIMIT:
            known = self.limits[event.subject]
            assert known[-1][3] > self.chain.now, "law 7: what had come was vetoed"
            known.pop()
        elif event.subject == self.alpha.role(GUARDIAN, event.guardian):
            beside = {each.pubkey for each in call.accounts if each.is_signer} - {event.guardian, self.chain.payer}
            roles = self.of(accounts.Role)
            ends = [
                max(role.served_until, min(role.ends_at, self.chain.now) if role.in_force_from <= self.chain.now else 0)
                for each in beside
                if (role := roles.get(self.alpha.role(COMPLIANCE, each))) is not None
            ]
            assert max(ends, default=0) > self.chain.now - LONGEST_DELAY, "law 7: a guardian keeps itself in alone"

    def _law_7_permission(self, wallet: Pubkey, *, whatever_class: bool = False) -> None:
        record = self.of(accounts.Holder)[self.alpha.holder(wallet)]
        assert not record.suspended_at, "a suspended holder"
        assert self.chain.now < record.approved_until, "not approved any more"
        assert whatever_class or record.classes & self.promised.policy.allowed_classes, "not of an allowed class"

    def _law_7_seizure(self, event: events.HoldingSeized) -> None:
        seizure = self.of(accounts.Seizure)[event.seizure]
        assert seizure.proposer != event.seized_by, "law 7: one key alone"
        for each in (seizure.proposer, event.seized_by):
            self._in_force(COMPLIANCE, each)
        assert event.source != self.acme.escrow, "law 3: an account the program owns"
        assert event.destination == self.takes_seized, "law 7: to another account than the one named"
        assert event.raw == seizure.raw
        assert self.chain.now <= seizure.expires_at
        assert seizure.executed_at == self.chain.now
        assert seizure.status is SeizureStatus.EXECUTED

    def check_now(self) -> None:
        """Law 7 too: what counts is what was promised, and what waited long enough."""
        super().check_now()
        self._follow_time()
        assert self._promise() == self.promised, "law 7: the policy in force"
        for address, limit in self.of(accounts.Limit).items():
            due = 0 < limit.pending_from <= self.chain.now
            pending = (limit.pending_mint_cap, limit.pending_burn_cap, limit.pending_window)
            found = pending if due else (limit.mint_cap, limit.burn_cap, limit.window)
            wanted = next(each[:3] for each in reversed(self.limits[address]) if each[3] <= self.chain.now)
            assert found == wanted, "law 7: the limit in force"
        state = self.security
        named = (
            state.pending_seizure_account if 0 < state.pending_seizure_from <= self.chain.now else state.seizure_account
        )
        assert named == self.takes_seized, "law 7: the seizure account in force"
        assert not self.control.is_frozen(self.acme.escrow), "law 3: the escrow is frozen"
        held = sum(self.chain.balance(self.acme.tokens(each)) for each in (*self.owners, self.acme.address))
        assert held == self.minted.supply, "law 2: tokens from nowhere"
