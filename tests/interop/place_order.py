"""Order shares and read the order back: the program's IDL, anchorpy3 0.4.5, and nothing of Tallystick's own code.

python place_order.py http://127.0.0.1:8899 tallystick.json wallet.json <security address> <shares in base units>
"""

import asyncio
import json
import secrets
import sys
import time
from pathlib import Path

from anchorpy import Context, Idl, Program, Provider, Wallet
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.types import TxOpts
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM


async def place_order(url: str, idl: str, wallet: Keypair, security: Pubkey, shares: int):
    """Open a subscription of `shares` (shares x 10^decimals) for the wallet, which the issuer must have approved."""
    program_id = Pubkey.from_string(json.loads(idl)["address"])
    order_id = secrets.token_bytes(32)

    def address(*seeds: bytes) -> Pubkey:
        return Pubkey.find_program_address(list(seeds), program_id)[0]

    async with AsyncClient(url, Confirmed) as connection:
        # Confirmed is not executed: solana-py returns for a failed transaction too, so the order read back decides.
        options = TxOpts(skip_confirmation=False, preflight_commitment=Confirmed)
        program = Program(Idl.from_json(idl), program_id, Provider(connection, Wallet(wallet), options))
        listed = await program.account["Security"].fetch(security)
        order = address(b"order", bytes(security), bytes(wallet.pubkey()), order_id)
        params = {
            "order_id": list(order_id),
            "shares": shares,
            "settle_by": int(time.time()) + 3 * 24 * 3600,
        }
        accounts = {
            "payer": wallet.pubkey(),
            "authority": wallet.pubkey(),
            "role": program_id,  # an optional account that is left out is the program's own address
            "security": security,
            "holder": address(b"holder", bytes(listed.issuer), bytes(wallet.pubkey())),
            "order": order,
            "system_program": SYSTEM_PROGRAM,
            "event_authority": address(b"__event_authority"),
            "program": program_id,
        }
        await program.rpc["open_subscription"](params, ctx=Context(accounts=accounts))
        return order, await program.account["Order"].fetch(order)


if __name__ == "__main__":
    _, url, idl_file, wallet_file, security_text, shares_text = sys.argv
    keypair = Keypair.from_json(Path(wallet_file).read_text())
    found = place_order(url, Path(idl_file).read_text(), keypair, Pubkey.from_string(security_text), int(shares_text))
    print(*asyncio.run(found), sep="\n")
