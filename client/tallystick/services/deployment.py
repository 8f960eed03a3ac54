"""Deploy the packaged program to a test cluster, and prove that what runs on a cluster is the packaged program.

Deploying is made of many small transactions that only fill a buffer, and one that makes the buffer a program. The
buffer's address follows from the payer and the program's bytes, so a deployment that was cut off carries on where it
stopped: what the buffer holds already is not written again. So the writes need no outbox of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import (
    CreateAccountParams,
    CreateAccountWithSeedParams,
    create_account,
    create_account_with_seed,
)

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import TransactionSigner
from tallystick.errors import ChainError, LedgerError, Refused
from tallystick.program.addresses import UPGRADEABLE_LOADER, program_data_address
from tallystick.program.loader import (
    BUFFER_HEADER,
    PROGRAM_DATA_HEADER,
    PROGRAM_SIZE,
    ProgramData,
    deploy_with_max_data_len,
    initialize_buffer,
    is_program,
    read_buffer,
    read_program_data,
    upgrade,
    write_buffer,
)
from tallystick.services.plans import Plan, new_action

MAINNET_GENESIS: Final = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
CHUNK: Final = 850
"""Bytes of the program in one transaction of version 0: 1,232 bytes with two signatures, limits and addresses."""
_AT_ONCE: Final = 24
_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class ProgramState:
    """What a cluster runs at a program's address, beside the packaged program.

    `deployed_hash` and `packaged_hash` are SHA-256; the deployed bytes are cut to the packaged length when all behind
    them is zero, since the loader keeps room. `deployed_hash` is None when nothing is deployed.
    """

    program: Pubkey
    packaged_hash: bytes
    packaged_size: int
    deployed_hash: bytes | None
    deployed_slot: int | None
    upgrade_authority: Pubkey | None

    @property
    def is_packaged(self) -> bool:
        """True when the cluster runs exactly the packaged program."""
        return self.deployed_hash == self.packaged_hash


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment laid out: `prepare` makes the buffer, `chunks` are (offset, bytes) still to be written, `finish`
    makes the buffer the program. `buffer` is the buffer's address."""

    prepare: Plan
    chunks: tuple[tuple[int, bytes], ...]
    finish: Plan
    buffer: Pubkey
    authority: Pubkey
    lamports: int

    @property
    def is_empty(self) -> bool:
        """True when the cluster runs the program already."""
        return self.finish.is_empty


async def read_program_state(chain: Chain, program: Pubkey, binary: bytes) -> ProgramState:
    """What runs at `program`, compared with `binary`. LedgerError when the address is something else."""
    _, [account, data] = await chain.get_accounts([program, program_data_address(program)])
    packaged = hashlib.sha256(binary).digest()
    if account is None or data is None:
        return ProgramState(program, packaged, len(binary), None, None, None)
    if account.owner != UPGRADEABLE_LOADER or not is_program(account.data, program):
        raise LedgerError(f"{program} is no program of the upgradeable loader on this cluster.")
    found = read_program_data(data.data)
    content = _without_room(found, len(binary))
    return ProgramState(
        program,
        packaged,
        len(binary),
        hashlib.sha256(content).digest(),
        found.slot,
        found.authority,
    )


async def plan_deployment(
    chain: Chain, *, payer: Pubkey, authority: Pubkey, program: Pubkey, binary: bytes
) -> Deployment:
    """Lay out how `binary` gets to `program`: deployed when nothing is there, upgraded when something else is.

    Refused on mainnet (this program's id has a published key), when another key may upgrade, when nobody may, and when
    the program there has no room for this one.
    """
    if str(await chain.get_genesis_hash()) == MAINNET_GENESIS:
        raise Refused(
            "This is mainnet, and the key of this program id is published: anyone could have taken it.",
            hint="Build the program with an id of your own (programs/tallystick/src/lib.rs, declare_id!).",
        )
    state = await read_program_state(chain, program, binary)
    buffer_seed = state.packaged_hash.hex()[:32]
    buffer = Pubkey.create_with_seed(payer, buffer_seed, UPGRADEABLE_LOADER)
    if state.is_packaged:
        note = f"The cluster runs this program already, deployed in slot {state.deployed_slot}."
        empty = Plan("Deploy the program", (), (note,))
        return Deployment(empty, (), empty, buffer, authority, 0)
    if state.deployed_hash is not None:
        await _require_upgradable(chain, state, authority)
    held = await chain.get_account(buffer)
    rent = await chain.get_minimum_balance_for_rent_exemption(BUFFER_HEADER + len(binary))
    prepare = Plan("Make a buffer", ())
    content = b""
    if held is None:
        make = create_account_with_seed(
            CreateAccountWithSeedParams(
                from_pubkey=payer,
                to_pubkey=buffer,
                base=payer,
                seed=buffer_seed,
                lamports=rent,
                space=BUFFER_HEADER + len(binary),
                owner=UPGRADEABLE_LOADER,
            )
        )
        prepare = Plan(
            "Make a buffer",
            (
                new_action(
                    f"buffer:{buffer}:{await chain.get_slot()}",
                    f"Make a buffer of {len(binary):,} bytes",
                    (make, initialize_buffer(buffer, authority)),
                    payer,
                    is_guarded=True,
                ),
            ),
        )
    else:
        owner, content = read_buffer(held.data)
        if owner != authority:
            raise Refused(f"The buffer {buffer} may be written by {owner}, not by {authority}.")
    chunks = tuple(
        (offset, binary[offset : offset + CHUNK])
        for offset in range(0, len(binary), CHUNK)
        if content[offset : offset + CHUNK] != binary[offset : offset + CHUNK]
    )
    finish = await _finish(chain, state, payer, authority, buffer, binary)
    return Deployment(prepare, chunks, finish, buffer, authority, rent)


