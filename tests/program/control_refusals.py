"""Calls that control a security or a holding and that one rule refuses; part of refusals.py."""

from __future__ import annotations

from collections.abc import Callable

from chain_in_process import digest, key
from control import CUSTODIAN_WALLET, Control
from control_cases import CONTROL_CASES, NEW_WALLET
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program.generated import types
from tallystick.program.generated.types import RoleKind, VetoSubject
from world import DAY, ONE, SCOPE_TRANSFER, World

Make = Callable[[World], Instruction]
Refused = tuple[str, str, Make]
ZERO = bytes(32)
SEIZURE_PERIOD = 7 * DAY


def _on(make: Callable[[Control, World], Instruction]) -> Make:
    """A call on the first security."""
    return lambda world: make(Control(world.acme), world)


def _after(prepare: Callable[[Control, World], object], make: Callable[[Control, World], Instruction]) -> Make:
    """Something happens first."""

    def run(world: World) -> Instruction:
        control = Control(world.acme)
        prepared = prepare(control, world)
        if isinstance(prepared, Instruction):
            world.chain.send(prepared)
        return make(control, world)

    return run


def _seizing(before: Callable[[Control, World], object]) -> Make:
    """A seizure that would succeed, but for what happens first."""

    def run(world: World) -> Instruction:
        call = CONTROL_CASES["seize"](world)
        prepared = before(Control(world.acme), world)
        if isinstance(prepared, Instruction):
            world.chain.send(prepared)
        return call

    return run


def _reissuing(before: Callable[[Control, World], object]) -> Make:
    """A reissue that would succeed, but for what happens first."""

    def run(world: World) -> Instruction:
        call = CONTROL_CASES["reissue"](world)
        prepared = before(Control(world.acme), world)
        if isinstance(prepared, Instruction):
            world.chain.send(prepared)
        return call

    return run


def _policy(**change: int) -> Make:
    return _on(lambda control, world: control.update_policy(**change))


def _announce(**change: object) -> Make:
    return _on(lambda control, world: control.announce_metadata(control.metadata(**change)))


def _hold(control: Control, world: World) -> Instruction:
    return world.acme.place_hold(1, SCOPE_TRANSFER)


def _spend(control: Control, world: World) -> None:
    """Most of Alice's tokens go elsewhere before they are taken."""
    chain, acme = world.chain, world.acme
    chain.send(control.thaw_account(world.alice))
    rest = chain.balance(acme.tokens(world.alice)) - 6 * ONE
    chain.send(acme.transfer(acme.tokens(world.alice), world.alice, acme.tokens(world.bob), rest))


def _second_seizure_account(control: Control, world: World) -> None:
    """Another seizure account is named meanwhile."""
    world.chain.send(control.name_seizure_account(world.stranger))
    world.chain.warp(world.alpha.delay)


def _proposer_granted_again(control: Control, world: World) -> None:
    """The first compliance key loses its role and gets it back."""
    world.chain.send(world.alpha.revoke_role(RoleKind.COMPLIANCE))
    world.chain.warp(1)
    world.chain.send(world.alpha.grant_role(RoleKind.COMPLIANCE))
    world.chain.warp(world.alpha.delay)


def _own_account_named(world: World) -> Instruction:
    """The seizure account itself is to be seized from."""
    control = Control(world.acme)
    world.chain.send(control.name_seizure_account(world.bob))
    world.chain.warp(world.alpha.delay)
    world.chain.send(control.propose_seizure(world.bob, ONE))
    return control.seize(world.bob, destination=world.acme.tokens(world.bob))


def _emptied(world: World) -> Instruction:
    """A reissue of what was reissued."""
    call = CONTROL_CASES["reissue"](world)
    world.chain.send(call)
    return call


def _to_oneself(world: World) -> Instruction:
    """Between two token accounts of one wallet."""
    control, second = Control(world.acme), key("alice's second account")
    account = world.chain.find(world.acme.tokens(world.stranger))
    assert account is not None
    data = bytearray(account.data)
    data[32:64] = bytes(world.alice)
    world.chain.write(second, type(account)(account.lamports, bytes(data), account.owner, False, 0))
    return control.reissue(world.alice, world.alice, destination=second)


