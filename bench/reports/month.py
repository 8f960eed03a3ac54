"""A cluster in a process of its own on which a month ends, for an issuer whose shares have very many holders.

usage: uv run python bench/reports/month.py FOLDER [--holders 1000000] [--seed 20261127] [--later 1000]

Issuer, securities, orders and statements are made by the commands of `tally demo`, and so are profile and books in
FOLDER. The holders' token accounts are written past every rule, out of the tokens that the demo's holders bought: one
in a thousand can be given away by its owner, one in a hundred is frozen. Then the localnet answers whoever asks. Its
time stands still meanwhile, so that a long list and what is read beside it are of one slot, as on a node; and a list is
written out once for as long as no transaction names its mint, since a node takes seconds where this takes a minute.

Prints a line of JSON when the month has ended (`url`, `period`, `day`). Once its last day is closed and a line arrives
on stdin, it puts the days on chain, draws one, declares what no chain says, moves tokens `--later` times, lets three
weeks pass and prints a line again. Ends when stdin does.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Final

from solders.pubkey import Pubkey
from solders.signature import Signature
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.protocol import Account
from tallystick.adapters.clock import ManualClock, SystemClock, instant
from tallystick.adapters.web_server import WebServer, listen
from tallystick.domain.report_anchors import days_in
from tallystick.localnet import create_ledger
from tallystick.localnet.dispatch import answer_body
from tallystick.localnet.params import API_VERSION
from tallystick.program.token import (
    ACCOUNT_SIZE,
    OWNER_OFFSET,
    STATE_OFFSET,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
    associated_token_address,
    decode_token_account,
    find_associated_token_address,
    transfer_checked,
)
from tallystick.services.securities import security_of
from tallystick_cli.commands import report_days, statement
from tallystick_cli.commands.init import make_key
from tallystick_cli.context import Tally
from tallystick_cli.demo.cast import APPLE, DECIMALS, HOLDERS, REDEEMED, SHARES
from tallystick_cli.demo.cluster import AFTER_MIDNIGHT, DAY, DemoClock, first_morning
from tallystick_cli.demo.crowd import Parcel, send_all
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.demo.reporting import DRAW_SECONDS, ReportStory
from tallystick_cli.demo.statements import write_statement
from tallystick_cli.demo.story import Story

SEED: Final = 20_261_127
THREE_WEEKS: Final = 21 * DAY
KEPT: Final = 10**7
"""Raw units that each of the demo's holders keeps."""
LOOSE: Final = 1 / 1_000
"""Of accounts: those that are not their owner's associated one, and whose owner can change."""
FROZEN: Final = 1 / 100
AMOUNT: Final = slice(OWNER_OFFSET + 32, OWNER_OFFSET + 40)
FIXED: Final = slice(ACCOUNT_SIZE + 1, ACCOUNT_SIZE + 5)
"""Where an associated account says that its owner never changes."""


class MonthClock(DemoClock):
    """One time for the cluster and for the issuer's commands, which stands still unless it is moved."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.time = ManualClock(first_morning(SystemClock().now()))
        # On the day before the month's last.
        self.time.advance((days_in(int(f"{self.today():%Y%m}")) - 2) * DAY)
        self.cluster = self.time

    def now(self) -> int:
        return self.time.now()

    async def warp(self, url: str, seconds: int) -> None:
        self.time.advance(seconds)


class Answers:
    """What the localnet answers. Lists of a mint's token accounts are kept until a transaction names the mint."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lists: dict[bytes, tuple[Signature | None, bytes]] = {}

    def forget(self) -> None:
        """Accounts were written past every rule: no kept list is of now."""
        self._lists.clear()

    def application(self) -> Starlette:
        """Answers JSON-RPC at /."""

        async def rpc(request: Request) -> Response:
            return Response(self.answer(await request.body()), media_type="application/json")

        return Starlette(routes=[Route("/", rpc, methods=["POST"])])

    def answer(self, body: bytes) -> bytes:
        """The answer to one request."""
        request = json.loads(body)
        if request["method"] != "getProgramAccounts" or request["params"][0] != str(TOKEN_2022_PROGRAM):
            return answer_body(self._ledger, body)
        mint = base64.b64decode(request["params"][1]["filters"][0]["memcmp"]["bytes"])
        newest = next((each.signature for each in self._ledger.history(Pubkey.from_bytes(mint), limit=1)), None)
        if mint not in self._lists or self._lists[mint][0] != newest:
            whole = answer_body(self._ledger, body)
            self._lists[mint] = newest, whole[whole.index(b'"value": [') : whole.rindex(b"]") + 1]
        context = json.dumps({"apiVersion": API_VERSION, "slot": self._ledger.slot}).encode()
        head = b'{"jsonrpc": "2.0", "id": %d, "result": {"context": %b, ' % (request["id"], context)
        return b"".join((head, self._lists[mint][1], b"}}"))