async def write_chunks(
    chain: Chain,
    sender: Sender,
    deployment: Deployment,
    signers: Mapping[Pubkey, TransactionSigner],
    payer: Pubkey,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Fill the buffer, many transactions at once, and read it back until every byte is there.

    `on_progress` is told how many chunks are still open. ChainError when some do not land in five rounds; running the
    deployment again carries on.
    """
    open_chunks = deployment.chunks
    gate = asyncio.Semaphore(_AT_ONCE)
    left = len(open_chunks)

    async def write(turn: int, offset: int, content: bytes) -> None:
        nonlocal left
        async with gate:
            keys = list(dict.fromkeys((payer, deployment.authority)))
            await sender.send(
                [write_buffer(deployment.buffer, deployment.authority, offset, content)],
                [signers[key] for key in keys],
                intent=f"write:{deployment.buffer}:{offset}:{turn}",
                payer=payer,
            )
            left -= 1
            if on_progress is not None:
                on_progress(left)

    for turn in range(_ROUNDS):
        try:
            async with asyncio.TaskGroup() as group:
                for offset, content in open_chunks:
                    group.create_task(write(turn, offset, content))
        except ExceptionGroup as several:
            # The first says it; the others were cancelled, or would say the same.
            raise several.exceptions[0] from None
        account = await chain.get_account(deployment.buffer)
        if account is None:
            raise ChainError(f"The buffer {deployment.buffer} is gone.", hint="Run the deployment again.")
        _, written = read_buffer(account.data)
        open_chunks = tuple(
            (offset, content) for offset, content in open_chunks if written[offset : offset + len(content)] != content
        )
        left = len(open_chunks)
        if not open_chunks:
            return
    raise ChainError(
        f"{len(open_chunks)} of {len(deployment.chunks)} parts of the program did not land.",
        hint="Run the deployment again; it carries on with what is missing.",
    )


async def _require_upgradable(chain: Chain, state: ProgramState, authority: Pubkey) -> None:
    if state.upgrade_authority is None:
        raise Refused(f"{state.program} is deployed with other bytes, and nobody may upgrade it.")
    if state.upgrade_authority != authority:
        raise Refused(
            f"{state.program} is deployed with other bytes, and {state.upgrade_authority} may upgrade it, not "
            f"{authority}.",
            hint="Name that key's file under [keys] upgrade_authority.",
        )
    data = await chain.get_account(program_data_address(state.program))
    room = len(data.data) - PROGRAM_DATA_HEADER if data else 0
    if room < state.packaged_size:
        raise Refused(
            f"{state.program} has room for {room:,} bytes; this program has {state.packaged_size:,}.",
            hint=f"Make room first: solana program extend {state.program} {state.packaged_size - room}",
        )


async def _finish(
    chain: Chain, state: ProgramState, payer: Pubkey, authority: Pubkey, buffer: Pubkey, binary: bytes
) -> Plan:
    program = state.program

    async def is_done() -> bool:
        return (await read_program_state(chain, program, binary)).is_packaged

    intent = f"deploy:{program}:{state.packaged_hash.hex()[:16]}:{state.deployed_slot or 0}"
    if state.deployed_hash is not None:
        action = new_action(
            intent,
            f"Upgrade {program}",
            upgrade(program, buffer, payer, authority),
            payer,
            (authority, "upgrade authority"),
            is_done=is_done,
            is_guarded=True,
        )
        return Plan("Upgrade the program", (action,))
    rent = await chain.get_minimum_balance_for_rent_exemption(PROGRAM_SIZE)
    make = create_account(
        CreateAccountParams(
            from_pubkey=payer,
            to_pubkey=program,
            lamports=rent,
            space=PROGRAM_SIZE,
            owner=UPGRADEABLE_LOADER,
        )
    )
    deploy: tuple[Instruction, ...] = (make, deploy_with_max_data_len(payer, program, buffer, authority, len(binary)))
    action = new_action(
        intent,
        f"Deploy {program}",
        deploy,
        payer,
        (program, "program"),
        (authority, "upgrade authority"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan("Deploy the program", (action,))


def _without_room(found: ProgramData, size: int) -> bytes:
    content, room = found.content[:size], found.content[size:]
    return content if not room.strip(b"\0") else found.content
