"""A cluster in this process with one funded distribution, its list in a store, and everything a push takes.

Accounts are written past every rule, so that many recipients cost nothing; the program that pays is the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from desk import START, binary, key
from push_faults import LaggingChain
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox
from tallystick.adapters.chain.protocol import Account, Chain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import Clock, ManualClock
from tallystick.adapters.store.payouts import MemoryPayoutStore, PayoutStore
from tallystick.domain.distribution_tree import DistributionTree
from tallystick.domain.dividends import HolderClass, PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.localnet.create import Deployment, create_ledger
from tallystick.program import PROGRAM_ID
from tallystick.program.addresses import distribution_address
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated.accounts import Distribution
from tallystick.program.generated.types import DistributionStatus
from tallystick.program.token import (
    ASSOCIATED_TOKEN_PROGRAM,
    SPL_TOKEN_PROGRAM,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
    associated_token_address,
    decode_token_account,
)
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import ConfirmStage, PushSettings, push
from tallystick.services.payout_report import PushProgress, PushReport

SOL = 10**9
RENT = 10**7
IMMUTABLE_OWNER = (7).to_bytes(2, "little") + bytes(2)
SETTINGS = PushSettings(unpaid_limit=10_000)


def wallet(number: int) -> Keypair:
    """The holder of a line."""
    return key(f"holder-{number}")


class PushingDesk:
    """`count` holders, who get 1,000, 1,001 and so on; `size` to a batch. `classes`: of lines that are no wallets."""

    def __init__(
        self,
        count: int = 10,
        size: int = 3,
        *,
        program: Pubkey = SPL_TOKEN_PROGRAM,
        classes: dict[int, HolderClass] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock: Clock = clock or ManualClock(START)
        deployed = {
            TOKEN_2022_PROGRAM: Deployment(binary("token_2022.so")),
            PROGRAM_ID: Deployment(binary("tallystick.so"), key("authority").pubkey()),
        }
        self.chain = MemoryChain(create_ledger(self.clock, deployed, seed=b"push"))
        self.ledger = self.chain.ledger
        self.program = program
        self.mint = key("dollars").pubkey()
        self.payout = KeypairSigner(key("payout"))
        self.action = key("action").pubkey()
        self.address = distribution_address(self.action, 0)
        self.escrow = associated_token_address(self.address, self.mint, program)
        self.store: PayoutStore = MemoryPayoutStore()
        self.outbox: Outbox = MemoryOutbox()
        self.ledger.airdrop(self.payout.pubkey, 100 * SOL)
        self.lines = tuple(self._line(number, (classes or {}).get(number)) for number in range(count))
        self.batches = tuple(
            PayoutBatch(at // size, self.lines[at : at + size]) for at in range(0, len(self.lines), size)
        )
        tree = DistributionTree(bytes(self.address), [line.entry for line in self.lines], size=size)
        self.record = PayoutRecord(
            address=bytes(self.address),
            security=bytes(key("security").pubkey()),
            action=bytes(self.action),
            number=0,
            payment_mint=bytes(self.mint),
            token_program=bytes(program),
            payment_decimals=6,
            payout_key=bytes(self.payout.pubkey),
            refund=bytes(key("refund").pubkey()),
            root=tree.root,
            batches=len(self.batches),
            entries=tree.entries,
            total=tree.total,
            expires_at=START + 10**7,
            document=b"{}",
            created_at=START,
            batch_size=size,
            state=PayoutState.APPROVED,
        )
        self._write_mint()
        for line in self.lines:
            self.write_account(line.owner)
        self.write_account(bytes(self.address), tree.total)
        self.write_distribution()

    def _line(self, number: int, holder_class: HolderClass | None) -> PayoutLine:
        owner = wallet(number).pubkey()
        seeds = [bytes(owner), bytes(self.program), bytes(self.mint)]
        address, bump = Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)
        return PayoutLine(bytes(owner), bytes(address), bump, 1_000 + number, holder_class or HolderClass.WALLET)

    def _write_mint(self) -> None:
        authority = b"\1\0\0\0" + bytes(key("mint authority").pubkey())
        data = authority + (2**60).to_bytes(8, "little") + bytes([6, 1]) + authority
        self.ledger.set_account(self.mint, Account(self.program, RENT, data))

    def write_account(
        self,
        owner: bytes,
        amount: int = 0,
        *,
        held_by: bytes | None = None,
        state: TokenAccountState = TokenAccountState.INITIALIZED,
        extensions: bytes | None = None,
    ) -> None:
        """An owner's associated account of the payment mint, in any state; `held_by` another owner."""
        address = associated_token_address(Pubkey.from_bytes(owner), self.mint, self.program)
        data = bytes(self.mint) + (held_by or owner) + amount.to_bytes(8, "little")
        data = data.ljust(108, b"\0") + bytes([state])
        data = data.ljust(165, b"\0")
        if self.program == TOKEN_2022_PROGRAM:
            data += b"\2" + (IMMUTABLE_OWNER if extensions is None else extensions)
        self.ledger.set_account(address, Account(self.program, RENT, data))

    def close_account(self, number: int) -> None:
        """A holder's account is gone."""
        address = Pubkey.from_bytes(self.lines[number].address)
        self.ledger.set_account(address, Account(Pubkey.default(), 0, b""))

    def write_distribution(self, **change: object) -> None:
        """The distribution, approved, funded and not paid; fields may be given by name."""
        record, zero = self.record, Pubkey.default()
        _, bump = Pubkey.find_program_address(
            [b"distribution", bytes(self.action), (0).to_bytes(2, "little")], PROGRAM_ID
        )
        fields = Distribution(
            version=1,
            bump=bump,
            status=DistributionStatus.APPROVED,
            issuer=zero,
            security=Pubkey.from_bytes(record.security),
            action=self.action,
            number=0,
            payment_mint=self.mint,
            token_program=self.program,
            payment_decimals=6,
            escrow=self.escrow,
            refund=Pubkey.from_bytes(record.refund),
            root=record.root,
            batches=record.batches,
            entries=record.entries,
            total=record.total,
            funded=record.total,
            paid=0,
            paid_entries=0,
            payout_key=self.payout.pubkey,
            opener=key("opener").pubkey(),
            root_approver=key("approver").pubkey(),
            payer=zero,
            linked_to=zero,
            opened_at=START,
            approved_at=START,
            expires_at=record.expires_at,
            closed_at=0,
            bits_hash=bytes(32),
            reserved=bytes(64),
        )
        data = replace(fields, **change).encode() + bytes(8 * record.batches)  # type: ignore[arg-type]
        self.ledger.set_account(self.address, Account(PROGRAM_ID, 10 * SOL, data))

    # What a test asks ------------------------------------------------------------------------------------------------

    async def planned(self) -> PushingDesk:
        """The list in the store."""
        await self.store.add(self.record, self.batches, (), ())
        return self

    async def push(
        self,
        *,
        chain: Chain | LaggingChain | None = None,
        settings: PushSettings = SETTINGS,
        suspended: tuple[bytes, ...] = (),
        frozen: tuple[bytes, ...] = (),
        on_progress: Callable[[PushProgress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        confirm_stage: ConfirmStage | None = None,
    ) -> PushReport:
        """One run."""
        return await push(
            cast("Chain", chain or self.chain),
            self.store,
            self.outbox,
            self.clock,
            await PayoutCalls.load(self.store, self.address, self.payout.pubkey, suspended=suspended, frozen=frozen),
            self.payout,
            settings=settings,
            on_progress=on_progress,
            should_stop=should_stop,
            confirm_stage=confirm_stage,
        )

    def lagging(self) -> LaggingChain:
        """The cluster, with finality as on a public one."""
        accounts = [self.address, *(Pubkey.from_bytes(line.address) for line in self.lines)]
        return cast("Chain", LaggingChain(self.chain, self.clock, accounts))

    @property
    def account(self) -> DistributionAccount:
        """The distribution as the chain has it."""
        found = self.ledger.account(self.address)
        assert found is not None
        return DistributionAccount.decode(found.data)

    def balance(self, number: int) -> int | None:
        """What a holder's account holds; None when there is none."""
        found = self.ledger.account(Pubkey.from_bytes(self.lines[number].address))
        return None if found is None else decode_token_account(found.data).amount

    def balances(self) -> list[int | None]:
        """What everybody's account holds."""
        return [self.balance(number) for number in range(len(self.lines))]

    def due(self, *without: int) -> list[int | None]:
        """What everybody should hold, but those at `without`, who hold nothing."""
        return [0 if number in without else line.amount for number, line in enumerate(self.lines)]


__all__ = ["IMMUTABLE_OWNER", "SETTINGS", "PushingDesk", "wallet"]