def write_holders(
    ledger: Ledger, mint: Pubkey, wallets: Sequence[Pubkey], holders: int, seed: int
) -> tuple[list[Pubkey], list[Pubkey]]:
    """Spread what the wallets have over so many holders. Returns accounts that can be sent to: the associated ones,
    and those that are not."""
    draw, associated, loose = random.Random(seed), list[Pubkey](), list[Pubkey]()  # noqa: S311 - a bench, not a secret
    template, pool = take(ledger, mint, wallets)
    data, about = bytearray(template.data), pool // holders
    for left in range(holders - 1, -1, -1):
        owner, is_loose, is_frozen = draw.randbytes(32), draw.random() < LOOSE, draw.random() < FROZEN
        # The last gets what remains, and everybody something.
        raw = min(draw.randrange(1, 2 * about), pool - left) if left else pool
        pool -= raw
        place = (
            Pubkey.from_bytes(draw.randbytes(32))
            if is_loose
            else find_associated_token_address(owner, bytes(mint), bytes(TOKEN_2022_PROGRAM))[0]
        )
        data[OWNER_OFFSET : OWNER_OFFSET + 32], data[AMOUNT] = owner, raw.to_bytes(8, "little")
        data[STATE_OFFSET] = TokenAccountState.INITIALIZED
        if is_loose:
            loose.append(place)
        elif is_frozen:
            data[STATE_OFFSET] = TokenAccountState.FROZEN
        elif len(associated) < 100_000:
            associated.append(place)
        written = data[: FIXED.start] + data[FIXED.stop :] if is_loose else data
        ledger.set_account(place, replace(template, data=bytes(written)))
    return associated, loose


def take(ledger: Ledger, mint: Pubkey, wallets: Sequence[Pubkey]) -> tuple[Account, int]:
    """All but KEPT of what each wallet has, in raw units; and an account as the program makes them."""
    places = [associated_token_address(wallet, mint) for wallet in wallets]
    accounts = [account for place in places if (account := ledger.account(place)) is not None]
    pool = 0
    for place, account in zip(places, accounts, strict=True):
        held = decode_token_account(account.data).amount
        kept, data = min(held, KEPT), bytearray(account.data)
        pool, data[AMOUNT] = pool + held - kept, kept.to_bytes(8, "little")
        ledger.set_account(place, replace(account, data=bytes(data)))
    return accounts[0], pool


async def move(tally: Tally, mint: Pubkey, places: Sequence[Pubkey], name: str) -> None:
    """A raw unit from the first of the demo's holders to each of these accounts, in a transaction of its own."""
    holder = tally.wallet_signer(HOLDERS[0])
    source = associated_token_address(holder.pubkey, mint)
    parcels: list[Parcel] = []
    for number, place in enumerate(places):
        step = transfer_checked(
            source=source, mint=mint, destination=place, authority=holder.pubkey, amount=1, decimals=DECIMALS
        )
        parcels.append((f"{name}:{number}", [step], [holder]))
    await send_all(tally, parcels)


async def begin(story: Story) -> None:
    """The day before the last: everything up to the first tokens, a clean reconciliation and the day's close. Then the
    last day's statement."""
    await story.open_issuer()
    await story.list_shares()
    await story.approve_holders()
    await story.attest_reserve()
    await story.settle_subscriptions()
    await story.redeem()
    await story.end_the_day()
    await story.clock.next_day(story.url)
    quantities = {each.symbol: each.shares for each in SHARES} | {APPLE.symbol: str(int(APPLE.shares) - int(REDEEMED))}
    now = story.clock.now() - 60
    file = write_statement(story.folder / "custodian", f"STMT-{instant(now)[:10]}", now, quantities)
    await statement.add(story.tally, [file])


async def end(tally: Tally, clock: MonthClock, report: ReportStory, mint: Pubkey, places: Sequence[Pubkey]) -> None:
    """What comes between a month's last close and its report."""
    await report_days.anchor_days(tally)
    drawing = asyncio.create_task(report_days.draw(tally, report.period))
    await clock.sleep(1)
    await clock.warp(report.url, DRAW_SECONDS)
    await drawing
    await report.declare()
    await move(tally, mint, places, "later")
    await clock.warp(report.url, THREE_WEEKS)


async def serve(folder: Path, holders: int, seed: int, later: int) -> None:
    """The whole of it."""
    clock, upgrade_key, told = MonthClock(), folder / "keys" / "upgrade-authority.json", sys.stdout
    ledger = create_ledger(clock.cluster, upgrade_authority=make_key(upgrade_key), seed=seed.to_bytes(8, "little"))
    listening = listen("127.0.0.1", 0, "a free port", "Try again.")
    answers, url = Answers(ledger), f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = WebServer(answers.application())
    serving = await server.start(listening, "The localnet")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with Tally(folder / "profile.toml", is_yes=True, clock=clock) as tally:
        with redirect_stdout(StringIO()):
            tell = Narrator(tally.out)
            await begin(Story(tally, clock, url, folder, upgrade_key, tell))
            share = next(each for each in tally.profile.securities if each.symbol == APPLE.symbol)
            mint = security_of(tally.issuer, share.id).mint
            wallets = [tally.profile.wallet(name) for name in HOLDERS]
            associated, loose = write_holders(ledger, mint, wallets, holders, seed)
            answers.forget()
            await move(tally, mint, loose, "earlier")  # An account has a history, which a rewinding asks for.
            report = ReportStory(tally, clock, url, folder, tell)
            report.day = clock.today().isoformat()
            report.period = report.day[:7]
            await clock.next_day(url, AFTER_MIDNIGHT)
            await tally.open_chain().get_token_accounts(mint)  # From here on the list is written out.
            print(json.dumps({"url": url, "period": report.period, "day": report.day}), file=told, flush=True)
            if await lines.readline():
                await end(tally, clock, report, mint, associated[:later])
                await tally.open_chain().get_token_accounts(mint)
                print("{}", file=told, flush=True)
                await lines.read()
    server.should_exit = True
    await serving


def main() -> None:
    """Serve one month."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--holders", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--later", type=int, default=1_000)
    given = parser.parse_args()
    asyncio.run(serve(given.folder, given.holders, given.seed, given.later))


if __name__ == "__main__":
    main()
