"""Token accounts that get in the way: guarded, frozen, wanting a memo, short; and what nobody may do with a mint."""

from __future__ import annotations

import pytest
from cases import CASES
from chain_in_process import Chain, key
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import TOKEN_2022_PROGRAM
from world import (
    DAY,
    ONE,
    Movement,
    World,
)  # fmt: skip

CPI_GUARD, MEMO_TRANSFER = 11, 8
"""Extension types of Token-2022 accounts, each one byte that says whether it is on."""
FROZEN_OFFSET = 108


def with_extension(chain: Chain, address: Pubkey, kind: int) -> None:
    """Switch an account extension on, as its owner could with Reallocate and the extension's own instruction."""
    account = chain.find(address)
    assert account is not None
    entry = kind.to_bytes(2, "little") + (1).to_bytes(2, "little") + b"\1"
    chain.write(address, Account(account.lamports + 10**7, account.data + entry, account.owner, False, 0))


def freeze(chain: Chain, address: Pubkey) -> None:
    """As the freeze authority would."""
    account = chain.find(address)
    assert account is not None
    data = bytearray(account.data)
    data[FROZEN_OFFSET] = 2
    chain.write(address, Account(account.lamports, bytes(data), account.owner, False, 0))


def test_a_holder_with_a_cpi_guard_redeems_and_gets_its_tokens_back() -> None:
    world = World.fresh()
    chain, acme, tokens = world.chain, world.acme, world.acme.tokens(world.alice)
    with_extension(chain, tokens, CPI_GUARD)
    balance = chain.balance(tokens)
    order = acme.do_request(world.alice, "guarded", 5 * ONE)
    chain.send(acme.cancel_redemption(order, by_holder=True))
    assert chain.balance(tokens) == balance


def test_a_return_to_an_account_that_wants_a_memo_is_refused_and_another_account_of_the_holder_takes_it() -> None:
    world = World.fresh()
    chain, acme, tokens = world.chain, world.acme, world.acme.tokens(world.alice)
    other = key("alice's second account")
    account = chain.find(tokens)
    assert account is not None
    chain.write(other, account)
    with_extension(chain, tokens, MEMO_TRANSFER)
    chain.warp(DAY + 1)
    chain.refuse("token:36", acme.withdraw_redemption(world.order("requested")))
    chain.send(acme.withdraw_redemption(world.order("requested"), destination=other))
    assert chain.balance(other) == account_amount(account) + 10 * ONE


def account_amount(account: Account) -> int:
    """Raw units in a token account's bytes."""
    return int.from_bytes(account.data[64:72], "little")


def test_a_mint_to_an_account_that_wants_a_memo_succeeds() -> None:
    world = World.fresh()
    with_extension(world.chain, world.acme.tokens(world.alice), MEMO_TRANSFER)
    assert world.chain.send(CASES["settle_subscription"](world)).events


@pytest.mark.parametrize(
    "case", ["settle_subscription", "request_redemption", "cancel_redemption", "withdraw_redemption"]
)
def test_a_frozen_holder_waits_and_nothing_is_lost(case: str) -> None:
    world = World.fresh()
    call = CASES[case](world)
    freeze(world.chain, world.acme.tokens(world.alice))
    world.chain.refuse("token:17", call)


def test_frozen_inventory_corrects_nothing() -> None:
    world = World.fresh()
    freeze(world.chain, world.acme.tokens(world.bob))
    world.chain.refuse("token:17", CASES["correct_fill"](world))


def test_no_account_of_165_bytes_comes_to_be_for_a_pausable_mint() -> None:
    world = World.fresh()
    address, size = key("short account"), 165
    lamports = world.chain.svm.minimum_balance_for_rent_exemption(size)
    world.chain.write(address, Account(lamports, bytes(size), TOKEN_2022_PROGRAM, False, 0))
    initialize = Instruction(
        TOKEN_2022_PROGRAM,
        b"\x12" + bytes(world.alice),
        [AccountMeta(address, is_signer=False, is_writable=True), AccountMeta(world.acme.mint, False, False)],
    )
    world.chain.refuse("token:InvalidAccountData", initialize)


def test_a_holder_cannot_burn_past_the_program() -> None:
    world = World.fresh()
    tokens = world.acme.tokens(world.alice)
    burn = Instruction(
        TOKEN_2022_PROGRAM,
        b"\x08" + ONE.to_bytes(8, "little"),
        [
            AccountMeta(tokens, is_signer=False, is_writable=True),
            AccountMeta(world.acme.mint, is_signer=False, is_writable=True),
            AccountMeta(world.alice, is_signer=True, is_writable=False),
        ],
    )
    world.chain.refuse("token:12", burn)


def test_a_mint_cannot_be_closed_by_anyone() -> None:
    world = World.fresh()
    for authority in (world.alpha.admin, world.acme.address):
        close = Instruction(
            TOKEN_2022_PROGRAM,
            b"\x09",
            [
                AccountMeta(world.acme.mint, is_signer=False, is_writable=True),
                AccountMeta(world.stranger, is_signer=False, is_writable=True),
                AccountMeta(authority, is_signer=True, is_writable=False),
            ],
        )
        world.chain.refuse("token:InvalidAccountData", close)


def test_dust_in_the_escrow_changes_no_count_and_stops_nothing() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    escrowed = acme.state.escrowed
    chain.send(acme.transfer(acme.tokens(world.bob), world.bob, acme.escrow, 3))
    assert chain.balance(acme.escrow) == escrowed + 3
    chain.send(acme.cancel_redemption(world.order("requested")))
    chain.send(CASES["settle_redemption"](world))
    assert chain.balance(acme.escrow) == acme.state.escrowed + 3


def test_no_token_is_minted_to_the_escrow_even_where_compliance_approves_the_security_itself() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    chain.send(alpha.approve_holder(acme.address))
    operator, role = alpha.key(RoleKind.OPERATOR), alpha.role(RoleKind.OPERATOR)
    chain.send(acme.open_subscription(acme.address, "own", ONE, authority=operator, role=role))
    order = acme.order(acme.address, "own")
    chain.refuse("WrongTokenAccount", acme.settle_subscription(order, Movement("own", ONE)))
