"""A node that is broken, behind or lies: of the report is said what is not served, or nothing, and never that it holds
in full or fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from building_desk import BuildingDesk
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import (
    Account,
    Commitment,
    ConfirmedTransaction,
    MemcmpFilter,
    ProgramAccounts,
    SignatureInfo,
)
from tallystick.domain.reserve_report.checks import Status
from tallystick.errors import ChainError, LedgerError, RpcError
from tallystick.program.generated.accounts import Fill, ReserveReport
from tallystick.services.report_history import PAGE, list_back
from tallystick.services.report_verify import Verified, verify_report

ADDRESS = Pubkey.from_bytes(b"\7" * 32)


class WithoutAccounts(MemoryChain):
    """A node that leaves the accounts of one kind out of its lists."""

    kind: bytes = b""

    async def get_program_accounts(
        self, program_id: Pubkey, filters: Sequence[MemcmpFilter | int] = (), **arguments: Any
    ) -> ProgramAccounts:
        found = await super().get_program_accounts(program_id, filters, **arguments)
        left = {address: each for address, each in found.accounts.items() if each.data[:8] != self.kind}
        return ProgramAccounts(found.slot, left)


class WithoutHistory(MemoryChain):
    """A node that was started without history of transactions, and says so."""

    async def get_signatures_for_address(self, address: Pubkey, **_: Any) -> list[SignatureInfo]:
        raise RpcError(-32011, "Transaction history is not available from this node")

    async def get_transaction(
        self, signature: Signature, commitment: Commitment = "confirmed"
    ) -> ConfirmedTransaction | None:
        raise RpcError(-32011, "Transaction history is not available from this node")

    async def get_block_time(self, slot: int) -> int | None:
        raise RpcError(-32009, f"Slot {slot} was skipped, or missing in long-term storage")


class Behind(MemoryChain):
    """A node that has not come as far as the report."""

    async def get_account(self, address: Pubkey, commitment: Commitment = "confirmed") -> Account | None:
        return None

    async def get_slot(self, commitment: Commitment = "confirmed") -> int:
        return 1


class Listing(MemoryChain):
    """A node that answers with the same lines, whatever is asked."""

    lines: tuple[SignatureInfo, ...] = ()

    async def get_signatures_for_address(self, address: Pubkey, **_: Any) -> list[SignatureInfo]:
        return list(self.lines)


@pytest.fixture
async def desk() -> BuildingDesk:
    made = BuildingDesk()
    await made.month()
    return made


async def verify(desk: BuildingDesk, chain: MemoryChain) -> Verified:
    built = await desk.build()
    await desk.publish(built.report)
    return await verify_report(chain, built.report.content, desk.clock, issuer=desk.issuer)


@pytest.mark.parametrize("kind", [Fill, ReserveReport])
async def test_a_node_that_leaves_accounts_out_says_nothing_of_the_report(
    desk: BuildingDesk, kind: type[Fill | ReserveReport]
) -> None:
    chain = WithoutAccounts(desk.chain.ledger)
    chain.kind = kind.DISCRIMINATOR
    with pytest.raises(LedgerError, match="Nothing can be said of the report"):
        await verify(desk, chain)


async def test_a_node_without_history_shows_what_accounts_keep(desk: BuildingDesk) -> None:
    verified = await verify(desk, WithoutHistory(desk.chain.ledger))
    assert [each.words for each in verified.checks if each.status is Status.FAILED] == []
    unserved = {each.name for each in verified.checks if each.status is Status.NOT_SERVED}
    assert {"as-of and block times", "control log", "registers of holders", "closed days on chain"} <= unserved


async def test_a_node_behind_the_report_is_not_taken_for_one_that_has_no_such_report(desk: BuildingDesk) -> None:
    with pytest.raises(ChainError, match="has finalized slot 1\\."):
        await verify(desk, Behind(desk.chain.ledger))


def line(number: int, slot: int) -> SignatureInfo:
    return SignatureInfo(Signature.from_bytes(number.to_bytes(64, "little")), slot, None, slot)


@pytest.mark.parametrize(
    "lines",
    [
        tuple(line(number, 1_000_000 - number) for number in range(PAGE)),
        tuple(line(number, 7) for number in range(PAGE)),
        (line(1, 5), line(2, 9)),
        (line(1, 9), line(1, 9)),
    ],
    ids=["the same page again", "the same page of one slot again", "oldest first", "one twice"],
)
async def test_a_list_that_is_not_one_is_refused(lines: tuple[SignatureInfo, ...]) -> None:
    chain = Listing(BuildingDesk().chain.ledger)
    chain.lines = lines
    with pytest.raises(LedgerError, match="newest first and each once"):
        await list_back(chain, ADDRESS, lambda _: False)
