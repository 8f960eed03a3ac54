"""What a use case would sign, laid out before anything is signed, and the one way to carry it out.

A plan is made by reading alone. Running its use case again after it succeeded makes a plan without actions: what is on
chain already is left out, with a note. Intents name effects, so that a crash between signing and sending is carried on
with the same bytes (see adapters/chain/sender.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.send_result import SendResult
from tallystick.adapters.chain.sender import IsDone, Sender, SettledAt
from tallystick.adapters.chain.signers import TransactionSigner
from tallystick.adapters.chain.transactions import Version
from tallystick.errors import ConfigurationError, InputError


@dataclass(frozen=True, slots=True)
class Action:
    """One transaction.

    `intent` names its effect, the same in every run. `summary` says it to a person in one line. `signers` are the keys
    that must sign, the payer first; `roles` says of each, in the same order, in which capacity. `is_done` reads the
    chain for the effect; `is_guarded` says that the program lets the effect happen only once.
    """

    intent: str
    summary: str
    instructions: tuple[Instruction, ...] = field(repr=False)
    payer: Pubkey
    signers: tuple[Pubkey, ...]
    is_done: IsDone | None = field(default=None, repr=False)
    is_guarded: bool = False
    roles: tuple[str, ...] = ()
    version: Version = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions in the order they are carried out. `notes` say what was left out, and what to know before agreeing."""

    title: str
    actions: tuple[Action, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when nothing is to be signed."""
        return not self.actions

    @property
    def signers(self) -> dict[Pubkey, tuple[str, ...]]:
        """Every key that must sign, and in which capacities."""
        found: dict[Pubkey, tuple[str, ...]] = {}
        for action in self.actions:
            for key, role in _capacities(action):
                if role not in found.get(key, ()):
                    found[key] = (*found.get(key, ()), role)
        return found


class Trail(Protocol):
    """Where what is about to be sent, and what became of it, is written down (services/audit_trail.py)."""

    async def begin(self, action: Action) -> None:
        """Before an action is sent. What this raises stops it."""
        ...

    async def end(self, action: Action, result: SendResult) -> None:
        """After it was sent."""
        ...


Progress: TypeAlias = Callable[[Action, SendResult | None], None]
"""Called with None before an action is sent, and with its result afterwards."""


def new_action(
    intent: str,
    summary: str,
    instructions: Instruction | tuple[Instruction, ...],
    payer: Pubkey,
    *signatories: tuple[Pubkey, str],
    is_done: IsDone | None = None,
    is_guarded: bool = False,
    version: Version = 0,
) -> Action:
    """An action paid by `payer` and signed by each of `signatories` (key, capacity). A key that is there twice signs
    once, and its capacities are joined."""
    capacities: dict[Pubkey, list[str]] = {}
    for key, role in ((payer, "fee payer"), *signatories):
        roles = capacities.setdefault(key, [])
        if role not in roles:
            roles.append(role)
    if isinstance(instructions, Instruction):
        instructions = (instructions,)
    joined = tuple(" and ".join(roles) for roles in capacities.values())
    return Action(
        intent,
        summary,
        instructions,
        payer,
        tuple(capacities),
        is_done,
        is_guarded,
        joined,
        version,
    )


def require_signers(plan: Plan, signers: Mapping[Pubkey, TransactionSigner]) -> None:
    """ConfigurationError naming every key, and its capacity, that the plan needs and `signers` has not."""
    missing = [f"{key} ({', '.join(roles)})" for key, roles in plan.signers.items() if key not in signers]
    if missing:
        raise ConfigurationError(
            f"{plan.title}: expected signers for {'; '.join(missing)}.",
            hint="Name the key file or signing service of each of these keys in the profile; nothing was signed.",
        )
    for key, signer in signers.items():
        if signer.pubkey != key:
            raise ConfigurationError(
                f"The signer given for {key} signs as {signer.pubkey}.",
                hint="Check the key files in the profile.",
            )


async def execute(
    plan: Plan,
    sender: Sender,
    signers: Mapping[Pubkey, TransactionSigner],
    on_progress: Progress | None = None,
    *,
    trail: Trail | None = None,
    commitment: SettledAt = "confirmed",
) -> tuple[SendResult, ...]:
    """Carry out a plan's actions one after the other, and tell what became of each.

    Stops behind the first action whose effect is not on chain, so that fewer results than actions means: the last one
    says why (ask it to `require_done`). Raises ConfigurationError before anything is signed when a signer is missing;
    else what Sender.send raises, after which earlier actions stay done and a new plan leaves them out.
    """
    require_signers(plan, signers)
    results: list[SendResult] = []
    for action in plan.actions:
        if on_progress is not None:
            on_progress(action, None)
        if trail is not None:
            await trail.begin(action)
        result = await sender.send(
            action.instructions,
            [signers[key] for key in action.signers],
            intent=action.intent,
            payer=action.payer,
            version=action.version,
            commitment=commitment,
            is_done=action.is_done,
            is_guarded=action.is_guarded,
        )
        results.append(result)
        if trail is not None:
            await trail.end(action, result)
        if on_progress is not None:
            on_progress(action, result)
        if not result.is_done:
            break
    return tuple(results)


async def last_change(chain: Chain, address: Pubkey) -> str:
    """What tells one moment of an account from the next: its newest signature, shortened, or "new".

    Part of the intent of what can be done, undone and done again (a proposal after a veto): with the same intent the
    sender would take the first time's signature for the second's. A transaction in between changes it without need;
    such effects are the same twice as once, so that is harmless.
    """
    newest = await chain.get_signatures_for_address(address, limit=1)
    return str(newest[0].signature)[:16] if newest else "new"


def require_text_reference(reference: str, limit: int = 140) -> str:
    """A caller's reference as it is hashed: trimmed, 1 to `limit` characters, printable. InputError otherwise."""
    text = reference.strip()
    if not 1 <= len(text) <= limit or not text.isprintable():
        raise InputError(
            f"A reference of 1 to {limit} printable characters is expected, not {reference[:40]!r}.",
            hint="Use the name under which your own books know it.",
        )
    return text


def _capacities(action: Action) -> tuple[tuple[Pubkey, str], ...]:
    roles = action.roles or ("signer",) * len(action.signers)
    return tuple(zip(action.signers, roles, strict=True))


__all__ = [
    "Action",
    "Plan",
    "Progress",
    "Trail",
    "execute",
    "last_change",
    "new_action",
    "require_signers",
    "require_text_reference",
]
