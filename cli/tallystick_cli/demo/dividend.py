"""The demo's dividend: from five holders to five hundred, announced, planned, opened, pushed, claimed and counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey
from tallystick.domain.amounts import parse_base_units
from tallystick.errors import LedgerError
from tallystick.program.token import associated_token_address
from tallystick.services.securities import security_of

from tallystick_cli.commands import (
    action,
    dividend,
    dividend_push,
    dividend_record,
    dividend_view,
    holder,
    holding,
    order,
)
from tallystick_cli.commands.dividend_push import Pushed
from tallystick_cli.context import Tally
from tallystick_cli.demo.cast import (
    APPLE,
    CUSTODIAN,
    DECIMALS,
    DIVIDEND,
    HOLDERS,
    IN_ESCROW,
    RENT_CAP,
    TREASURY,
)
from tallystick_cli.demo.cluster import HOUR, DemoClock
from tallystick_cli.demo.crowd import NAMES, CrowdHolder, Lot, make_crowd, of_lot, spread
from tallystick_cli.demo.dollar import DECIMALS as CENTS
from tallystick_cli.demo.dollar import DemoDollar
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.demo.payout import DividendTold, balances, count, repeat_batch
from tallystick_cli.demo.refusals import backoffice_words
from tallystick_cli.demo.statements import write_confirmation
from tallystick_cli.render import shown_path, table

SYMBOL = APPLE.symbol
EVENT = DIVIDEND.event
TEXT = f"{SYMBOL} {EVENT}"
KEPT = {"anna": "2", "ben": "2", "carla": "7", "david": "2"}
"""Tokens that the first holders keep."""


@dataclass(slots=True)
class DividendStory:
    """Told after the first day's close. `tally` signs without asking, `url` is its cluster."""

    tally: Tally
    clock: DemoClock
    url: str
    folder: Path
    tell: Narrator
    crowd: tuple[CrowdHolder, ...] = field(default_factory=make_crowd)

    async def tell_all(self) -> DividendTold:
        """Every step. LedgerError when a balance on chain is another than was told."""
        await self.find_holders()
        await self.announce()
        file, refused = await self.count_holders()
        await self.open(file)
        pushed = await self.push()
        return await self.claim(pushed, refused)

    async def find_holders(self) -> None:
        """Tokens go from hand to hand; compliance freezes a holder's, and another's are in escrow."""
        self.tell.step(
            "Five holders become five hundred",
            "Tokens move from wallet to wallet as any token does, and the issuer is not asked.",
        )
        sources = {
            name: held - parse_base_units(KEPT[name], DECIMALS)
            for name, held in zip(KEPT, await self._held(list(KEPT)), strict=True)
        }
        sent = await spread(self.tally, self._mint, DECIMALS, self.crowd, sources)
        await self._open_dollars()
        self._name_holders()
        self.tell.say(
            f"{sent} transactions bring tokens to {len(self.crowd)} more holders; "
            f"{len(of_lot(self.crowd, Lot.PROGRAM))} of them are programs, not people. Compliance freezes what one "
            "has. Another redeems, so that her tokens are in escrow when holders are counted:"
        )
        frank = NAMES[Lot.FROZEN_TOKENS]
        await self.tell.run(
            f"tally holding freeze {SYMBOL} {frank} --reason 'court order 7'",
            holding.freeze(self.tally, SYMBOL, frank, reason="court order 7"),
            is_shown=False,
        )
        carla = HOLDERS[2]
        await self.tell.run(
            f"tally order redeem {SYMBOL} {carla} {IN_ESCROW} --reference R-2",
            order.redeem(self.tally, SYMBOL, carla, IN_ESCROW, reference="R-2"),
            is_shown=False,
        )

    async def announce(self) -> None:
        """The custodian's notice, announced by one key and approved by another."""
        self.tell.step(
            f"A dividend of {DIVIDEND.gross_per_share} {DIVIDEND.currency} a share",
            f"{CUSTODIAN}'s notice is announced by one key and approved by another. Holders are counted in an hour.",
        )
        notice = self.folder / "custodian" / f"NOTICE-{EVENT}.txt"
        notice.write_text(f"{EVENT} DVCA {APPLE.isin} {DIVIDEND.gross_per_share} {DIVIDEND.currency}\n")
        await self.tell.run(
            f"tally action announce {TEXT} --kind DVCA --gross {DIVIDEND.gross_per_share} --currency "
            f"{DIVIDEND.currency} --withholding {DIVIDEND.withholding} --record 1h --pay 2h --evidence "
            f"{shown_path(notice)}",
            action.announce(
                self.tally,
                SYMBOL,
                EVENT,
                kind="DVCA",
                evidence=notice,
                record="1h",
                pay="2h",
                gross=DIVIDEND.gross_per_share,
                currency=DIVIDEND.currency,
                withholding=DIVIDEND.withholding,
            ),
        )
        await self.tell.run(
            f"tally action approve {TEXT} --evidence {shown_path(notice)}",
            action.approve(self.tally, SYMBOL, EVENT, evidence=notice),
        )

    async def count_holders(self) -> tuple[Path, tuple[tuple[str, str], ...]]:
        """The register when the record date has come; then who is owed what, from the cash that was confirmed."""
        self.tell.step(
            "The register at the record date, and the cash",
            "Every holder at one slot, adding up to the supply. Paid is what the custodian confirms, and nothing else.",
        )
        await self.clock.warp(self.url, HOUR + 1)
        record_at = self.clock.now()
        await self.tell.run(f"tally dividend record {TEXT}", dividend_record.record(self.tally, SYMBOL, EVENT))
        await self._change_accounts()
        carla = HOLDERS[2].capitalize()
        self.tell.print("")
        self.tell.say(f"{carla}'s {IN_ESCROW} tokens in escrow are counted as hers. She keeps her shares after all:")
        await self.tell.run(
            "tally order cancel R-2 --reason 2", order.cancel(self.tally, "R-2", reason=2), is_shown=False
        )
        self._declare()
        custodian = self.folder / "custodian"
        now = self.clock.now()
        file = write_confirmation(custodian, APPLE, DIVIDEND, record_at, now)
        other = write_confirmation(custodian, APPLE, replace(DIVIDEND, event="CA-2026-29"), record_at, now)
        refused = (
            ("Plan before the cash is confirmed", await backoffice_words(dividend.plan(self.tally, SYMBOL, EVENT))),
            (
                "Plan with another event's confirmation",
                await backoffice_words(dividend.plan(self.tally, SYMBOL, EVENT, confirmation=[other])),
            ),
        )
        self.tell.say("The profile says which token is paid for a currency, and what is withheld of whom, and why.")
        self._show(refused)
        await self.tell.run(
            f"tally dividend plan {TEXT} --confirmation {shown_path(file)}",
            dividend.plan(self.tally, SYMBOL, EVENT, confirmation=[file]),
        )
        return file, refused

    async def open(self, file: Path) -> None:
        """The list goes on chain as a root, a second key computes it again, and the treasury pays in."""
        self.tell.step(
            "Opened by one key, approved by another, funded",
            "On chain is a root for the whole list and a bit for each payment. Whoever pays can change neither.",
        )
        await self.tell.run(f"tally dividend open {TEXT}", dividend.open_(self.tally, SYMBOL, EVENT))
        await self.tell.run(
            f"tally dividend approve {TEXT} --confirmation {shown_path(file)}",
            dividend.approve(self.tally, SYMBOL, EVENT, confirmation=[file]),
        )
        await self.tell.run(f"tally dividend fund {TEXT}", dividend.fund(self.tally, SYMBOL, EVENT), is_shown=False)

    async def push(self) -> Pushed:
        """Everybody who can be paid is paid, one wallet first."""
        emma = HOLDERS[4]
        self.tell.step(
            "Pushed to everybody: one wallet, one batch, the rest",
            "57 holders in a transaction. Who cannot be paid is named with the reason, and the money stays in escrow.",
        )
        closed, missing = (len(of_lot(self.crowd, lot)) for lot in (Lot.CLOSED, Lot.NO_ACCOUNT))
        self.tell.say(
            f"Since the record date {closed} holders closed their accounts for dollars, one gave it away, and the "
            f"dollar's issuer froze one; {missing} never had any. Today compliance suspends {emma}:"
        )
        await self.tell.run(
            f"tally holder suspend {emma}", holder.suspend(self.tally, emma, evidence=None), is_shown=False
        )
        await self.clock.warp(self.url, HOUR)
        pushed = await self.tell.run(
            f"tally dividend push {TEXT} --rent-cap {RENT_CAP}",
            dividend_push.push_(self.tally, SYMBOL, EVENT, rent_cap=RENT_CAP),
        )
        if not isinstance(pushed, Pushed) or not pushed.is_finished:
            raise LedgerError("Expected the push to pay all it could.", hint="Report this: it is a defect.")
        return pushed

    async def claim(self, pushed: Pushed, refused: tuple[tuple[str, str], ...]) -> DividendTold:
        """Nobody is paid twice, two who were left claim, and every unit is found again on chain."""
        self.tell.step(
            "Paid once, claimed, proved, counted",
            "The first batch is sent again, past the backoffice: the program finds its bits set and pays nobody.",
        )
        repeated = await repeat_batch(self.tally, pushed.record)
        self.tell.print("", repeated.view())
        heidi, emma = NAMES[Lot.FROZEN_ACCOUNT], HOLDERS[4]
        dollar = DemoDollar.of(self.tally)
        claims = (
            (f"Claim for {emma}, whom compliance suspended", await self._refused_claim(emma)),
            (f"Claim for {heidi}, whose dollars are frozen", await self._refused_claim(heidi)),
        )
        self._show(claims)
        await dollar.thaw(self.tally.profile.wallet(heidi))
        self.tell.print("")
        self.tell.say(f"The dollar's issuer thaws {heidi}'s account. Who had none gets one with the claim:")
        unopened = await self._unopened(dollar)
        for wallet in (heidi, str(unopened[0])):
            await self.tell.run(
                f"tally dividend claim {TEXT} {wallet}", dividend.claim(self.tally, SYMBOL, EVENT, wallet)
            )
        carla = HOLDERS[2]
        out = self.folder / f"dividend-{carla}.json"
        await self.tell.run(
            f"tally dividend statement {TEXT} {carla} --out {shown_path(out)}",
            dividend_view.statement(self.tally, SYMBOL, EVENT, carla, out=out),
        )
        checked = await self.tell.run(
            f"tally dividend statement --check {shown_path(out)}",
            dividend_view.statement(self.tally, check=out),
            is_shown=False,
        )
        if checked.exit_code:
            raise LedgerError("Expected the statement to hold.", hint="Report this: it is a defect.")
        self.tell.say("✓ Sums, proof and root hold, against the chain.")
        await self.tell.run(f"tally dividend status {TEXT}", dividend_view.status(self.tally, SYMBOL, EVENT))
        counted = await count(self.tally, pushed.record, parse_base_units(DIVIDEND.net, CENTS))
        self.tell.print("", counted.view())
        return DividendTold(pushed, repeated, counted, refused + claims)

    async def _open_dollars(self) -> None:
        """Dollars in the treasury, as many as the custodian will have paid, and accounts of all but six holders."""
        dollar = DemoDollar.of(self.tally)
        await dollar.make(self.tally.profile.wallet(TREASURY), parse_base_units(DIVIDEND.net, CENTS))
        wallets = [self.tally.profile.wallet(name) for name in HOLDERS]
        await dollar.open_accounts(wallets + [each.address for each in self.crowd if each.lot is not Lot.NO_ACCOUNT])

    async def _change_accounts(self) -> None:
        """What holders and the dollar's issuer do with accounts after the record date."""
        dollar = DemoDollar.of(self.tally)
        await dollar.close([each.key for each in of_lot(self.crowd, Lot.CLOSED) if each.key is not None])
        for each in of_lot(self.crowd, Lot.FROZEN_ACCOUNT):
            await dollar.freeze(each.address)
        for each in of_lot(self.crowd, Lot.GIVEN_AWAY):
            assert each.key is not None
            await dollar.give_away(each.key, dollar.issuer.pubkey)

    async def _unopened(self, dollar: DemoDollar) -> list[Pubkey]:
        """Holders that still have no account for dollars."""
        lots = (Lot.NO_ACCOUNT, Lot.CLOSED)
        wallets = [each.address for each in self.crowd if each.lot in lots]
        _, found = await self.tally.open_chain().get_accounts([dollar.account(each) for each in wallets])
        return [wallet for wallet, account in zip(wallets, found, strict=True) if account is None or not account.data]

    async def _refused_claim(self, wallet: str) -> str:
        said = await backoffice_words(dividend.claim(self.tally, SYMBOL, EVENT, wallet))
        return said.replace(str(self.tally.profile.wallet(wallet)), wallet)

    async def _held(self, names: list[str]) -> list[int]:
        wallets = [self.tally.profile.wallet(name) for name in names]
        accounts = [associated_token_address(wallet, self._mint) for wallet in wallets]
        return await balances(self.tally.open_chain(), accounts)

    @property
    def _mint(self) -> Pubkey:
        return security_of(self.tally.issuer, APPLE.isin).mint

    def _show(self, refused: tuple[tuple[str, str], ...]) -> None:
        rows = table("Refused", "Because")
        for tried, said in refused:
            rows.add_row(tried, said)
        self.tell.print("", rows)

    def _name_holders(self) -> None:
        """Names in the profile for those the story is about."""

        def write(document: dict[str, Any]) -> None:
            for lot, name in NAMES.items():
                [found] = of_lot(self.crowd, lot)
                document["wallets"][name] = {"address": str(found.address)}

        self.tally.change_profile(write)

    def _declare(self) -> None:
        """What the profile says of dividends."""
        mint = str(DemoDollar.of(self.tally).address)

        def write(document: dict[str, Any]) -> None:
            document["dividends"] = {
                "refund": TREASURY,
                "default_class": "standard",
                "default_reason": "Opinion of counsel, invented for the demo",
                "payment": [{"currency": DIVIDEND.currency, "mint": mint}],
                "withholding": [
                    {
                        "class": "standard",
                        "rate": "0%",
                        "from": "2020-01-01",
                        "reason": "Withheld in full before the custodian is credited",
                    }
                ],
            }

        self.tally.change_profile(write)
