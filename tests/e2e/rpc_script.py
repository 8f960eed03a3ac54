"""One story told to a cluster over plain JSON-RPC, and every method asked about it afterwards."""

from __future__ import annotations

import asyncio
import base64
import itertools
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0, MessageV1, TransactionConfig, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from tallystick.domain.base58 import base58_encode
from tallystick.program.token import create_associated_token_account_idempotent

SOL = 10**9
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
CLOCK = "SysvarC1ock11111111111111111111111111111111"
SYSTEM = "11111111111111111111111111111111"
UNKNOWN_SIGNATURE = "1" * 64
ROOMY = TransactionConfig(priority_fee=7, compute_unit_limit=100_000, loaded_accounts_data_size_limit=10_000_000)
WITHIN_SECONDS = 60
Call = tuple[str, str, list[Any]]
"""What is asked, in words; the method; its parameters."""


class Story:
    """A cluster, a payer of its own, and what was sent."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._ids = itertools.count(1)
        self.payer, self.receiver, self.stranger = Keypair(), Keypair(), Keypair().pubkey()
        self.mint, self.mint_2022 = Keypair(), Keypair()
        self.signatures: dict[str, str] = {}
        self.accounts: dict[str, Pubkey] = {}
        self.expired = Hash.new_unique()
        self.blockhash = Hash.default()

    async def post(self, method: str, params: list[Any]) -> dict[str, Any]:
        """The whole answer."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = (await self._client.post(self._url, json=body, timeout=30)).json()
        assert isinstance(answer, dict)
        return answer

    async def ask(self, method: str, *params: Any) -> Any:
        """The `result`; an error fails the test."""
        answer = await self.post(method, list(params))
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    async def tell(self) -> None:
        """Fund the payer, make a mint and a token account of each program, and land what the calls ask about."""
        airdrop = await self.ask("requestAirdrop", str(self.payer.pubkey()), 50 * SOL)
        await self.settle([airdrop])
        self.signatures["airdrop"] = airdrop
        await self.renew()
        await self.send("mint", self.version_0(*await self._make_mint(), signers=[self.mint]))
        await self.send("mint 2022", self.version_0(*await self._make_mint_2022(), signers=[self.mint_2022]))
        await self.settle(self.signatures.values())
        await self.renew()
        await self.send("accounts", self.version_0(*self._open_accounts()))
        await self.send("legacy", self.legacy(self.pay(SOL)))
        await self.send("version 0", self.version_0(self.pay(2 * SOL)))
        await self.send("version 1", self.version_1(self.pay(3 * SOL)))
        await self.send("failed", self.version_0(self.pay(1_000 * SOL)))
        await self.send("no program", self.version_0(Instruction(self.stranger, b"", [])))
        await self.settle(self.signatures.values())
        await self.renew()

    async def renew(self) -> None:
        """Take a blockhash that every commitment knows."""
        self.blockhash = Hash.from_string((await self.ask("getLatestBlockhash"))["value"]["blockhash"])

    async def send(self, name: str, transaction: VersionedTransaction) -> None:
        """Send without preflight, and remember the signature under `name`."""
        config = {"encoding": "base64", "skipPreflight": True}
        self.signatures[name] = await self.ask("sendTransaction", base64_of(transaction), config)

    async def settle(self, signatures: Any) -> None:
        """Wait until everything sent is finalized."""
        wanted = list(signatures)
        for _ in range(WITHIN_SECONDS * 5):
            statuses = (await self.ask("getSignatureStatuses", wanted, {"searchTransactionHistory": True}))["value"]
            if all(status and status["confirmationStatus"] == "finalized" for status in statuses):
                return
            await asyncio.sleep(0.2)
        raise AssertionError(f"not finalized within {WITHIN_SECONDS} s: {statuses}")

    def pay(self, lamports: int) -> Instruction:
        """A transfer to the receiver."""
        return transfer(
            TransferParams(from_pubkey=self.payer.pubkey(), to_pubkey=self.receiver.pubkey(), lamports=lamports)
        )

    def legacy(self, *instructions: Instruction) -> VersionedTransaction:
        """Signed by the payer."""
        message = Message.new_with_blockhash(instructions, self.payer.pubkey(), self.blockhash)
        return VersionedTransaction(message, [self.payer])

    def version_0(
        self, *instructions: Instruction, signers: list[Keypair] | None = None, blockhash: Hash | None = None
    ) -> VersionedTransaction:
        """Signed by the payer and `signers`."""
        message = MessageV0.try_compile(self.payer.pubkey(), instructions, [], blockhash or self.blockhash)
        return VersionedTransaction(message, [self.payer, *(signers or [])])

    def version_1(self, *instructions: Instruction, config: TransactionConfig | None = ROOMY) -> VersionedTransaction:
        """Signed by the payer."""
        message = MessageV1.try_compile(self.payer.pubkey(), instructions, self.blockhash, config)
        return VersionedTransaction(message, [self.payer])

    async def _make_mint(self) -> list[Instruction]:
        payer, mint = self.payer.pubkey(), self.mint.pubkey()
        data = bytes([20, 6]) + bytes(payer) + b"\0"
        return [await self._create(mint, 82, TOKEN), Instruction(TOKEN, data, [AccountMeta(mint, False, True)])]

    async def _make_mint_2022(self) -> list[Instruction]:
        """A mint with the extensions that a tokenised share has."""
        payer, mint = bytes(self.payer.pubkey()), self.mint_2022.pubkey()
        setup = [
            bytes([35]) + payer,  # permanent delegate
            bytes([44, 0]) + payer,  # pausable
            bytes([43, 0]) + payer + struct.pack("<d", 2.5),  # scaled UI amount
            bytes([39, 0]) + payer + bytes(mint),  # metadata pointer
            bytes([28, 0, 1]),  # default account state: initialised
            bytes([46, 0]) + payer,  # permissioned burn
            bytes([20, 6]) + payer + b"\1" + payer,
        ]
        sizes = (32, 33, 56, 64, 1, 32)
        create = await self._create(mint, 166 + sum(4 + size for size in sizes), TOKEN_2022, spare=10**7)
        texts = b"".join(struct.pack("<I", len(text)) + text for text in (b"Share", b"SHR", b"https://example.com"))
        metadata = Instruction(
            TOKEN_2022,
            bytes([210, 225, 30, 162, 88, 184, 77, 141]) + texts,
            [
                AccountMeta(mint, False, True),
                AccountMeta(self.payer.pubkey(), False, False),
                AccountMeta(mint, False, False),
                AccountMeta(self.payer.pubkey(), True, False),
            ],
        )
        steps = [Instruction(TOKEN_2022, data, [AccountMeta(mint, False, True)]) for data in setup]
        return [create, *steps, metadata]

    def _open_accounts(self) -> list[Instruction]:
        payer = self.payer.pubkey()
        steps: list[Instruction] = []
        for name, program, mint in (("token", TOKEN, self.mint), ("token 2022", TOKEN_2022, self.mint_2022)):
            open_account = create_associated_token_account_idempotent(
                payer=payer, wallet=payer, mint=mint.pubkey(), token_program=program
            )
            self.accounts[name] = address = open_account.accounts[1].pubkey
            metas = [
                AccountMeta(mint.pubkey(), False, True),
                AccountMeta(address, False, True),
                AccountMeta(payer, True, False),
            ]
            steps += [open_account, Instruction(program, b"\x07" + struct.pack("<Q", 1_234_500), metas)]
        return steps

    async def _create(self, address: Pubkey, space: int, owner: Pubkey, *, spare: int = 0) -> Instruction:
        rent = await self.ask("getMinimumBalanceForRentExemption", space)
        return create_account(
            CreateAccountParams(
                from_pubkey=self.payer.pubkey(), to_pubkey=address, lamports=rent + spare, space=space, owner=owner
            )
        )


