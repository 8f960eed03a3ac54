"""The off-chain pass of a dividend, from the body of an RPC answer to signed transactions: time and memory by parts.

usage: uv run python bench/dividends/off_chain.py [--holders 10000 100000 1000000] [--seed 20261127]

Each size runs in a process of its own, over the code that commands run: the answer streams through the HTTP client, the
store is a SQLite file. Making the answer is not measured. CPU seconds are user and system time of all threads together,
so what one core would need; memory is the peak of the process so far. Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.chain.snapshot import snapshot_holders
from tallystick.adapters.chain.transactions import build_transaction, sign_transaction
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.store import Store, open_store
from tallystick.domain.amounts import MULTIPLIER_ONE, Quantity
from tallystick.domain.distribution_tree import MAX_ENTRIES, DistributionTree
from tallystick.domain.dividends import PayoutBatch, PayoutRecord
from tallystick.domain.entitlements import DividendTerms, compute_entitlements, pack_pages, payout_lines
from tallystick.domain.record_register import RecordRegister
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM
from tallystick.services.dividend_plan import payment_account
from tallystick.services.payment_mints import PaymentMint
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.record_holdings import merge_by_owner
from tallystick.services.record_register import classify

SIZES: Final = (10_000, 100_000, 1_000_000)
SEED: Final = 20_261_127
SLOT: Final = 400_000_000
DECIMALS, PAYMENT_DECIMALS = 6, 6
RATES: Final = {"none": 0, "treaty": 1_500, "statutory": 3_000}
READ_AT_ONCE: Final = 64 * 1024
"""Bytes of the answer's body that arrive together."""


def address(name: str) -> Pubkey:
    """An address that a seed always gives."""
    return Keypair.from_seed(name.encode().ljust(32)).pubkey()


MINT, ISSUER, ESCROW, EVENT = address("mint"), address("inventory"), address("escrow"), b"e" * 32
SECURITY = Pubkey.find_program_address([b"security"], TOKEN_2022_PROGRAM)[0]
PAYMENT, PAYOUT = address("payment mint"), Keypair.from_seed(b"payout key".ljust(32))
DISTRIBUTION = address("distribution")


# The answer -----------------------------------------------------------------------------------------------------------


def make_owner(draw: random.Random, *, has_key: bool) -> bytes:
    """32 bytes on the curve, or off it."""
    while True:
        owner = draw.randbytes(32)
        if Pubkey.from_bytes(owner).is_on_curve() is has_key:
            return owner


def make_row(place: bytes, owner: bytes, raw: int, *, is_frozen: bool, is_extended: bool) -> str:
    """One account as a node writes it: 165 bytes, or 174 with an immutable owner and the mark of a pausable mint."""
    data = bytes(MINT) + owner + raw.to_bytes(8, "little") + bytes(36) + bytes([2 if is_frozen else 1]) + bytes(56)
    if is_extended:
        data += b"\2" + b"".join(kind.to_bytes(2, "little") + bytes(2) for kind in (7, 27))
    text = base64.b64encode(data).decode()
    return (
        f'{{"account":{{"data":["{text}","base64"],"executable":false,"lamports":2108880,"owner":"{TOKEN_2022_PROGRAM}"'
        f',"rentEpoch":18446744073709551615,"space":{len(data)}}},"pubkey":"{Pubkey.from_bytes(place)}"}}'
    )


def make_answer(folder: Path, holders: int, seed: int) -> None:
    """Write body.json (the list alone) and about.json: 2 % of owners off the curve, 1 % frozen, 3 % with two accounts,
    5 % of accounts of 165 bytes, one owner in a thousand with a redemption, one in ten with a tax class of its own."""
    draw = random.Random(seed)  # noqa: S311 - not for keys
    redeeming: dict[str, int] = {}
    classes: dict[str, str] = {}
    supply = 0
    with (folder / "body.json").open("w", encoding="ascii") as body:
        separator = "["

        def put(place: bytes, owner: bytes, raw: int, *, is_frozen: bool = False) -> None:
            nonlocal separator, supply
            is_extended = draw.random() < 0.95
            body.write(separator + make_row(place, owner, raw, is_frozen=is_frozen, is_extended=is_extended))
            separator, supply = ",", supply + raw

        for number in range(holders):
            owner = make_owner(draw, has_key=draw.random() >= 0.02)
            is_frozen = draw.random() < 0.01
            for _ in range(2 if draw.random() < 0.03 else 1):
                put(draw.randbytes(32), owner, int(draw.paretovariate(1.2) * 10**DECIMALS), is_frozen=is_frozen)
            if number % 1_000 == 0:
                redeeming[owner.hex()] = draw.randrange(1, 10**DECIMALS)
            if number % 10 == 0:
                classes[owner.hex()] = draw.choice(sorted(RATES))
        put(bytes(address("own account")), bytes(ISSUER), 1_000 * 10**DECIMALS)
        put(bytes(ESCROW), bytes(SECURITY), sum(redeeming.values()))
        body.write("]")
    about = {"supply": supply, "redeeming": redeeming, "classes": classes}
    (folder / "about.json").write_text(json.dumps(about), encoding="ascii")


