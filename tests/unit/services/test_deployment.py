"""Deploying in resumable steps, and proving what a cluster runs, with a small program of the runtime's own."""

from __future__ import annotations

import hashlib

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.outbox import MemoryOutbox
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import KeypairSigner, TransactionSigner
from tallystick.adapters.clock import SystemClock
from tallystick.errors import LedgerError, Refused, TransactionError
from tallystick.program import PROGRAM_ID
from tallystick.program.addresses import UPGRADEABLE_LOADER, program_data_address
from tallystick.program.loader import (
    PROGRAM_DATA_HEADER,
    PROGRAM_SIZE,
    development_program_key,
    is_program,
    read_buffer,
    read_program_data,
)
from tallystick.services.deployment import (
    CHUNK,
    MAINNET_GENESIS,
    Deployment,
    plan_deployment,
    read_program_state,
    write_chunks,
)
from tallystick.services.plans import execute

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


class Site:
    """A cluster, one key that pays and may upgrade, and a program to deploy."""

    def __init__(self) -> None:
        self.chain = MemoryChain()
        self.owner = KeypairSigner(Keypair())
        self.program = KeypairSigner(Keypair())
        self.chain.ledger.airdrop(self.owner.pubkey, 100 * 10**9)
        memo = self.chain.ledger.account(MEMO)
        assert memo is not None
        self.binary = memo.data if memo.data[:4] == b"\x7fELF" else self._deployed()
        self.sender = Sender(self.chain, MemoryOutbox(), SystemClock())

    def _deployed(self) -> bytes:
        data = self.chain.ledger.account(program_data_address(MEMO))
        assert data is not None
        return read_program_data(data.data).content

    @property
    def signers(self) -> dict[Pubkey, TransactionSigner]:
        return {each.pubkey: each for each in (self.owner, self.program)}

    async def plan(self, binary: bytes | None = None, authority: Pubkey | None = None) -> Deployment:
        owner = self.owner.pubkey
        return await plan_deployment(
            self.chain,
            payer=owner,
            authority=authority or owner,
            program=self.program.pubkey,
            binary=self.binary if binary is None else binary,
        )

    async def carry_out(self, deployment: Deployment) -> None:
        for result in await execute(deployment.prepare, self.sender, self.signers):
            result.require_done()
        await write_chunks(self.chain, self.sender, deployment, self.signers, self.owner.pubkey)
        for result in await execute(deployment.finish, self.sender, self.signers):
            result.require_done()


@pytest.fixture
def site() -> Site:
    return Site()


async def test_a_deployed_program_is_the_packaged_one_byte_for_byte(site: Site) -> None:
    assert not (await read_program_state(site.chain, site.program.pubkey, site.binary)).is_packaged
    await site.carry_out(await site.plan())
    state = await read_program_state(site.chain, site.program.pubkey, site.binary)
    assert state.is_packaged
    assert state.deployed_hash == hashlib.sha256(site.binary).digest()
    assert state.upgrade_authority == site.owner.pubkey


async def test_a_separate_payer_fits_into_every_transaction(site: Site) -> None:
    payer = KeypairSigner(Keypair())
    site.chain.ledger.airdrop(payer.pubkey, 100 * 10**9)
    deployment = await plan_deployment(
        site.chain, payer=payer.pubkey, authority=site.owner.pubkey, program=site.program.pubkey, binary=site.binary
    )
    signers = site.signers | {payer.pubkey: payer}
    for result in await execute(deployment.prepare, site.sender, signers):
        result.require_done()
    await write_chunks(site.chain, site.sender, deployment, signers, payer.pubkey)
    for result in await execute(deployment.finish, site.sender, signers):
        result.require_done()
    assert (await read_program_state(site.chain, site.program.pubkey, site.binary)).is_packaged


async def test_what_stops_one_write_stops_the_deployment_with_its_own_words(site: Site) -> None:
    with pytest.raises(TransactionError):
        await write_chunks(site.chain, site.sender, await site.plan(), site.signers, site.owner.pubkey)


async def test_deploying_again_signs_nothing(site: Site) -> None:
    await site.carry_out(await site.plan())
    again = await site.plan()
    assert again.is_empty
    assert (again.prepare.actions, again.chunks, again.finish.actions) == ((), (), ())