@asynccontextmanager
async def told(url: str) -> AsyncIterator[Story]:
    """The story, told to the cluster at `url`."""
    async with httpx.AsyncClient(verify=False) as client:
        story = Story(client, url)
        await story.tell()
        yield story


def base64_of(transaction: VersionedTransaction) -> str:
    """As RPC takes it."""
    return base64.b64encode(bytes(transaction)).decode()


async def calls(story: Story) -> list[Call]:
    """Every method the localnet serves, well and badly asked."""
    return [*_cluster(story), *_accounts(story), *_tokens(story), *_sending(story), *await _history(story)]


def _cluster(story: Story) -> list[Call]:
    message = base64.b64encode(to_bytes_versioned(story.version_0(story.pay(1)).message)).decode()
    future = {"minContextSlot": 10**12}
    return [
        ("", "getVersion", []),
        ("", "getHealth", []),
        ("", "getGenesisHash", []),
        ("", "getIdentity", []),
        ("", "getSlot", []),
        ("processed", "getSlot", [{"commitment": "processed"}]),
        ("a slot that has not come", "getSlot", [future]),
        ("a number as configuration", "getSlot", [1]),
        ("too many parameters", "getSlot", [{}, {}]),
        ("", "getBlockHeight", []),
        ("", "getSlotLeader", []),
        ("", "getTransactionCount", []),
        ("", "getFirstAvailableBlock", []),
        ("", "minimumLedgerSlot", []),
        ("", "getEpochInfo", []),
        ("", "getEpochSchedule", []),
        ("", "getLatestBlockhash", []),
        ("", "isBlockhashValid", [str(story.blockhash)]),
        ("an unknown blockhash", "isBlockhashValid", [str(story.expired)]),
        ("not a blockhash", "isBlockhashValid", ["zz"]),
        ("", "getFeeForMessage", [message]),
        ("not base64", "getFeeForMessage", ["AQ"]),
        ("", "getMinimumBalanceForRentExemption", [165]),
        ("below 0", "getMinimumBalanceForRentExemption", [-1]),
        ("too large", "getMinimumBalanceForRentExemption", [99_999_999_999]),
        ("", "getRecentPrioritizationFees", []),
        ("not an address", "getRecentPrioritizationFees", [["abc"]]),
        ("unknown method", "getNothing", []),
    ]


