"""Whatever the cluster, the process, the store and the holders do: everybody is paid the committed amount once.

Without anything set the same schedules run every time. TALLY_SOAK_SCHEDULES=<number> runs so many, from the seed
TALLY_SEED, or from one that is chosen and printed (`make soak`). A failure prints its seed and the smallest schedule
found that shows it; TALLY_SEED=<seed> TALLY_SOAK_SCHEDULES=1 runs that seed alone.
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import replace

from payout_pushers import push_by_transfers, push_by_us, says_what_the_chain_says
from payout_schedules import FAULTS, Schedule, schedule
from payout_store_faults import DEADLY
from payout_trials import Counts, run_schedule, smallest

SCHEDULES = 600
SQL_SCHEDULES = 8
CARELESS_SCHEDULES = 60
SOAK = int(os.environ.get("TALLY_SOAK_SCHEDULES", "0"))
SEED = int(os.environ.get("TALLY_SEED", "0"))


def _check(plan: Schedule, counts: Counts) -> None:
    wrong = run_schedule(plan, push_by_us, counts, says_what_the_chain_says)
    if wrong is None:
        return

    def is_wrong(smaller: Schedule) -> bool:
        return run_schedule(smaller, push_by_us, Counts(), says_what_the_chain_says) is not None

    shortest = smallest(plan, is_wrong)
    found = run_schedule(shortest, push_by_us, Counts(), says_what_the_chain_says) or wrong
    raise AssertionError(
        f"TALLY_SEED={plan.seed} TALLY_SOAK_SCHEDULES=1: {wrong}\n"
        f"the smallest found: {found}\n{shortest.describe()}\n" + "\n".join(getattr(found, "__notes__", ()))
    ) from found


def test_no_schedule_of_faults_pays_anybody_twice_or_leaves_anybody_out() -> None:
    counts = Counts()
    number, first = (SOAK, SEED or secrets.randbits(32)) if SOAK else (SCHEDULES, 1)
    started = time.monotonic()
    if SOAK:
        print(f"\nTALLY_SEED={first}", flush=True)
    for place in range(number):
        if SOAK and place and place % 1_000 == 0:
            print(f"{place:,} schedules, {time.monotonic() - started:,.0f} s", flush=True)
        _check(schedule(first + place), counts)
    print(f"{counts}\nin {time.monotonic() - started:,.0f} s from TALLY_SEED={first}")
    if number >= SCHEDULES:
        missing = set(FAULTS) - set(counts.faults)
        assert not missing, f"never happened: {missing}"
        assert {each.split()[0] for each in counts.deaths} == {"before", "after"}
        assert {each.split()[1] for each in counts.deaths} >= {"send", "reserve_rent"}
        assert {each.split()[1] for each in counts.deaths} <= DEADLY
        assert min(counts.rollbacks, counts.together, counts.stops, counts.undone, counts.paid, counts.skipped) > 0


def test_the_same_holds_with_the_store_on_disk() -> None:
    counts = Counts()
    for seed in range(10_001, 10_001 + SQL_SCHEDULES):
        _check(replace(schedule(seed), is_sql=True), counts)
    assert counts.deaths.total() > 0
    assert counts.rollbacks > 0
    assert counts.paid > 0


def test_a_pusher_that_sends_again_when_it_hears_nothing_is_caught_paying_twice() -> None:
    """Plain transfers, and another one on a timeout: what others shipped. Else the checks would prove little."""
    seeds, counts = range(1, CARELESS_SCHEDULES + 1), Counts()
    found = [run_schedule(schedule(seed), push_by_transfers, counts, is_guarded=False) for seed in seeds]
    caught = [wrong for wrong in found if wrong is not None]
    assert all("more than committed" in str(wrong) for wrong in caught)
    assert len(caught) >= CARELESS_SCHEDULES // 10
