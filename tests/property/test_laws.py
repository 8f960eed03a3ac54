"""The eight laws against the built program: no sequence of steps, by anyone, breaks one.

Without anything set the same steps run every time. TALLY_SOAK=<steps> runs at least that many, from the seed
TALLY_SEED, or from one that is chosen and printed (`make soak`). A failure prints the shortest program of steps that
shows it.
"""

from __future__ import annotations

import os
import secrets
import time

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from laws_acting import accepted, refused
from laws_machine import Laws, steps

STEPS = 50
EXAMPLES = 200
SOAK = int(os.environ.get("TALLY_SOAK", "0"))
SEED = int(os.environ.get("TALLY_SEED", "0"))
EXPECTED = {
    "AccountFrozen", "ActionAnnounced", "ActionApproved", "ActionCancelled", "ActionExecuted", "AdminProposed",
    "AttestationApproved", "BatchPaid", "ChangeVetoed", "DayClosed", "DistributionApproved", "DistributionFunded",
    "DistributionOpened", "FillCorrected", "HoldPlaced", "HolderApproved", "HolderSuspended", "HoldingSeized",
    "LimitSet", "MetadataAnnounced", "PolicyUpdated", "RedemptionAccepted", "RedemptionRequested",
    "RedemptionSettled", "ReportPublished", "ReserveAttested", "RoleGranted", "RoleRevoked",
    "SeizureAccountNamed", "SeizureProposed", "SubscriptionCancelled", "SubscriptionOpened", "SubscriptionSettled",
}  # fmt: skip
"""What has to happen in a session, or the laws were not tried."""
RARE = {
    "AccountThawed", "AdminAccepted", "DayDrawn", "DistributionClosed", "DrawRequested", "EntitlementPaid",
    "HoldReleased", "HoldingReissued", "MetadataUpdated", "RedemptionReturned", "SecurityRetired",
}  # fmt: skip
"""What has to happen in a soak."""


def _run(examples: int, chosen: int | None) -> None:
    run_state_machine_as_test(
        Laws if chosen is None else seed(chosen)(type("Laws", (Laws,), {})),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=chosen is None,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_sequence_of_steps_breaks_a_law() -> None:
    if SOAK:
        _soak()
    else:
        _run(EXAMPLES, None)
    missing = (EXPECTED | RARE if SOAK >= 50_000 else EXPECTED) - set(accepted)
    assert not missing, f"never happened: {missing}"


def _soak() -> None:
    first, started = SEED or secrets.randbits(32), time.monotonic()
    print(f"\nTALLY_SEED={first}", flush=True)
    for number in range(SOAK):
        if steps.total() >= SOAK:
            break
        print(f"{steps.total():,} steps, {time.monotonic() - started:,.0f} s; TALLY_SEED={first + number}", flush=True)
        _run(EXAMPLES, first + number)
    print(f"{steps.total():,} steps in {time.monotonic() - started:,.0f} s from TALLY_SEED={first}")
    for name, found in (("events", accepted), ("refusals", refused)):
        print(f"{found.total():,} {name}: " + ", ".join(f"{each} {count:,}" for each, count in found.most_common()))


def test_a_statement_between_a_delivery_and_its_settlement_hides_no_other_redemption() -> None:
    """The shortest program that once broke law 1: what left for one redemption was taken for another's."""
    laws = Laws()
    laws.start(permissioned=False)
    for wallet in (0, 1):
        laws.holder_redeems(wallet=wallet, raw=100, accept=True, pick=0)
    laws.check_laws()
    for unsettled in (True, False):
        laws.statement_comes_between_delivery_and_settlement(pick=0, unsettled=unsettled)
        laws.check_laws()
    laws.operator_settles_redemption(pick=10, raw=100, movement=0, other=False)
    laws.check_laws()
    laws.operator_mints_all_it_can(wallet=0, pick=1, more=0)
    laws.check_laws()
    assert laws.acme.state.redeemed == 100