class Body(httpx.AsyncByteStream):
    """An answer as it arrives."""

    def __init__(self, head: bytes, path: Path, tail: bytes) -> None:
        self._head, self._path, self._tail = head, path, tail

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._head
        with self._path.open("rb") as body:
            while part := body.read(READ_AT_ONCE):
                yield part
        yield self._tail


def node(folder: Path, supply: int) -> httpx.MockTransport:
    """A node that answers from the files: the mint, its accounts, and nothing at any other address."""
    mint = bytes(4 + 32) + supply.to_bytes(8, "little") + bytes([DECIMALS, 1]) + bytes(4 + 32)
    account = {
        "data": [base64.b64encode(mint).decode(), "base64"],
        "executable": False,
        "lamports": 1,
        "owner": str(TOKEN_2022_PROGRAM),
        "rentEpoch": 0,
    }

    async def answer(request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        head = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] == "getGenesisHash":
            return httpx.Response(200, json=head | {"result": str(Hash.default())})
        context = {"slot": SLOT, "apiVersion": "4.4.0"}
        if call["method"] == "getMultipleAccounts":
            found = [account if each == str(MINT) else None for each in call["params"][0]]
            return httpx.Response(200, json=head | {"result": {"context": context, "value": found}})
        opening = f'{{"jsonrpc":"2.0","id":{call["id"]},"result":{{"context":{json.dumps(context)},"value":'
        return httpx.Response(200, stream=Body(opening.encode(), folder / "body.json", b"}}"))

    return httpx.MockTransport(answer)


# What is measured -----------------------------------------------------------------------------------------------------


@dataclass
class Parts:
    """CPU seconds and the peak of memory (bytes) after each part."""

    found: list[tuple[str, float, int]] = field(default_factory=list)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        began = time.process_time()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.found.append((name, time.process_time() - began, peak))


async def run_parts(folder: Path) -> Parts:
    """The pass over one answer."""
    about: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="ascii"))
    escrowed = {bytes.fromhex(owner): raw for owner, raw in about["redeeming"].items()}
    tax_classes = {bytes.fromhex(owner): name for owner, name in about["classes"].items()}
    parts = Parts()
    with parts.part("start"):
        store = await open_store(f"sqlite:///{folder / 'books.db'}")
    async with store:
        await take(folder, about["supply"], escrowed, store, parts)
        lines = await plan(tax_classes, store, parts)
        await sign(store, parts)
    assert lines
    return parts


async def take(folder: Path, supply: int, escrowed: dict[bytes, int], store: Store, parts: Parts) -> None:
    """What tally dividend record does after it has waited."""
    clock = SystemClock()
    async with RpcChain(["http://node.example"], clock, transport=node(folder, supply)) as chain:
        with parts.part("read the answer and parse it"):
            holders = await snapshot_holders(chain, MINT, clock)
        with parts.part("merge by owner"):
            holdings = merge_by_owner(holders)
        del holders
        with parts.part("hash the holdings"):
            root = holdings.root
        with parts.part("classify"):
            positions = await classify(chain, holdings, escrowed, bytes(SECURITY), [ISSUER])
    register = RecordRegister(
        security=bytes(SECURITY),
        event_hash=EVENT,
        mint=bytes(MINT),
        slot=SLOT,
        block_time=1,
        record_at=1,
        supply=holdings.supply,
        decimals=DECIMALS,
        multiplier=1_002_300_000_000_000_017,
        multiplier_bits=0,
        root=root,
        witnesses=1,
        positions=positions,
    )
    del holdings
    with parts.part("store the register"):
        await store.registers.add(register)