def _thaw_permissioned(**change: object) -> Make:
    """A thaw of a permissioned security, of a wallet that may not hold it."""

    def run(world: World) -> Instruction:
        world.acme.rewrite(permissioned=True)
        control = Control(world.acme)
        world.chain.send(control.freeze_account(world.alice))
        if "suspended" in change:
            world.chain.send(world.alpha.suspend_holder(world.alice))
        elif "lapsed" in change:
            world.chain.send(world.alpha.approve_holder(world.alice, approved_until=world.chain.now + 9))
            world.chain.warp(9)
        else:
            world.chain.send(world.alpha.approve_holder(world.alice, **change))
        return control.thaw_account(world.alice)

    return run


def _thaw_unknown(world: World) -> Instruction:
    """A thaw of a permissioned security, of a wallet that was never approved."""
    world.acme.rewrite(permissioned=True)
    control = Control(world.acme)
    world.chain.send(control.freeze_account(world.stranger))
    return control.thaw_account(world.stranger)


def _own_removal(**beside: Pubkey) -> Make:
    """A guardian vetoes its own removal."""

    def run(world: World) -> Instruction:
        world.chain.send(world.alpha.revoke_role(RoleKind.GUARDIAN))
        return world.alpha.veto(role=world.alpha.role(RoleKind.GUARDIAN), **beside)

    return run


def _own_removal_by_one_who_left_long_ago(world: World) -> Instruction:
    """Compliance's role ended over 30 days before."""
    world.chain.send(world.alpha.revoke_role(RoleKind.COMPLIANCE))
    world.chain.warp(30 * DAY)
    world.chain.send(world.alpha.revoke_role(RoleKind.GUARDIAN))
    return world.alpha.veto(role=world.alpha.role(RoleKind.GUARDIAN), **world.alpha.beside(RoleKind.COMPLIANCE))


def _own_removal_by_one_who_never_began(world: World) -> Instruction:
    """Compliance's only grant still waits."""
    newcomer = key("compliance newcomer")
    world.chain.send(world.alpha.revoke_role(RoleKind.GUARDIAN))
    world.chain.send(world.alpha.grant_role(RoleKind.COMPLIANCE, newcomer))
    beside = {"cosigner": newcomer, "cosigner_role": world.alpha.role(RoleKind.COMPLIANCE, newcomer)}
    return world.alpha.veto(role=world.alpha.role(RoleKind.GUARDIAN), **beside)


def _veto_matured(prepare: Callable[[Control], Instruction], subject: VetoSubject) -> Make:
    """A veto at the second at which the setting counts."""

    def run(world: World) -> Instruction:
        world.chain.send(prepare(Control(world.acme)))
        world.chain.warp(world.alpha.delay)
        return world.alpha.veto(subject, security=world.acme.address)

    return run


def _waited(world: World, call: Instruction, seconds: int | None = None) -> None:
    """Sent, and the issuer's delay is over, or so many seconds."""
    world.chain.send(call)
    world.chain.warp(world.alpha.delay if seconds is None else seconds)


def _reissuing_with(params: types.ReissueParams) -> Make:
    """A reissue with other parameters."""

    def run(world: World) -> Instruction:
        CONTROL_CASES["reissue"](world)
        return Control(world.acme).reissue(world.alice, NEW_WALLET, params=params)

    return run


def _name_first(control: Control) -> Instruction:
    control.chain.send(control.security.create_tokens(CUSTODIAN_WALLET))
    return control.name_seizure_account(CUSTODIAN_WALLET)