def _accounts(story: Story) -> list[Call]:
    payer, missing = str(story.payer.pubkey()), str(story.stranger)
    program = str(TOKEN)
    owned = {"memcmp": {"offset": 32, "bytes": payer}}
    sliced = {"encoding": "base64", "dataSlice": {"offset": 0, "length": 4}, "filters": [{"dataSize": 165}, owned]}
    return [
        ("", "getBalance", [payer]),
        ("a missing account", "getBalance", [missing]),
        ("no parameters", "getBalance", []),
        ("not an address", "getBalance", ["abc"]),
        ("not base58", "getBalance", ["0OIl"]),
        ("a number as address", "getBalance", [5]),
        ("", "getAccountInfo", [payer]),
        ("a missing account", "getAccountInfo", [missing]),
        ("base64 slice", "getAccountInfo", [CLOCK, {"encoding": "base64", "dataSlice": {"offset": 8, "length": 8}}]),
        ("base58", "getAccountInfo", [CLOCK, {"encoding": "base58"}]),
        ("base64+zstd", "getAccountInfo", [CLOCK, {"encoding": "base64+zstd"}]),
        ("unknown encoding", "getAccountInfo", [payer, {"encoding": "x"}]),
        ("base58 of large data", "getAccountInfo", [str(story.mint_2022.pubkey()), {"encoding": "base58"}]),
        ("clock, parsed", "getAccountInfo", [CLOCK, {"encoding": "jsonParsed"}]),
        ("wallet, parsed", "getAccountInfo", [payer, {"encoding": "jsonParsed"}]),
        ("program, parsed", "getAccountInfo", [str(TOKEN_2022), {"encoding": "jsonParsed"}]),
        ("mint, parsed", "getAccountInfo", [str(story.mint.pubkey()), {"encoding": "jsonParsed"}]),
        ("mint with extensions, parsed", "getAccountInfo", [str(story.mint_2022.pubkey()), {"encoding": "jsonParsed"}]),
        ("token account, parsed", "getAccountInfo", [str(story.accounts["token"]), {"encoding": "jsonParsed"}]),
        (
            "token account with extensions, parsed",
            "getAccountInfo",
            [str(story.accounts["token 2022"]), {"encoding": "jsonParsed"}],
        ),
        ("", "getMultipleAccounts", [[payer, missing, CLOCK]]),
        ("101 addresses", "getMultipleAccounts", [[payer] * 101]),
        ("", "getProgramAccounts", [program, sliced]),
        ("with context", "getProgramAccounts", [program, {**sliced, "withContext": True}]),
        ("parsed", "getProgramAccounts", [program, {"encoding": "jsonParsed", "filters": [{"dataSize": 165}, owned]}]),
        ("token account state", "getProgramAccounts", [program, {**sliced, "filters": ["tokenAccountState", owned]}]),
        ("five filters", "getProgramAccounts", [program, {"filters": [{"dataSize": 1}] * 5}]),
        ("unknown filter", "getProgramAccounts", [program, {"filters": [{"size": 1}]}]),
        (
            "bytes that are not base58",
            "getProgramAccounts",
            [
                program,
                {"filters": [{"memcmp": {"offset": 0, "bytes": "0"}}]},
            ],
        ),
    ]


