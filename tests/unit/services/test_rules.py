"""The rules in words draw the line exactly where the built program does: what fits is executed, a unit more is not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from desk import DAY, SHARE, Desk, movement
from solders.pubkey import Pubkey
from tallystick.adapters.chain.failures import transaction_error
from tallystick.adapters.chain.protocol import Account
from tallystick.adapters.chain.transactions import MAX_COMPUTE_UNITS, build_transaction
from tallystick.domain.amounts import MULTIPLIER_ONE, raw_from_shares
from tallystick.errors import Refused
from tallystick.program import PROGRAM_ID, program_error
from tallystick.program.addresses import fill_address, holder_address, limit_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Limit, Security
from tallystick.program.generated.types import RoleKind, SettleSubscriptionParams
from tallystick.program.layout import AccountLayout
from tallystick.program.token import associated_token_address
from tallystick.services.chain_reads import require
from tallystick.services.rules import mint_left, mint_room, require_limit, require_mint_room

FITS = None
RESERVE_EXCEEDED, SUPPLY_CAP_EXCEEDED, LIMIT_EXCEEDED, LIMIT_NOT_IN_FORCE = (
    "ReserveExceeded",
    "SupplyCapExceeded",
    "LimitExceeded",
    "LimitNotInForce",
)
BIG = 10**6 * SHARE


def overwrite(desk: Desk, address: Pubkey, value: AccountLayout) -> None:
    """Put another state in an account's place, as if it had come about."""
    before = desk.chain.ledger.account(address)
    assert before is not None
    data = value.encode().ljust(len(before.data), b"\0")
    desk.chain.ledger.set_account(address, Account(before.owner, before.lamports, data))


async def simulated(desk: Desk, order: Pubkey, shares: int) -> str | None:
    """The name of the error with which the program refuses to settle `shares`, None when it settles them."""
    block = movement("PROBE", BIG)
    place = block.address(desk.security)
    instruction = instructions.settle_subscription(
        payer=desk["payer"],
        operator=desk["operator"],
        role=role_address(desk.issuer, RoleKind.OPERATOR, desk["operator"]),
        security=desk.security,
        limit=limit_address(desk.security, desk["operator"]),
        holder=holder_address(desk.issuer, desk["alice"]),
        order=order,
        movement=place,
        fill=fill_address(place, order),
        mint=desk.mint,
        recipient=associated_token_address(desk["alice"], desk.mint),
        params=SettleSubscriptionParams(movement=block.params, shares=shares),
    )
    blockhash = await desk.chain.get_latest_blockhash()
    transaction = build_transaction(
        [instruction],
        desk["payer"],
        blockhash.blockhash,
        compute_unit_limit=MAX_COMPUTE_UNITS,
        loaded_accounts_data_size_limit=None,
    )
    simulation = await desk.chain.simulate(bytes(transaction))
    if simulation.error is None:
        return None
    error = transaction_error(
        simulation.error,
        simulation.logs,
        None,
        message=transaction.message,
        program_errors={PROGRAM_ID: program_error},
    )
    return type(error).__name__


@pytest.fixture
async def probing(ready: Desk) -> tuple[Desk, Pubkey]:
    """Alice has ten tokens, and an order for a million."""
    await ready.give("alice", 10 * SHARE, "first")
    return ready, await ready.subscribe("alice", BIG, "probe")


@pytest.mark.parametrize("seed", range(20))
async def test_the_room_to_mint_is_what_the_program_mints(probing: tuple[Desk, Pubkey], seed: int) -> None:
    desk, order = probing
    chance = random.Random(seed)
    account = await require(desk.chain, Security, desk.security)
    reserve = chance.randrange(10 * SHARE, 10**4 * SHARE)
    changed = replace(
        account,
        multiplier=chance.choice(
            [
                MULTIPLIER_ONE,
                2 * MULTIPLIER_ONE,
                MULTIPLIER_ONE // 3,
                chance.randrange(10**17, 5 * 10**18),
            ]
        ),
        reserve=reserve,
        redeemed=(redeemed := chance.randrange(SHARE)),
        reserve_redeemed=chance.randrange(redeemed + 1),
        policy=replace(
            account.policy,
            margin=chance.choice([0, 1, chance.randrange(5_001)]),
            supply_cap=chance.choice([10**15, chance.randrange(11 * SHARE, 10**4 * SHARE)]),
        ),
    )
    overwrite(desk, desk.security, changed)
    room = mint_room(changed, desk.supply, desk.now)
    for raw in {1, room // 2, room, room + 1, room + chance.randrange(1, SHARE)} - {0}:
        # The fewest shares that pay for exactly `raw`; a multiplier above one makes some amounts unreachable.
        shares = -(-raw * changed.multiplier // MULTIPLIER_ONE)
        raw = raw_from_shares(shares, changed.multiplier)
        outcome = await simulated(desk, order, shares)
        assert outcome == FITS if raw <= room else outcome in (RESERVE_EXCEEDED, SUPPLY_CAP_EXCEEDED)
        if outcome is FITS:
            require_mint_room(changed, desk.supply, raw, desk.now)
        else:
            with pytest.raises(Refused):
                require_mint_room(changed, desk.supply, raw, desk.now)


@pytest.mark.parametrize("seed", range(20))
async def test_what_is_left_of_a_limit_is_what_the_program_lets_through(
    probing: tuple[Desk, Pubkey], seed: int
) -> None:
    desk, order = probing
    chance = random.Random(seed)
    address = limit_address(desk.security, desk["operator"])
    limit = await require(desk.chain, Limit, address)
    cap, used = chance.randrange(1, 500 * SHARE), chance.randrange(600 * SHARE)
    is_pending = chance.random() < 0.5
    changed = replace(
        limit,
        mint_cap=cap,
        burn_cap=cap,
        window=chance.randrange(1, DAY),
        mint_used=used,
        mint_used_at=desk.now - chance.randrange(DAY),
        pending_mint_cap=chance.randrange(1, 500 * SHARE) if is_pending else 0,
        pending_burn_cap=int(is_pending),
        pending_window=chance.randrange(1, DAY) if is_pending else 0,
        pending_from=desk.now + chance.randrange(-DAY, 100) if is_pending else 0,
    )
    if chance.random() < 0.1:
        changed = replace(changed, mint_cap=0, burn_cap=0, window=0)
    overwrite(desk, address, changed)
    left = mint_left(changed, desk.now)
    for raw in {1, left, left + 1, left + chance.randrange(1, SHARE)} - {0}:
        outcome = await simulated(desk, order, raw)
        assert outcome == FITS if raw <= left else outcome in (LIMIT_EXCEEDED, LIMIT_NOT_IN_FORCE)
        if outcome is not FITS:
            with pytest.raises(Refused, match="limit"):
                require_limit(changed, raw, desk.now, 6, mint=True)
        else:
            require_limit(changed, raw, desk.now, 6, mint=True)
