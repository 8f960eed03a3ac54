"""Starts a cluster with an issuer, a security and one approved wallet, for the third party's client to find.

Runs in the project's own environment, not in this folder's:

    uv run --frozen python tests/interop/issuer_on_cluster.py validator     (or localnet)

Prints one JSON line (url, wallet, security, issuer) and ends, cluster and all, when its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import MemoryOutbox
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import SystemClock
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.program import addresses, token
from tallystick.program.errors import program_error
from tallystick.program.generated import accounts, instructions, pdas, types
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.text import encode_text

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from clusters import Cluster, run_localnet, run_validator

CLUSTERS = {"localnet": run_localnet, "validator": run_validator}
CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
DAY = 24 * 3600


class Setup:
    """Sends what it takes, each instruction as a transaction of its own."""

    def __init__(self, chain: RpcChain, cluster: Cluster) -> None:
        self.chain = chain
        self.clock = SystemClock()
        self.sender = Sender(chain, MemoryOutbox(), self.clock, program_errors={PROGRAM_ID: program_error})
        self.authority = cluster.upgrade_authority
        self.payer, self.admin, self.compliance, self.wallet = (Keypair() for _ in range(4))

    async def send(self, instruction: Instruction, *signers: Keypair) -> None:
        keys = [KeypairSigner(key) for key in (self.payer, *signers)]
        result = await self.sender.send([instruction], keys, intent=secrets.token_hex(8))
        assert result.is_done, result

    async def fund(self, *keys: Keypair) -> None:
        for key in keys:
            await self.chain.request_airdrop(key.pubkey(), 10 * 10**9)
        while not all([await self.chain.get_balance(key.pubkey()) for key in keys]):
            await self.clock.sleep(0.2)

    async def issuer(self) -> Pubkey:
        nonce = secrets.randbits(64)
        issuer = addresses.issuer_address(addresses.issuer_id(self.admin.pubkey(), nonce))
        params = types.InitializeParams(
            nonce=nonce,
            guardian=Keypair().pubkey(),
            delay=1,
            name=encode_text("Example Issuer", 64),
            lei=b"HWUPKR0MPOU8FGXBT394",
        )
        await self.send(
            instructions.initialize(
                payer=self.payer.pubkey(),
                admin=self.admin.pubkey(),
                upgrade_authority=self.authority.pubkey(),
                issuer=issuer,
                params=params,
            ),
            self.admin,
            self.authority,
        )
        return issuer

    async def security(self, issuer: Pubkey) -> Pubkey:
        security_id = encode_text("example-share", 32)
        mint = addresses.mint_address(issuer, security_id)
        security = pdas.security_address(mint)
        policy = types.Policy(
            threshold=2,
            margin=0,
            max_attestation_age=DAY,
            supply_cap=10**15,
            accept_period=DAY,
            settle_period=DAY,
            notice=DAY,
            change_window=DAY,
            max_change_numerator=10,
            max_change_denominator=1,
            allowed_classes=1,
        )
        params = types.ListSecurityParams(
            security_id=security_id,
            isin=b"US0378331005",
            ticker=encode_text("EXAMPLE", 16),
            decimals=6,
            name="Example Inc.",
            uri="https://example.com/terms.json",
            terms_hash=b"t" * 32,
            custody_accounts_hash=custody_accounts_hash([b"a" * 32]),
            custody_accounts=1,
            permissioned=False,
            policy=policy,
        )
        await self.send(
            instructions.list_security(
                payer=self.payer.pubkey(),
                admin=self.admin.pubkey(),
                issuer=issuer,
                mint=mint,
                escrow=token.associated_token_address(security, mint),
                params=params,
            ),
            self.admin,
        )
        return security

    async def approve(self, issuer: Pubkey) -> None:
        kind, holder = types.RoleKind.COMPLIANCE, self.compliance.pubkey()
        grant = types.GrantRoleParams(kind=kind, holder=holder)
        await self.send(
            instructions.grant_role(payer=self.payer.pubkey(), admin=self.admin.pubkey(), issuer=issuer, params=grant),
            self.admin,
        )
        role = addresses.role_address(issuer, kind, holder)
        found = await self.chain.get_account(role)
        assert found is not None
        in_force_from = accounts.Role.decode(found.data).in_force_from
        while (now := await self.chain_time()) < in_force_from:
            await self.clock.sleep(0.2)
        params = types.ApproveHolderParams(
            wallet=self.wallet.pubkey(),
            investor_id=b"i" * 32,
            classes=1,
            approved_until=now + 365 * DAY,
            evidence_hash=b"e" * 32,
        )
        await self.send(
            instructions.approve_holder(
                payer=self.payer.pubkey(), compliance=holder, role=role, issuer=issuer, params=params
            ),
            self.compliance,
        )

    async def chain_time(self) -> int:
        """Unix seconds by the chain's clock: the last 8 of the Clock sysvar's 40 bytes."""
        found = await self.chain.get_account(CLOCK)
        assert found is not None
        return int.from_bytes(found.data[32:40], "little", signed=True)


async def prepare(cluster: Cluster) -> dict[str, str]:
    """What the third party is told."""
    async with RpcChain([cluster.url], SystemClock()) as chain:
        setup = Setup(chain, cluster)
        await setup.fund(setup.payer, setup.wallet)
        issuer = await setup.issuer()
        security = await setup.security(issuer)
        await setup.approve(issuer)
        wallet = setup.wallet.to_json()
        return {"url": cluster.url, "wallet": wallet, "security": str(security), "issuer": str(issuer)}


def main() -> None:
    """Run until standard input closes."""
    running: AbstractContextManager[Cluster] = CLUSTERS[sys.argv[1]]()
    with running as cluster:
        print(json.dumps(asyncio.run(prepare(cluster))), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