def _tokens(story: Story) -> list[Call]:
    payer, missing = str(story.payer.pubkey()), str(story.stranger)
    mint, mint_2022 = str(story.mint.pubkey()), str(story.mint_2022.pubkey())
    found: list[Call] = []
    for method, address, scaled in (
        ("getTokenAccountBalance", story.accounts["token"], story.accounts["token 2022"]),
        ("getTokenSupply", story.mint.pubkey(), story.mint_2022.pubkey()),
        ("getTokenLargestAccounts", story.mint.pubkey(), story.mint_2022.pubkey()),
    ):
        found += [
            ("", method, [str(address)]),
            ("scaled", method, [str(scaled)]),
            ("a wallet", method, [payer]),
            ("a missing account", method, [missing]),
        ]
    parsed = {"encoding": "jsonParsed"}
    for method in ("getTokenAccountsByOwner", "getTokenAccountsByDelegate"):
        found += [
            ("by mint", method, [payer, {"mint": mint}, {"encoding": "base64"}]),
            ("by program, parsed", method, [payer, {"programId": str(TOKEN_2022)}, parsed]),
            ("by scaled mint", method, [payer, {"mint": mint_2022}, {"encoding": "base64"}]),
            ("no token program", method, [payer, {"programId": SYSTEM}]),
            ("no mint", method, [payer, {"mint": payer}]),
            ("a missing mint", method, [payer, {"mint": missing}]),
            ("no filter", method, [payer, {}]),
            ("one parameter", method, [payer]),
        ]
    return found


def _sending(story: Story) -> list[Call]:
    encoded = {"encoding": "base64"}
    good, bad = story.version_0(story.pay(SOL + 1)), story.version_0(story.pay(1_000 * SOL))
    forged = VersionedTransaction.populate(good.message, [Signature.new_unique()])
    old = story.version_0(story.pay(SOL), blockhash=story.expired)
    absent = story.version_0(Instruction(story.stranger, b"", []))
    bare = story.version_1(story.pay(SOL), config=None)
    no_units = story.version_1(story.pay(SOL), config=TransactionConfig(loaded_accounts_data_size_limit=1_000_000))
    poor = Keypair()
    unpaid = VersionedTransaction(
        MessageV0.try_compile(poor.pubkey(), [Instruction(TOKEN, b"", [])], [], story.blockhash), [poor]
    )
    keys = [str(story.payer.pubkey()), str(story.receiver.pubkey())]
    everything = {
        **encoded,
        "replaceRecentBlockhash": True,
        "innerInstructions": True,
        "accounts": {"encoding": "base64", "addresses": keys},
    }
    inner = story.version_0(
        create_associated_token_account_idempotent(
            payer=story.payer.pubkey(), wallet=story.receiver.pubkey(), mint=story.mint_2022.pubkey()
        )
    )
    found: list[Call] = []
    for name, transaction in (
        ("failing", bad),
        ("wrong signature", forged),
        ("unknown blockhash", old),
        ("no program", absent),
        ("version 1 without limits", bare),
        ("version 1 without units", no_units),
        ("payer without lamports", unpaid),
    ):
        found += [
            (name, "sendTransaction", [base64_of(transaction), encoded]),
            (name, "simulateTransaction", [base64_of(transaction), encoded]),
        ]
    return [
        *found,
        ("", "simulateTransaction", [base64_of(good), encoded]),
        ("version 1", "simulateTransaction", [base64_of(story.version_1(story.pay(SOL))), encoded]),
        ("everything asked", "simulateTransaction", [base64_of(old), everything]),
        ("failing, everything asked", "simulateTransaction", [base64_of(bad), everything]),
        ("inner instructions and token balances", "simulateTransaction", [base64_of(inner), everything]),
        ("verified", "simulateTransaction", [base64_of(good), {**encoded, "sigVerify": True}]),
        ("wrong signature, verified", "simulateTransaction", [base64_of(forged), {**encoded, "sigVerify": True}]),
        ("verified and replaced", "simulateTransaction", [base64_of(good), {**everything, "sigVerify": True}]),
        ("base58", "sendTransaction", [base58_encode(bytes(good))]),
        ("not base64", "sendTransaction", ["@@", encoded]),
        ("not base58", "sendTransaction", ["0O"]),
        ("unknown encoding", "sendTransaction", ["AQ==", {"encoding": "json"}]),
        ("too large", "sendTransaction", [base64.b64encode(bytes(1_233)).decode(), encoded]),
        ("too large, version 1", "sendTransaction", [base64.b64encode(b"\x81" + bytes(4_096)).decode(), encoded]),
        ("", "requestAirdrop", [str(story.receiver.pubkey()), SOL]),
        ("not an address", "requestAirdrop", ["abc", 1]),
    ]