async def plan(tax_classes: dict[bytes, str], store: Store, parts: Parts) -> int:
    """What tally dividend plan does; the number of lines."""
    with parts.part("read the register, checked"):
        register = await store.registers.find(bytes(SECURITY), EVENT)
    assert register is not None
    shares = register.total * register.multiplier // (MULTIPLIER_ONE * 10**DECIMALS) + 1_000
    gross = 37 * shares  # 0.37 a share
    tax = gross * 15 // 100
    terms = DividendTerms(
        eligible=Quantity(shares),
        gross=Quantity(gross, 2),
        tax=Quantity(tax, 2),
        net=Quantity(gross - tax, 2),
        payment_decimals=PAYMENT_DECIMALS,
        rates=RATES,
        default_class="none",
        fee=25,
        minimum=100_000,
    )
    with parts.part("entitlements"):
        owed = compute_entitlements(register, terms, tax_classes=tax_classes, carried={}, already={})
    payment = PaymentMint(PAYMENT, SPL_TOKEN_PROGRAM, PAYMENT_DECIMALS)
    with parts.part("recipients' accounts"):
        lines = payout_lines(owed.entitlements, payment_account(payment))
    with parts.part("tree"):
        tree = DistributionTree(bytes(DISTRIBUTION), [line.entry for line in lines])
    record = PayoutRecord(
        address=bytes(DISTRIBUTION),
        security=bytes(SECURITY),
        action=bytes(32),
        number=0,
        payment_mint=bytes(PAYMENT),
        token_program=bytes(SPL_TOKEN_PROGRAM),
        payment_decimals=PAYMENT_DECIMALS,
        payout_key=bytes(PAYOUT.pubkey()),
        refund=bytes(32),
        root=tree.root,
        batches=len(tree.batches),
        entries=tree.entries,
        total=tree.total,
        expires_at=0,
        document=b"{}",
        created_at=0,
    )
    del tree
    batches = (
        PayoutBatch(number, tuple(lines[start : start + MAX_ENTRIES]))
        for number, start in enumerate(range(0, len(lines), MAX_ENTRIES))
    )
    with parts.part("store list and entitlements"):
        await store.payouts.add(record, batches, pack_pages(owed.entitlements, sorted(RATES)), owed.carry_changes({}))
    return len(lines)


async def sign(store: Store, parts: Parts) -> None:
    """What tally dividend push does before it sends: the list read back and hashed again, every transaction signed."""
    signer, blockhash = KeypairSigner(PAYOUT), Hash.default()
    with parts.part("read the list back, hashed"):
        calls = await PayoutCalls.load(store.payouts, DISTRIBUTION, signer.pubkey)
    with parts.part("build and sign"):
        for number in range(calls.record.batches):
            batch = await calls.batch(number)
            transaction = build_transaction(
                [calls.pay(batch, calls.target(number, 0))],
                signer.pubkey,
                blockhash,
                version=1,
                compute_unit_limit=200_000,
                loaded_accounts_data_size_limit=4 * 2**20,
            )
            await sign_transaction(transaction, [signer])


# The table ------------------------------------------------------------------------------------------------------------


def measure(holders: int, seed: int) -> list[tuple[str, float, int]]:
    """One size in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_answer(folder, holders, seed)
        size = (folder / "body.json").stat().st_size
        done = subprocess.run(  # noqa: S603 - this very file
            [sys.executable, __file__, "--child", name], check=True, capture_output=True, text=True
        )
    found: list[tuple[str, float, int]] = [(part, cpu, peak) for part, cpu, peak in json.loads(done.stdout)]
    print(f"{holders:,} holders: body of {size / 1e6:,.0f} MB measured", file=sys.stderr)
    return found


def table(measured: dict[int, Sequence[tuple[str, float, int]]]) -> str:
    """CPU seconds by part and size, their sum, and the peak of memory."""
    sizes = list(measured)
    rows = [["part", *(f"{size:,} holders" for size in sizes)], ["---", *("---:" for _ in sizes)]]
    for index, (name, _, _) in enumerate(measured[sizes[0]]):
        rows.append([name, *(f"{measured[size][index][1]:.2f} s" for size in sizes)])
    rows.append(["**all, one core**", *(f"**{sum(cpu for _, cpu, _ in measured[size]):.1f} s**" for size in sizes)])
    rows.append(["**peak memory**", *(f"**{measured[size][-1][2] / 2**20:,.0f} MiB**" for size in sizes)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measure every size, or be the process that is measured."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--holders", type=int, nargs="+", default=list(SIZES))
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child:
        print(json.dumps(asyncio.run(run_parts(given.child)).found))
        return
    print(f"seed {given.seed}, Python {sys.version.split()[0]}\n")
    print(table({size: measure(size, given.seed) for size in given.holders}))


if __name__ == "__main__":
    main()
