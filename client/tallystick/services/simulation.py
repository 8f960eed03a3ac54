"""What a plan would do, asked of the cluster without signing, storing or sending anything.

A cluster simulates one transaction at a time and forgets it. So an action that builds on earlier ones of its plan is
simulated together with those, in one transaction; what it adds to them is its effect. That is the same on every
cluster. Where they do not fit into one, the action is said not to be simulated, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.failures import error_json, transaction_error
from tallystick.adapters.chain.protocol import Account, Chain, InnerInstruction, Simulation
from tallystick.adapters.chain.transactions import (
    MAX_COMPUTE_UNITS,
    MAX_LOADED_ACCOUNTS_DATA,
    Version,
    build_transaction,
)
from tallystick.adapters.chain.wire import fee_of
from tallystick.errors import ChainError, InputError, RpcError, TransactionError
from tallystick.program.errors import program_error
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import EventLayout
from tallystick.services.effects import (
    AccountChange,
    EventShown,
    Known,
    account_change,
    decode_any,
    event_shown,
    is_wallet,
    named_by,
)
from tallystick.services.plans import Action, Plan

_TRIES: Final = 5
# What an instruction of the compute budget program costs; version 1 says its limits without any.
_BUDGET_UNITS: Final = 150
_BUDGET_INSTRUCTIONS: Final[dict[Version, int]] = {"legacy": 2, 0: 2, 1: 0}
_PAYERS_FAULT: Final = frozenset(
    {"AccountNotFound", "InsufficientFundsForFee", "InsufficientFundsForRent", "InvalidAccountForFee"}
)
# Limits of one transaction, which several together may meet and each alone would not.
_TOO_MUCH: Final = frozenset(
    {"ComputationalBudgetExceeded", "MaxInstructionTraceLengthExceeded", "ProgramFailedToComplete"}
)


class Simulated(StrEnum):
    """What is known of one action."""

    SUCCEEDS = "would succeed"
    REFUSED = "would be refused"
    UNKNOWN = "not simulated"


@dataclass(frozen=True, slots=True)
class ActionEffects:
    """What one action would do on the state at hand.

    `together_with` are the numbers (from 1) of the earlier actions it was simulated with. `fee` in lamports, without
    the rent that the changes show; `units` in compute units. `error` is the refusal; `reason` says why it was not
    simulated.
    """

    action: Action
    outcome: Simulated
    events: tuple[EventShown, ...] = ()
    changes: tuple[AccountChange, ...] = ()
    together_with: tuple[int, ...] = ()
    units: int | None = None
    fee: int | None = None
    error: TransactionError | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlanEffects:
    """What a plan would do: its actions in order, all on the state of `slot`. `names` are the chain's, by address."""

    plan: Plan
    slot: int
    actions: tuple[ActionEffects, ...]
    names: Mapping[Pubkey, str]

    @property
    def refusal(self) -> TransactionError | None:
        """The refusal that would end the plan."""
        return next((each.error for each in self.actions if each.error is not None), None)

    @property
    def fee(self) -> int:
        """Lamports of the fees that are known."""
        return sum(each.fee or 0 for each in self.actions)


async def simulate_plan(chain: Chain, plan: Plan, *, withheld: Mapping[str, str] | None = None) -> PlanEffects:
    """Simulate each action of a plan in its order; the ones behind a refusal are not reached.

    `withheld` says, by intent, why an action cannot be simulated at all. Raises ChainError when the cluster does not
    answer, or when somebody else keeps changing the accounts of the plan; a refusal is told, not raised.
    """
    watched = list(dict.fromkeys(key for action in plan.actions for key in _writable(action)))
    for _ in range(_TRIES):
        slot, before = await chain.get_accounts(watched)
        run = _Run(chain, dict(zip(watched, before, strict=True)), withheld or {})
        for action in plan.actions:
            await run.step(action)
        # A simulation runs on a bank of its own: only when nothing moved meanwhile are these its beginnings.
        if (await chain.get_accounts(watched))[1] == before:
            return await _told(chain, plan, slot, run)
    raise ChainError(
        f"{plan.title}: its accounts changed during each of {_TRIES} simulations.",
        hint="Somebody else is at work on them; run this again when they are done.",
    )


_State = Mapping[Pubkey, Account | None]


@dataclass(frozen=True, slots=True)
class _Ran:
    """A simulation of some actions together: `state` after it, the fee given back; `own` units, without the limits'
    instructions; `first` is the place of the first instruction."""

    simulation: Simulation
    transaction: VersionedTransaction
    state: _State
    own: int
    first: int


@dataclass(frozen=True, slots=True)
class _Step:
    """One action's result: what it `touched` binds later actions to it."""

    action: Action
    outcome: Simulated
    needs: frozenset[int] = frozenset()
    touched: frozenset[Pubkey] = frozenset()
    old: _State | None = None
    new: _State | None = None
    events: tuple[EventLayout, ...] = ()
    units: int | None = None
    fee: int | None = None
    error: TransactionError | None = None
    reason: str = ""