async def _history(story: Story) -> list[Call]:
    sent = story.signatures
    slots = {}
    for name, signature in sent.items():
        slots[name] = (await story.ask("getSignatureStatuses", [signature]))["value"][0]["slot"]
    newest = {"maxSupportedTransactionVersion": 1}
    payer, future = str(story.payer.pubkey()), 10**12
    found: list[Call] = [(f"{name} (json)", "getTransaction", [each, newest]) for name, each in sent.items()]
    for encoding in ("jsonParsed", "base64", "base58"):
        for name in ("accounts", "version 1", "failed"):
            config = {**newest, "encoding": encoding}
            found.append((f"{name} ({encoding})", "getTransaction", [sent[name], config]))
    return [
        *found,
        ("version 1 not asked for", "getTransaction", [sent["version 1"], {"maxSupportedTransactionVersion": 0}]),
        ("no version asked for", "getTransaction", [sent["version 0"]]),
        ("legacy, no version asked for", "getTransaction", [sent["legacy"]]),
        ("unknown", "getTransaction", [UNKNOWN_SIGNATURE]),
        ("processed", "getTransaction", [sent["legacy"], {"commitment": "processed"}]),
        ("unknown encoding", "getTransaction", [sent["legacy"], {"encoding": "x"}]),
        ("", "getSignatureStatuses", [[sent["legacy"], sent["failed"], sent["no program"], UNKNOWN_SIGNATURE]]),
        ("257", "getSignatureStatuses", [[UNKNOWN_SIGNATURE] * 257]),
        ("not a signature", "getSignatureStatuses", [["abc"]]),
        ("", "getSignaturesForAddress", [payer, {"limit": 20}]),
        ("between two", "getSignaturesForAddress", [payer, {"before": sent["failed"], "until": sent["mint"]}]),
        ("before an unknown one", "getSignaturesForAddress", [payer, {"before": UNKNOWN_SIGNATURE}]),
        ("limit 0", "getSignaturesForAddress", [payer, {"limit": 0}]),
        ("processed", "getSignaturesForAddress", [payer, {"commitment": "processed"}]),
        ("", "getBlock", [slots["legacy"], {**newest, "transactionDetails": "none"}]),
        ("signatures", "getBlock", [slots["legacy"], {"transactionDetails": "signatures", "rewards": False}]),
        ("full", "getBlock", [slots["airdrop"], {**newest, "rewards": False}]),
        ("a slot that has not come", "getBlock", [future]),
        ("processed", "getBlock", [slots["legacy"], {"commitment": "processed"}]),
        ("", "getBlocks", [slots["mint"], slots["legacy"]]),
        ("", "getBlocksWithLimit", [slots["mint"], 2]),
        ("", "getBlockTime", [slots["legacy"]]),
        ("a slot that has not come", "getBlockTime", [future]),
    ]