CONTROL_REFUSALS: list[Refused] = [
    # vetoes
    ("AmbiguousVeto", "a role is named and not passed", lambda world: world.alpha.veto(VetoSubject.ROLE)),
    ("AmbiguousVeto", "a security is passed for the admin",
     lambda world: world.alpha.veto(VetoSubject.ADMIN, security=world.acme.address)),
    ("AmbiguousVeto", "a limit is passed for a policy",
     lambda world: world.alpha.veto(VetoSubject.POLICY, security=world.acme.address, limit=world.acme.limit())),
    ("AmbiguousVeto", "no security is passed for its metadata", lambda world: world.alpha.veto(VetoSubject.METADATA)),
    *[("NothingToVeto", f"no {subject.name.lower()} waits",
       lambda world, subject=subject: world.alpha.veto(subject, security=world.acme.address))
      for subject in (VetoSubject.POLICY, VetoSubject.SEIZURE_ACCOUNT, VetoSubject.METADATA)],
    ("NothingToVeto", "a policy counts already",
     _veto_matured(lambda control: control.update_policy(supply_cap=2 * 10**15), VetoSubject.POLICY)),
    ("NothingToVeto", "a seizure account counts already", _veto_matured(_name_first, VetoSubject.SEIZURE_ACCOUNT)),
    ("GuardianNeedsCompliance", "alone", _own_removal()),
    ("GuardianNeedsCompliance", "a key that has not been compliance for 30 days",
     _own_removal_by_one_who_left_long_ago),
    ("GuardianNeedsCompliance", "a key that is not compliance yet", _own_removal_by_one_who_never_began),
    ("BadExpiry", "a guardian's hold without end",
     lambda world: world.acme.place_hold(1, SCOPE_TRANSFER, RoleKind.GUARDIAN, expires_in=None)),
    ("BadExpiry", "a guardian's hold over 72 hours",
     lambda world: world.acme.place_hold(1, SCOPE_TRANSFER, RoleKind.GUARDIAN, expires_in=3 * DAY + 1)),
    # policy
    ("ThresholdOutOfBounds", "a policy's, later", _policy(threshold=1)),
    ("SupplyCapMissing", "a policy's, later", _policy(supply_cap=0)),
    ("PeriodOutOfBounds", "a policy's, later", _policy(max_attestation_age=7 * DAY + 1)),
    ("CustodyAccountsOutOfBounds", "none, later",
     _on(lambda control, world: control.update_policy(custody_accounts=0))),
    ("HashMissing", "no custody accounts, later",
     _on(lambda control, world: control.update_policy(custody_accounts_hash=ZERO))),
    ("CustodyAccountsDiffer", "those declared before",
     _after(lambda control, world: _waited(world, control.update_policy(custody_accounts_hash=digest("others"))),
            lambda control, world: world.acme.attest(world.acme.content(9_000 * ONE)))),
    # metadata
    ("BadIsin", "announced", _announce(isin=b"US0378331006")),
    ("BadText", "no name announced", _announce(name="")),
    ("BadText", "no ticker announced", _announce(ticker=bytes(16))),
    ("BadText", "a name over 64 bytes announced", _announce(name="x" * 65)),
    ("BadText", "an address over 200 bytes announced", _announce(uri="x" * 201)),
    ("HashMissing", "no terms announced", _announce(terms_hash=ZERO)),
    ("MetadataNotAnnounced", "nothing was", _on(lambda control, world: control.update_metadata())),
    ("MetadataNotAnnounced", "something else was",
     _after(lambda control, world: control.do_announce(),
            lambda control, world: control.update_metadata(control.metadata(terms_hash=digest("worse terms"))))),
    ("MetadataNotAnnounced", "written twice",
     _after(lambda control, world: world.chain.send(CONTROL_CASES["update_metadata"](world)),
            lambda control, world: control.update_metadata())),
    ("NoticeNotOver", "a second early",
     _after(lambda control, world: _waited(world, control.announce_metadata(), DAY - 1),
            lambda control, world: control.update_metadata())),
    ("NoticeNotOver", "announced again, which starts anew",
     _after(lambda control, world: (control.do_announce(), world.chain.send(control.announce_metadata())),
            lambda control, world: control.update_metadata())),
    # seizure account
    ("WrongWallet", "a wallet without an account",
     _on(lambda control, world: control.name_seizure_account(None, wallet=world.stranger))),
    ("WrongWallet", "an account without its wallet",
     _on(lambda control, world: control.name_seizure_account(
         None, seizure_account=world.acme.tokens(world.stranger)))),
    ("OwnedByProgram", "the escrow as seizure account",
     _on(lambda control, world: control.name_seizure_account(world.acme.address))),
    # freezing
    ("AlreadyFrozen", "twice",
     _after(lambda control, world: control.freeze_account(world.alice),
            lambda control, world: control.freeze_account(world.alice))),
    ("NotFrozen", "nothing to thaw", _on(lambda control, world: control.thaw_account(world.alice))),
    ("HashMissing", "frozen without a reason",
     _on(lambda control, world: control.freeze_account(world.alice, params=types.FreezeAccountParams(1, ZERO)))),
    ("HashMissing", "thawed without a reason",
     _after(lambda control, world: control.freeze_account(world.alice),
            lambda control, world: control.thaw_account(world.alice, params=types.ThawAccountParams(1, ZERO)))),
    ("HolderRecordMissing", "a stranger to a permissioned security", _thaw_unknown),
    ("HolderSuspended", "a suspended one to a permissioned security", _thaw_permissioned(suspended=True)),
    ("HolderApprovalLapsed", "to a permissioned security", _thaw_permissioned(lapsed=True)),
    ("HolderOfWrongClass", "to a permissioned security", _thaw_permissioned(classes=0b10)),
    # seizure
    ("BalanceExceeded", "proposed",
     _on(lambda control, world: control.propose_seizure(
         world.alice, world.chain.balance(world.acme.tokens(world.alice)) + 1))),
    ("BalanceExceeded", "spent meanwhile", _seizing(_spend)),
    ("ZeroQuantity", "an empty seizure", _on(lambda control, world: control.propose_seizure(world.alice, 0))),
    ("HashMissing", "a seizure without a reason",
     _on(lambda control, world: control.propose_seizure(
         world.alice, 1, params=types.ProposeSeizureParams(1, 1, 1, ZERO)))),
    ("SeizureExpired", "at the very second",
     _seizing(lambda control, world: world.chain.set_time(control.read_seizure(world.alice).expires_at))),
    ("SeizureExecuted", "twice", _seizing(lambda control, world: control.seize(world.alice))),
    ("WrongSeizureAccount", "another was named meanwhile", _seizing(_second_seizure_account)),
    ("WrongSeizureAccount", "none is named any more",
     _seizing(lambda control, world: control.name_seizure_account(None))),
    ("WrongTokenAccount", "from the seizure account to itself", _own_account_named),
    ("RoleNotInForce", "the proposer was granted its role again since", _seizing(_proposer_granted_again)),
    ("TransferHeld", "a seizure under a hold", _seizing(_hold)),
    ("DestinationFrozen", "the seizure account",
     _seizing(lambda control, world: control.freeze_account(CUSTODIAN_WALLET))),
    # reissue
    ("NotTheSameInvestor", "another investor's wallet",
     _reissuing(lambda control, world: world.alpha.approve_holder(NEW_WALLET, investor_id=digest("another investor")))),
    ("NotTheSameInvestor", "the same wallet", _to_oneself),
    ("HolderSuspended", "the new wallet", _reissuing(lambda control, world: world.alpha.suspend_holder(NEW_WALLET))),
    ("HolderApprovalLapsed", "the new wallet's", _reissuing(
        lambda control, world: _waited(world, world.alpha.approve_holder(
            NEW_WALLET, approved_until=world.chain.now + 1)))),
    ("TransferHeld", "a reissue under a hold", _reissuing(_hold)),
    ("DestinationFrozen", "the new wallet's account",
     _reissuing(lambda control, world: control.freeze_account(NEW_WALLET))),
    ("ZeroQuantity", "nothing left to reissue", _emptied),
    ("HashMissing", "a reissue without evidence",
     _reissuing_with(types.ReissueParams(ZERO))),
]  # fmt: skip
