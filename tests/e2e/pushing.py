"""A process that pushes one distribution, for tests that kill it: real endpoints, the store on disk, the library.

usage: python pushing.py <url of the cluster> <store> <distribution> <key file> <seconds before each batch>

Says `pushing` once it has opened everything, and at its end what its report says as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.store import open_store
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import PushSettings, push


async def main(url: str, store_url: str, distribution: str, key_file: str, pause: str) -> None:
    """One push to its end, slowed down so that there is time to kill it."""

    def goes_on() -> bool:
        time.sleep(float(pause))
        return False

    clock = SystemClock()
    async with RpcChain([url], clock) as chain, await open_store(store_url) as store:
        print("pushing", flush=True)
        payer = KeypairSigner.from_file(Path(key_file))
        report = await push(
            chain,
            store.payouts,
            store.outbox,
            clock,
            await PayoutCalls.load(store.payouts, Pubkey.from_string(distribution), payer.pubkey),
            payer,
            settings=PushSettings(in_flight=8, poll_every=0.1, broadcast_every=1.0, patience=120.0),
            should_stop=goes_on,
        )
    told = {
        "complete": report.is_complete,
        "paid": report.paid.entries,
        "amount": report.paid.amount,
        "paid_now": report.paid_now.entries,
        "stopped": report.stopped,
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