class _Unfit(Exception):  # noqa: N818 - it is an answer
    """Actions that cannot be simulated together; `args[0]` says why."""


class _Run:
    """One pass over a plan."""

    def __init__(self, chain: Chain, before: _State, withheld: Mapping[str, str]) -> None:
        self._chain = chain
        self._before = before
        self._withheld = withheld
        self._states: dict[frozenset[int], tuple[_State, int]] = {frozenset(): (before, 0)}
        self._lamports: dict[Pubkey, int] = {}
        self.steps: list[_Step] = []

    async def step(self, action: Action) -> None:
        """Simulate the next action, with those it builds on."""
        self.steps.append(await self._step(action))

    async def _step(self, action: Action) -> _Step:
        ended = next((n for n, each in enumerate(self.steps) if each.outcome is Simulated.REFUSED), None)
        if ended is not None:
            return self._unknown(action, f"The plan ends at {ended + 1}, which would be refused.")
        if action.intent in self._withheld:
            return self._unknown(action, self._withheld[action.intent])
        needs = self._needs(action)
        unknown = [n for n in sorted(needs) if self.steps[n].outcome is Simulated.UNKNOWN]
        if unknown:
            return self._unknown(action, f"It builds on {_numbers(unknown)}, which could not be simulated.")
        try:
            old, units = await self._state(needs)
            ran = await self._simulate([*sorted(needs), action])
            if (error := self._refusal(action, needs, ran)) is not None:
                return _Step(action, Simulated.REFUSED, needs, fee=_fee(action), error=error)
        except _Unfit as unfit:
            return self._unknown(action, str(unfit))
        self._states[needs | {len(self.steps)}] = (ran.state, ran.own)
        start = ran.first + sum(len(self.steps[n].action.instructions) for n in needs)
        fee = _fee(action)
        old, new, short = self._with_lamports(action, old, ran.state, fee)
        if short:
            error = transaction_error("InsufficientFundsForFee", (), None)
            return _Step(action, Simulated.REFUSED, needs, fee=fee, error=error)
        return _Step(
            action,
            Simulated.SUCCEEDS,
            needs,
            frozenset(key for key in new if _binds(old.get(key), new[key])),
            old,
            new,
            tuple(decode_events(_call(each) for each in ran.simulation.inner if each.parent >= start)),
            ran.own - units + _BUDGET_UNITS * _BUDGET_INSTRUCTIONS[action.version],
            fee,
        )

    def _needs(self, action: Action) -> frozenset[int]:
        """Earlier actions that touch an account this one names, and those that they need."""
        named = {meta.pubkey for each in action.instructions for meta in each.accounts} | {action.payer}
        found: set[int] = set()
        for number, step in enumerate(self.steps):
            if step.touched & named:
                found |= {number} | step.needs
        return frozenset(found)

    async def _state(self, numbers: frozenset[int]) -> tuple[_State, int]:
        """State after, and units of, earlier actions together."""
        if numbers not in self._states:
            ran = await self._simulate(sorted(numbers))
            if ran.simulation.error is not None:
                raise _Unfit(f"It builds on {_numbers(numbers)}, which together are more than one transaction may do.")
            self._states[numbers] = (ran.state, ran.own)
        return self._states[numbers]

    async def _simulate(self, parts: Sequence[int | Action]) -> _Ran:
        """Actions in one transaction. _Unfit when they do not fit into one, or the node does not take it."""
        actions = [each if isinstance(each, Action) else self.steps[each].action for each in parts]
        transaction = _build(actions)
        watch = [
            key for key in dict.fromkeys(key for each in actions for key in _writable(each)) if key in self._before
        ]
        try:
            simulation = await self._chain.simulate(bytes(transaction), watch=watch)
        except RpcError as error:
            if len(actions) == 1:
                raise
            raise _Unfit(f"The node does not take it together with what it builds on: {error.message}") from error
        state = dict(self._before)
        state |= simulation.accounts
        payer = actions[0].payer
        if (account := simulation.accounts.get(payer)) is not None:
            state[payer] = replace(account, lamports=account.lamports + fee_of(transaction.message))
        first = len(transaction.message.instructions) - sum(len(each.instructions) for each in actions)
        return _Ran(simulation, transaction, state, simulation.units - _BUDGET_UNITS * first, first)

    def _refusal(self, action: Action, needs: frozenset[int], ran: _Ran) -> TransactionError | None:
        """The refusal in the words that a real one has. _Unfit when it is the togetherness that fails."""
        simulation, alone = ran.simulation, _build([action])
        if simulation.error is None:
            return None
        error = error_json(simulation.error)
        if needs:
            before = sum(len(self.steps[n].action.instructions) for n in needs)
            error = _moved(error, ran.first + before, _BUDGET_INSTRUCTIONS[action.version])
            if error is None:
                raise _Unfit(f"It builds on {_numbers(needs)}, and together they are more than one transaction may do.")
        return transaction_error(
            error, simulation.logs, None, message=alone.message, program_errors={PROGRAM_ID: program_error}
        )

    def _with_lamports(self, action: Action, old: _State, new: _State, fee: int) -> tuple[_State, _State, bool]:
        """Both states with lamports as all earlier actions leave them, not only those simulated together; and whether
        the payer runs dry."""
        before, after = dict(old), dict(new)
        is_short = False
        for key in self._before:
            begun, ended = old.get(key), new.get(key)
            change = (ended.lamports if ended else 0) - (begun.lamports if begun else 0)
            change -= fee if key == action.payer else 0
            held = self._lamports.get(key, begun.lamports if begun else 0)
            self._lamports[key] = held + change
            is_short = is_short or held + change < 0
            before[key] = replace(begun, lamports=held) if begun else None
            after[key] = replace(ended, lamports=held + change) if ended else None
        return before, after, is_short

    def _unknown(self, action: Action, reason: str) -> _Step:
        touched = frozenset(_writable(action)) - {action.payer}
        return _Step(action, Simulated.UNKNOWN, touched=touched, reason=reason)


