"""The sender against a cluster that drops, delays, forgets and forks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from faulty_cluster import Crash, FaultyCluster, WatchingOutbox
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from tallystick.adapters.chain.outbox import OutboxState
from tallystick.adapters.chain.send_result import Outcome, SendResult
from tallystick.adapters.chain.sender import Sender, SendSettings
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import ManualClock
from tallystick.errors import (
    EndpointError,
    InputError,
    OutcomeUnknown,
    ProgramError,
    StoreConflict,
    TransactionError,
)

PAYER = Keypair.from_seed(bytes([7] * 32))
PROGRAM = Pubkey.from_string("Ta11y11111111111111111111111111111111111111")
INTENT = "settle:order-1:movement-1"
PATIENT = SendSettings(patience=400.0)


def pay(lamports: int = 5) -> Instruction:
    return transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=PROGRAM, lamports=lamports))


class Desk:
    """A cluster, an outbox that watches, and as many senders as there are lives of the process."""

    def __init__(self, **cluster: object) -> None:
        self.clock = ManualClock(1_000_000)
        self.cluster = FaultyCluster(self.clock, **cluster)  # type: ignore[arg-type]
        self.outbox = WatchingOutbox(self.cluster)

    def sender(self, settings: SendSettings | None = None) -> Sender:
        return Sender(
            self.cluster,
            self.outbox,
            self.clock,
            program_errors={PROGRAM: own_error},  # type: ignore[arg-type]
            settings=settings,
        )

    async def send(self, *, settings: SendSettings | None = None, checked: bool = True, **more: object) -> SendResult:
        is_done = self.cluster.is_done if checked else None
        return await self.sender(settings).send(
            [pay()],
            [KeypairSigner(PAYER)],
            intent=INTENT,
            is_done=is_done,
            **more,  # type: ignore[arg-type]
        )

    async def states(self) -> list[OutboxState]:
        return [row.state for row in await self.outbox.get_by_intent(INTENT)]


class ReserveError(ProgramError):
    code, name, text = 6004, "ReserveError", "Expected the reserve to cover the mint"


def own_error(code: int, logs: Sequence[str], signature: str | None) -> ProgramError | None:
    return ReserveError(logs=logs, signature=signature) if code == ReserveError.code else None


async def test_a_transaction_lands_and_its_slot_units_and_fee_are_kept() -> None:
    desk = Desk()
    result = await desk.send()
    assert (result.outcome, result.units, result.fee) == (Outcome.LANDED, 777, 5_000)
    [row] = await desk.outbox.get_by_intent(INTENT)
    assert (row.state, row.slot, row.units, row.fee) == (OutboxState.LANDED, result.slot, 777, 5_000)
    assert desk.cluster.effects == [result.signature]


async def test_the_bytes_are_stored_before_the_first_broadcast_and_a_resume_sends_those_bytes() -> None:
    desk = Desk()

    def die(name: str) -> None:
        if name == "send":
            raise Crash

    desk.cluster.on_call = die
    with pytest.raises(Crash):
        await desk.send()
    [row] = await desk.outbox.get_by_intent(INTENT)
    assert row.state is OutboxState.SIGNED
    assert desk.cluster.sent == []
    desk.cluster.on_call = lambda name: None
    [result] = await desk.sender().resume()
    assert result.outcome is Outcome.LANDED
    assert {transaction for _, transaction in desk.cluster.sent} == {row.transaction}


async def test_the_same_bytes_are_broadcast_again_about_every_two_seconds() -> None:
    desk = Desk(drop_sends=4)
    result = await desk.send()
    times = [at for at, _ in desk.cluster.sent]
    assert result.outcome is Outcome.LANDED
    assert len({transaction for _, transaction in desk.cluster.sent}) == 1
    assert len(times) == 5
    assert all(2.0 <= later - earlier <= 3.0 for earlier, later in pairwise(times))


async def test_a_failed_execution_is_told_by_its_error_although_it_is_confirmed() -> None:
    logs = (f"Program {PROGRAM} failed: custom program error: 0x1774",)
    desk = Desk(execution_error={"InstructionError": [2, {"Custom": 6004}]}, logs=logs)
    result = await desk.send()
    assert result.outcome is Outcome.FAILED
    assert isinstance(result.error, ReserveError)
    assert result.error.signature == str(result.signature)
    assert result.error.error == {"InstructionError": [2, {"Custom": 6004}]}
    with pytest.raises(ReserveError):
        result.require_done()
    [row] = await desk.outbox.get_by_intent(INTENT)
    assert (row.state, row.error) == (OutboxState.FAILED, '{"InstructionError": [2, {"Custom": 6004}]}')
    assert desk.cluster.effects == []


async def test_a_failed_simulation_is_raised_and_nothing_is_stored_or_sent() -> None:
    logs = (f"Program {PROGRAM} failed: custom program error: 0x1774",)
    desk = Desk(simulation_error={"InstructionError": [0, {"Custom": 6004}]}, logs=logs)
    with pytest.raises(ReserveError):
        await desk.send()
    assert await desk.states() == []
    assert desk.cluster.sent == []


async def test_a_cluster_that_falls_silent_after_the_broadcast_makes_the_outcome_unknown_not_failed() -> None:
    desk = Desk(dead=frozenset({0, 1}))
    result = await desk.send()
    assert (result.outcome, result.error) == (Outcome.UNKNOWN, None)
    assert "No endpoint answered" in result.detail
    assert await desk.states() == [OutboxState.UNKNOWN]
    with pytest.raises(OutcomeUnknown):
        result.require_done()


async def test_an_unknown_outcome_is_carried_on_with_by_the_same_intent_without_a_second_signature() -> None:
    desk = Desk(dead=frozenset({0, 1}))
    first = await desk.send()
    desk.cluster.dead = frozenset()
    second = await desk.send()
    assert (second.outcome, second.signatures) == (Outcome.LANDED, first.signatures)
    assert desk.cluster.effects == [first.signature]


async def test_an_unreachable_cluster_raises_before_anything_is_stored() -> None:
    desk = Desk()

    def refuse(name: str) -> None:
        raise EndpointError(f"{name} was refused")

    desk.cluster.on_call = refuse
    with pytest.raises(EndpointError):
        await desk.send(checked=False)
    assert await desk.states() == []


async def test_another_signature_is_made_only_after_the_three_proofs_in_their_order() -> None:
    desk = Desk(drop_sends=10_000)

    def deliver_after_first_attempt(name: str) -> None:
        if name == "simulate" and desk.cluster.calls.count("put_signed") == 1:
            desk.cluster.drop_sends = 0

    desk.cluster.on_call = deliver_after_first_attempt
    result = await desk.send(settings=PATIENT)
    assert result.outcome is Outcome.LANDED
    assert len(result.signatures) == 2
    assert await desk.states() == [OutboxState.DEAD, OutboxState.LANDED]
    calls = desk.cluster.calls
    second = len(calls) - 1 - calls[::-1].index("put_signed")
    absent = calls.index("is_absent_everywhere")
    height = max(at for at, name in enumerate(calls[:absent]) if name == "get_block_height finalized")
    done = calls.index("is_done", absent)
    assert height < absent < done < second
    assert calls.count("is_absent_everywhere") == 1


async def test_the_proofs_are_not_begun_before_the_finalized_height_is_beyond_the_last_valid_one() -> None:
    desk = Desk(drop_sends=10_000)
    seconds_to_expiry = (150 + 32) / 2.5
    result = await desk.send(settings=SendSettings(patience=seconds_to_expiry - 3))
    assert result.outcome is Outcome.UNKNOWN
    assert "is_absent_everywhere" not in desk.cluster.calls


async def test_one_endpoint_without_a_guard_never_signs_again() -> None:
    desk = Desk(endpoints=1, drop_sends=10_000)
    for _ in range(3):
        result = await desk.send(settings=PATIENT)
        assert result.outcome is Outcome.UNKNOWN
        assert "Add an endpoint" in result.detail
    assert await desk.states() == [OutboxState.UNKNOWN]


async def test_one_endpoint_with_a_guard_signs_again_after_the_proofs() -> None:
    desk = Desk(endpoints=1, is_guarded=True, drop_sends=35)
    result = await desk.send(settings=PATIENT, is_guarded=True)
    assert result.outcome is Outcome.LANDED
    assert await desk.states() == [OutboxState.DEAD, OutboxState.LANDED]
    assert desk.cluster.effects == [result.signature]


async def test_without_a_check_of_the_effect_nothing_is_signed_again() -> None:
    desk = Desk(drop_sends=10_000)
    result = await desk.send(settings=PATIENT, checked=False)
    assert result.outcome is Outcome.UNKNOWN
    assert await desk.states() == [OutboxState.UNKNOWN]


async def test_an_endpoint_that_does_not_answer_keeps_an_expired_signature_from_being_replaced() -> None:
    desk = Desk(drop_sends=10_000, dead=frozenset({1}))
    result = await desk.send(settings=PATIENT)
    assert result.outcome is Outcome.UNKNOWN
    assert await desk.states() == [OutboxState.UNKNOWN]


async def test_a_transaction_that_lands_in_its_last_block_is_found_and_not_doubled() -> None:
    desk = Desk(send_delay=59.5)
    result = await desk.send(settings=PATIENT)
    assert result.outcome is Outcome.LANDED
    assert desk.cluster.effects == [result.signature]
    assert len(result.signatures) == 1


async def test_a_landed_transaction_that_the_first_endpoint_has_forgotten_is_found_through_another() -> None:
    desk = Desk(forgetful=frozenset({0}))
    result = await desk.send(settings=PATIENT)
    assert (result.outcome, len(result.signatures)) == (Outcome.LANDED, 1)
    assert desk.cluster.effects == [result.signature]


async def test_an_effect_that_every_endpoint_has_forgotten_is_seen_on_chain_and_not_repeated() -> None:
    desk = Desk(endpoints=1, is_guarded=True, has_history=False)
    result = await desk.send(settings=PATIENT, is_guarded=True)
    assert result.outcome is Outcome.ALREADY_DONE
    assert len(desk.cluster.effects) == 1
    assert await desk.states() == [OutboxState.DEAD]
    again = await desk.send(settings=PATIENT, is_guarded=True)
    assert again.outcome is Outcome.ALREADY_DONE
    assert await desk.states() == [OutboxState.DEAD]


async def test_a_second_signature_that_the_guard_refuses_is_told_as_already_done() -> None:
    desk = Desk(is_guarded=True)
    await desk.send()
    sender, refused = desk.sender(), []

    async def is_done() -> bool:
        # Stale until the refusal, as a lagging node is.
        refused.append(len(desk.cluster.sent) > 1)
        return refused[-1]

    result = await sender.send([pay()], [KeypairSigner(PAYER)], intent="again", is_done=is_done, is_guarded=True)
    assert (result.outcome, result.error) == (Outcome.ALREADY_DONE, None)
    assert "refused" in result.detail
    assert len(desk.cluster.effects) == 1


async def test_an_expired_intent_is_not_signed_again_by_a_call_that_brings_no_check() -> None:
    desk = Desk(drop_sends=10_000)
    await desk.send(settings=SendSettings(patience=400.0, attempts=1))
    assert await desk.states() == [OutboxState.DEAD]
    with pytest.raises(InputError, match="whether its effect is on chain"):
        await desk.send(checked=False)
    assert await desk.states() == [OutboxState.DEAD]


async def test_a_fork_that_takes_the_block_back_is_answered_with_the_same_bytes() -> None:
    desk = Desk()

    def fork_once(name: str) -> None:
        if name == "get_signature_statuses" and desk.cluster.effects and not desk.cluster.calls.count("fork"):
            desk.cluster.calls.append("fork")
            desk.cluster.fork(delay=1_000)

    desk.cluster.on_call = fork_once
    result = await desk.send()
    assert "fork" in desk.cluster.calls
    assert (result.outcome, len(result.signatures)) == (Outcome.LANDED, 1)
    assert len({transaction for _, transaction in desk.cluster.sent}) == 1


async def test_an_intent_that_landed_is_returned_and_not_sent_again() -> None:
    desk = Desk()
    first = await desk.send(checked=False)
    sent = len(desk.cluster.sent)
    second = await desk.send(checked=False)
    assert (second.outcome, second.signatures, second.fee) == (Outcome.LANDED, first.signatures, first.fee)
    assert len(desk.cluster.sent) == sent


async def test_an_intent_asked_finalized_is_followed_on_after_it_was_confirmed() -> None:
    desk = Desk()
    await desk.send()
    confirmed_at = desk.clock.monotonic()
    result = await desk.send(commitment="finalized")
    assert (result.outcome, len(result.signatures)) == (Outcome.LANDED, 1)
    assert desk.clock.monotonic() - confirmed_at > 10


async def test_an_intent_that_failed_is_tried_again_once_its_failure_is_final() -> None:
    desk = Desk(execution_error={"InstructionError": [0, {"Custom": 6004}]})
    assert (await desk.send()).outcome is Outcome.FAILED
    desk.cluster.execution_error = None
    failed_at = desk.clock.monotonic()
    result = await desk.send()
    assert result.outcome is Outcome.LANDED
    assert await desk.states() == [OutboxState.FAILED, OutboxState.LANDED]
    assert desk.clock.monotonic() - failed_at > 10


async def test_the_same_intent_for_other_instructions_is_refused() -> None:
    desk = Desk()
    await desk.send()
    sent = len(desk.cluster.sent)
    with pytest.raises(StoreConflict, match="other instructions"):
        await desk.sender().send([pay(6)], [KeypairSigner(PAYER)], intent=INTENT)
    assert len(desk.cluster.sent) == sent


async def test_what_is_already_on_chain_is_not_signed_at_all() -> None:
    desk = Desk()
    await desk.send()
    desk.clock.advance(20)
    result = await desk.sender().send(
        [pay()], [KeypairSigner(PAYER)], intent="another name for it", is_done=desk.cluster.is_done
    )
    assert (result.outcome, result.signatures) == (Outcome.ALREADY_DONE, ())
    assert len(desk.cluster.effects) == 1


async def test_every_attempt_expired_and_proven_dead_is_a_failure_in_which_nothing_happened() -> None:
    desk = Desk(drop_sends=10_000)
    result = await desk.send(settings=PATIENT)
    assert (result.outcome, len(result.signatures)) == (Outcome.FAILED, 3)
    assert isinstance(result.error, TransactionError)
    assert result.error.error == "Expired"
    assert desk.cluster.effects == []


async def test_a_resume_never_signs_even_when_the_signature_is_dead() -> None:
    desk = Desk(drop_sends=10_000)
    await desk.send(settings=SendSettings(patience=5))
    desk.clock.advance(300)
    [result] = await desk.sender(PATIENT).resume()
    assert result.outcome is Outcome.UNKNOWN
    assert desk.cluster.calls.count("put_signed") == 1
    assert len({transaction for _, transaction in desk.cluster.sent}) == 1


async def test_two_processes_that_sign_one_intent_at_once_store_and_send_one_signature() -> None:
    desk = Desk()
    results = await asyncio.gather(desk.send(checked=False), desk.send(checked=False))
    assert [result.outcome for result in results] == [Outcome.LANDED, Outcome.LANDED]
    assert desk.cluster.calls.count("simulate") == 2
    assert results[0].signatures == results[1].signatures
    assert len({transaction for _, transaction in desk.cluster.sent}) == 1
    assert len(desk.cluster.effects) == 1


@pytest.mark.parametrize("commitment", ["processed", "final"])
async def test_an_outcome_is_not_decided_at_a_commitment_that_settles_nothing(commitment: str) -> None:
    desk = Desk()
    with pytest.raises(InputError, match="confirmed or finalized"):
        await desk.send(commitment=commitment)
    assert await desk.states() == []