async def test_a_deployment_that_was_cut_off_writes_only_what_is_missing(site: Site) -> None:
    first = await site.plan()
    for result in await execute(first.prepare, site.sender, site.signers):
        result.require_done()
    half = Deployment(
        first.prepare,
        first.chunks[: len(first.chunks) // 2],
        first.finish,
        first.buffer,
        first.authority,
        first.lamports,
    )
    await write_chunks(site.chain, site.sender, half, site.signers, site.owner.pubkey)
    second = await site.plan()
    assert second.prepare.is_empty
    assert second.buffer == first.buffer
    assert set(second.chunks) == set(first.chunks[len(first.chunks) // 2 :])
    await site.carry_out(second)
    assert (await read_program_state(site.chain, site.program.pubkey, site.binary)).is_packaged


async def test_progress_counts_down_to_nothing(site: Site) -> None:
    deployment = await site.plan()
    for result in await execute(deployment.prepare, site.sender, site.signers):
        result.require_done()
    seen: list[int] = []
    await write_chunks(site.chain, site.sender, deployment, site.signers, site.owner.pubkey, seen.append)
    assert seen == list(range(len(deployment.chunks) - 1, -1, -1))
    assert max(len(content) for _, content in deployment.chunks) == CHUNK


async def test_other_bytes_at_the_address_are_seen(site: Site) -> None:
    await site.carry_out(await site.plan())
    state = await read_program_state(site.chain, site.program.pubkey, site.binary[:-1] + b"\x01")
    assert not state.is_packaged


async def test_room_behind_the_program_is_not_part_of_it(site: Site) -> None:
    site.chain.ledger.add_program(site.program.pubkey, site.binary + bytes(64), site.owner.pubkey)
    assert (await read_program_state(site.chain, site.program.pubkey, site.binary)).is_packaged


async def test_on_mainnet_nothing_is_planned(site: Site) -> None:
    site.chain.ledger.genesis_hash = Hash.from_string(MAINNET_GENESIS)
    with pytest.raises(Refused, match="mainnet"):
        await site.plan()


async def test_a_program_that_another_key_may_upgrade_is_left_alone(site: Site) -> None:
    other = Keypair().pubkey()
    site.chain.ledger.add_program(site.program.pubkey, site.binary, other)
    with pytest.raises(Refused, match=str(other)):
        await site.plan(site.binary[:-1] + b"\x01")


async def test_a_program_that_nobody_may_upgrade_is_left_alone(site: Site) -> None:
    site.chain.ledger.add_program(site.program.pubkey, site.binary)
    with pytest.raises(Refused, match="nobody"):
        await site.plan(site.binary[:-1] + b"\x01")


async def test_a_program_without_room_for_the_new_one_is_refused_beforehand(site: Site) -> None:
    site.chain.ledger.add_program(site.program.pubkey, site.binary, site.owner.pubkey)
    with pytest.raises(Refused, match="room"):
        await site.plan(site.binary + b"\x01")


async def test_an_address_that_is_no_program_is_told(site: Site) -> None:
    address = site.program.pubkey
    held = await site.chain.get_account(site.owner.pubkey)
    assert held is not None
    site.chain.ledger.set_account(address, held)
    site.chain.ledger.set_account(program_data_address(address), held)
    with pytest.raises(LedgerError, match="no program"):
        await read_program_state(site.chain, address, site.binary)


async def test_a_buffer_of_another_authority_is_refused(site: Site) -> None:
    for result in await execute((await site.plan()).prepare, site.sender, site.signers):
        result.require_done()
    with pytest.raises(Refused, match="may be written by"):
        await site.plan(authority=Keypair().pubkey())


def test_the_development_key_is_the_key_of_the_program_id() -> None:
    assert development_program_key().pubkey() == PROGRAM_ID


def test_bytes_that_are_no_loader_account_do_not_decode() -> None:
    with pytest.raises(LedgerError):
        read_buffer(bytes(100))
    with pytest.raises(LedgerError):
        read_program_data(bytes(PROGRAM_DATA_HEADER))
    assert not is_program(bytes(PROGRAM_SIZE), PROGRAM_ID)
    assert UPGRADEABLE_LOADER != PROGRAM_ID