async def _told(chain: Chain, plan: Plan, slot: int, run: _Run) -> PlanEffects:
    """The pass as values to show, with the decimals and names they need."""
    known, wanted = Known(), set[Pubkey]()
    states = [state for step in run.steps for state in (step.old, step.new) if state is not None]
    for state in states:
        for address, account in state.items():
            known.learn(address, account)
            wanted |= {*named_by(decode_any(account))}
    wanted |= {key for step in run.steps for event in step.events for key in named_by(event)}
    missing = sorted(wanted - known.names.keys(), key=bytes)
    for address, account in zip(missing, (await chain.get_accounts(missing))[1] if missing else (), strict=True):
        known.learn(address, account)
    return PlanEffects(plan, slot, tuple(_effects(step, known) for step in run.steps), known.names)


def _effects(step: _Step, known: Known) -> ActionEffects:
    changes = (
        account_change(key, step.old.get(key), new, known)
        for key, new in (step.new or {}).items()
        if step.old is not None
    )
    return ActionEffects(
        step.action,
        step.outcome,
        tuple(event_shown(event, known) for event in step.events),
        tuple(each for each in changes if each is not None),
        tuple(number + 1 for number in sorted(step.needs)),
        step.units,
        step.fee,
        step.error,
        step.reason,
    )


def _build(actions: Sequence[Action]) -> VersionedTransaction:
    """An unsigned transaction of the widest limits. _Unfit when several do not fit even into version 1."""
    instructions: list[Instruction] = [each for action in actions for each in action.instructions]
    versions: tuple[Version, ...] = (actions[0].version,) if len(actions) == 1 else (0, 1)
    for version in versions:
        try:
            return build_transaction(
                instructions,
                actions[0].payer,
                Hash.default(),
                version=version,
                compute_unit_limit=MAX_COMPUTE_UNITS,
                loaded_accounts_data_size_limit=MAX_LOADED_ACCOUNTS_DATA,
            )
        except InputError:
            if len(actions) == 1:
                raise
    raise _Unfit("Together with what it builds on it does not fit into one transaction.")


def _fee(action: Action) -> int:
    return fee_of(_build([action]).message)


def _writable(action: Action) -> list[Pubkey]:
    written = [meta.pubkey for each in action.instructions for meta in each.accounts if meta.is_writable]
    return list(dict.fromkeys((action.payer, *written)))


def _binds(old: Account | None, new: Account | None) -> bool:
    """Whether a change matters to a later transaction that names the account: any does, but for a wallet that paid."""
    if is_wallet(old) and is_wallet(new):
        return (new.lamports if new else 0) > (old.lamports if old else 0)
    return old != new


def _moved(error: object, start: int, by: int) -> object | None:
    """An error of several actions as the last one alone would have it, whose instructions are from `start` on; None
    when it is not that one's own."""
    if not isinstance(error, dict) or "InstructionError" not in error:
        name = error if isinstance(error, str) else next(iter(error), "") if isinstance(error, dict) else ""
        return error if name in _PAYERS_FAULT else None
    index, detail = error["InstructionError"]
    name = detail if isinstance(detail, str) else ""
    return None if index < start or name in _TOO_MUCH else {"InstructionError": [index - start + by, detail]}


def _call(each: InnerInstruction) -> tuple[Pubkey, Sequence[Pubkey], bytes]:
    return each.program, each.accounts, each.data


def _numbers(numbers: Sequence[int] | frozenset[int]) -> str:
    return ", ".join(str(number + 1) for number in sorted(numbers))


__all__ = ["ActionEffects", "PlanEffects", "Simulated", "simulate_plan"]
