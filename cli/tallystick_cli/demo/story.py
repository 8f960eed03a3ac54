"""The demo's steps in their order. Each is a command as an operator would type it, run through the same function."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tallystick.domain.amounts import parse_base_units
from tallystick.errors import LedgerError
from tallystick.program import PROGRAM_ID
from tallystick.services.movements import MovementReference

from tallystick_cli.commands import (
    attest,
    close,
    hold,
    holder,
    init,
    issuer,
    localnet,
    order,
    reconcile,
    security,
    status,
)
from tallystick_cli.commands import statement as statements
from tallystick_cli.commands.close import Closed
from tallystick_cli.commands.reconcile import Reconciled
from tallystick_cli.context import Tally
from tallystick_cli.demo.cast import (
    ACCOUNT,
    APPLE,
    BLOCK,
    CUSTODIAN,
    CUSTODIAN_LEI,
    DECIMALS,
    HOLDERS,
    ISSUER,
    ISSUER_LEI,
    MICROSOFT,
    MISSING,
    NVIDIA,
    OTHERS,
    REDEEMED,
    SHARES,
    STRANGER,
    TREASURY,
)
from tallystick_cli.demo.cluster import DAY, HOUR, DemoClock
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.demo.refusals import (
    Refusal,
    backoffice_words,
    program_words,
    refusals_table,
    settle_instruction,
    subscribe_instruction,
)
from tallystick_cli.demo.statements import write_statement
from tallystick_cli.render import instant_text, shown_path

DELAY = 1


@dataclass(slots=True)
class Story:
    """One telling. `tally` signs without asking, `url` is its cluster."""

    tally: Tally
    clock: DemoClock
    url: str
    folder: Path
    upgrade_key: Path
    tell: Narrator
    _hold: str = ""

    async def open_issuer(self) -> None:
        """A profile with a key for each role, and the issuer on chain."""
        self.tell.step(
            "An issuer, with a key for each role",
            "No key holds two roles; whatever is granted waits, open to the guardian's veto (here 1 second).",
        )
        wallets = [*HOLDERS, STRANGER, TREASURY]
        options = (
            f'--name "{ISSUER}" --lei {ISSUER_LEI} --url {self.url} --custodian-name "{CUSTODIAN}" '
            f"--custodian-lei {CUSTODIAN_LEI} --account {ACCOUNT} --new-keys "
            f"--upgrade-authority {shown_path(self.upgrade_key)} {' '.join(f'--wallet {name}' for name in wallets)}"
        )
        await self.tell.run(
            f"tally init {options}",
            init.init(
                self.tally,
                name=ISSUER,
                lei=ISSUER_LEI,
                url=[self.url],
                custodian_lei=CUSTODIAN_LEI,
                custodian_name=CUSTODIAN,
                account=[ACCOUNT],
                new_keys=True,
                upgrade_authority=self.upgrade_key,
                wallet=wallets,
            ),
            is_shown=False,
        )
        await self.tell.run("tally fund", localnet.fund(self.tally), is_shown=False)
        await self.tell.run("tally issuer init --delay 1", issuer.init(self.tally, delay=DELAY), is_shown=False)
        for role in (
            issuer.RoleName.ATTESTOR,
            issuer.RoleName.OPERATOR,
            issuer.RoleName.COMPLIANCE,
            issuer.RoleName.RECONCILIATION,
            issuer.RoleName.CORPORATE_ACTIONS,
            issuer.RoleName.DISTRIBUTOR,
            issuer.RoleName.PUBLISHER,
        ):
            await self.tell.run(f"tally issuer role grant {role}", issuer.grant(self.tally, role), is_shown=False)
        await self._wait()
        await self.tell.run("tally issuer status", issuer.status(self.tally))

    async def list_shares(self) -> None:
        """Three share classes, and what the operator may mint of each."""
        self.tell.step(
            "Three US shares, by their ISINs",
            "Each is a Token-2022 mint that only the program can mint and burn, bound to the declared custody account.",
        )
        for share in SHARES:
            await self.tell.run(
                f"tally security list {share.isin} --symbol {share.symbol} --name '{share.name}' --cap 1000000 "
                "--max-age 172800",
                security.list_security(
                    self.tally,
                    share.isin,
                    symbol=share.symbol,
                    name=share.name,
                    cap="1000000",
                    decimals=DECIMALS,
                    max_age=2 * DAY,
                ),
                is_shown=share is APPLE,
            )
            await self.tell.run(
                f"tally security limit {share.symbol} --mint 500 --burn 500",
                security.limit(self.tally, share.symbol, mint="500", burn="500"),
                is_shown=False,
            )
        await self._wait()

    async def approve_holders(self) -> None:
        """Five wallets that may order; a sixth that nobody approved."""
        self.tell.step("Five holders", f"Compliance approves five wallets; {STRANGER}'s is not among them.")
        for number, name in enumerate(HOLDERS, start=1):
            await self.tell.run(
                f"tally holder approve {name} --investor KYC-{number}",
                holder.approve(self.tally, name, investor=f"KYC-{number}"),
                is_shown=False,
            )
        await self.tell.run("tally holder show", holder.show(self.tally))

    async def attest_reserve(self) -> None:
        """The custodian's statement becomes a reserve, by two of three attestors."""
        now = self.clock.now()
        quantities = {share.symbol: share.shares for share in SHARES}
        name = f"STMT-{(instant_text(now) or '')[:10]}"
        file = write_statement(self.folder / "custodian", name, now, quantities)
        self.tell.step(
            "The custodian's statement, attested by two of three",
            f"{CUSTODIAN} reports in ISO 20022 semt.002; two attestors put what it says in force as the reserve.",
        )
        await self.tell.run(f"tally statement add {shown_path(file)}", statements.add(self.tally, [file]))
        await self.tell.run("tally attest --all", attest.attest(self.tally, all_=True))

    async def settle_subscriptions(self) -> None:
        """Five orders from one movement, one of them for a quarter of a share; one order each of the others."""
        moment = self._an_hour_ago()
        self.tell.step(
            "Five subscriptions from one block of shares",
            f"{APPLE.shares} Apple shares came in one movement; it settles five orders, one of them for 0.25 share.",
        )
        for each in BLOCK:
            await self._subscribe(APPLE.symbol, each.holder, each.shares, each.reference)
        references = [each.reference for each in BLOCK]
        await self.tell.run(
            f"tally order settle {APPLE.symbol} {' '.join(references)} --movement {APPLE.movement} "
            f"--moved {APPLE.shares} --booked-at {moment}",
            order.settle(
                self.tally, APPLE.symbol, references, movement=APPLE.movement, moved=APPLE.shares, booked_at=moment
            ),
        )
        for share in (MICROSOFT, NVIDIA):
            each = OTHERS[share.symbol]
            await self._subscribe(share.symbol, each.holder, each.shares, each.reference)
            await self.tell.run(
                f"tally order settle {share.symbol} {each.reference} --movement {share.movement} "
                f"--moved {share.shares} --booked-at {moment}",
                order.settle(
                    self.tally,
                    share.symbol,
                    [each.reference],
                    movement=share.movement,
                    moved=share.shares,
                    booked_at=moment,
                ),
                is_shown=False,
            )
        await self.tell.run("tally order list --all", order.list_(self.tally, all_=True))

    async def show_refusals(self) -> tuple[Refusal, ...]:
        """A mint beyond the reserve, a movement used twice, a holder nobody approved: refused, by whom and how."""
        self.tell.step(
            "What is refused",
            "The backoffice says no before anything is signed; sent all the same, the program says no in its words.",
        )
        await self._subscribe(APPLE.symbol, HOLDERS[0], "1", "S-8")
        wallet = self.tally.profile.wallet(HOLDERS[0])
        operator, payer = self.tally.signer("operator"), self.tally.signer("payer")
        refusals: list[Refusal] = []
        for tried, movement, moved, booked_at in (
            ("Mint 1 token more than the reserve backs", "TRF-99999", "1", self._an_hour_ago()),
            (f"Use movement {APPLE.movement} a second time", APPLE.movement, APPLE.shares, None),
        ):
            reference = MovementReference(CUSTODIAN_LEI, ACCOUNT, movement, parse_base_units(moved, DECIMALS))
            said = await backoffice_words(
                order.settle(self.tally, APPLE.symbol, ["S-8"], movement=movement, moved=moved, booked_at=booked_at)
            )
            instruction = settle_instruction(self.tally, APPLE.isin, wallet, "S-8", reference, "1", DECIMALS)
            refusals.append(Refusal(tried, said, await program_words(self.tally, instruction, payer, operator)))
        stranger = self.tally.profile.wallet(STRANGER)
        said = await backoffice_words(order.subscribe(self.tally, APPLE.symbol, STRANGER, "1", reference="S-9"))
        instruction = await subscribe_instruction(self.tally, APPLE.isin, stranger, "S-9")
        refusals.append(
            Refusal(
                f"Take an order for {STRANGER}, whom nobody approved",
                said,
                await program_words(self.tally, instruction, payer, operator),
                "there is no holder record: compliance has not approved this wallet.",
            )
        )
        names = {str(stranger): STRANGER, f"Program {PROGRAM_ID}": "The program"}
        self.tell.print("", refusals_table([each.named(names) for each in refusals]))
        await self.tell.run("tally order cancel S-8 --reason 1", order.cancel(self.tally, "S-8", reason=1))
        return tuple(refusals)

    async def redeem(self) -> None:
        """Tokens go to escrow, the operator accepts, the custodian delivers, the tokens are burnt."""
        ben = HOLDERS[1]
        self.tell.step(
            f"{ben.capitalize()} redeems {REDEEMED} shares",
            "Into escrow, accepted before the custodian is instructed, burnt when the shares have left; else returned.",
        )
        await self.tell.run(
            f"tally order redeem {APPLE.symbol} {ben} {REDEEMED} --reference R-1",
            order.redeem(self.tally, APPLE.symbol, ben, REDEEMED, reference="R-1"),
            is_shown=False,
        )
        await self.tell.run("tally order accept R-1", order.accept(self.tally, "R-1"), is_shown=False)
        self.tell.say("Two hours pass: the custodian is instructed, and the shares leave.")
        await self.clock.warp(self.url, 2 * HOUR)
        moment = self._an_hour_ago()
        await self.tell.run(
            f"tally order settle-redemption {APPLE.symbol} R-1 --movement TRF-88130 --moved {REDEEMED} "
            f"--booked-at {moment}",
            order.settle_redemption(
                self.tally, APPLE.symbol, ["R-1"], movement="TRF-88130", moved=REDEEMED, booked_at=moment
            ),
        )

    async def end_the_day(self) -> tuple[Closed, Reconciled]:
        """Reconcile clean, and close the day."""
        self.tell.step(
            "The day's end: reconciled and closed",
            "Custodian, chain and order book agree to the last unit; the close is hash-chained to the next one.",
        )
        report = self.folder / "reconciliation-day-1.json"
        clean = await self.tell.run(
            f"tally reconcile --out {shown_path(report)}", reconcile.reconcile_now(self.tally, out=report)
        )
        if not clean.report.is_clean:
            raise LedgerError("Expected a clean reconciliation; the breaks above are a defect.", hint="Report them.")
        out = self.folder / "close-day-1.json"
        closed = await self.tell.run(f"tally close --out {shown_path(out)}", close.close(self.tally, out=out))
        return closed, clean

    async def show_break(self) -> Reconciled:
        """The next day's statement is short, and reconciliation says by how much."""
        await self.clock.next_day(self.url)
        left = self._left - int(MISSING)
        file = self._write_statement("", left)
        self.tell.step(
            f"The next day: a statement that is {MISSING} shares short",
            f"{CUSTODIAN} reports {left} Apple shares; {self._left} tokens are out.",
        )
        await self.tell.run(f"tally statement add {shown_path(file)}", statements.add(self.tally, [file]))
        report = self.folder / "reconciliation-day-2.json"
        found = await self.tell.run(
            f"tally reconcile --out {shown_path(report)}", reconcile.reconcile_now(self.tally, out=report)
        )
        if found.report.is_clean:
            raise LedgerError("Expected the missing shares to show as a break.", hint="Report this: it is a defect.")
        self.tell.say(
            f"Exit code {found.exit_code}, so a cron job notices. The reconciliation key stops minting meanwhile:"
        )
        placed = await self.tell.run(
            f"tally hold place {APPLE.symbol} --by reconciliation --scope mint --reference BREAK-1 "
            f"--reason '{MISSING} shares short' --expires 48h",
            hold.place(
                self.tally,
                APPLE.symbol,
                by=hold.OwnerName.RECONCILIATION,
                scope=[hold.ScopeName.MINT],
                reference="BREAK-1",
                reason=f"{MISSING} shares short",
                expires="48h",
            ),
        )
        await self.tell.run("tally status", status.status(self.tally))
        self.tell.print("")
        self._hold = placed.details["hold"]
        return found

    async def mend_break(self) -> None:
        """The custodian corrects its books; the break closes by not being found again, and minting goes on."""
        self.tell.step(
            "The missing shares are found",
            f"{CUSTODIAN} had booked them to another account, and sends a new statement four hours later.",
        )
        await self.clock.warp(self.url, 4 * HOUR)
        file = self._write_statement("-CORRECTED", self._left)
        await self.tell.run(
            f"tally statement add {shown_path(file)}", statements.add(self.tally, [file]), is_shown=False
        )
        report = self.folder / "reconciliation-mended.json"
        mended = await self.tell.run(
            f"tally reconcile --out {shown_path(report)}", reconcile.reconcile_now(self.tally, out=report)
        )
        if not mended.report.is_clean:
            raise LedgerError("Expected the break to be gone.", hint="Report this: it is a defect.")
        await self.tell.run(f"tally hold release {self._hold}", hold.release(self.tally, self._hold), is_shown=False)

    async def _subscribe(self, symbol: str, wallet: str, shares: str, reference: str) -> None:
        await self.tell.run(
            f"tally order subscribe {symbol} {wallet} {shares} --reference {reference}",
            order.subscribe(self.tally, symbol, wallet, shares, reference=reference),
            is_shown=False,
        )

    @property
    def _left(self) -> int:
        """Apple shares after the redemption."""
        return int(APPLE.shares) - int(REDEEMED)

    def _write_statement(self, suffix: str, apple: int) -> Path:
        """The custodian's statement of a minute ago, with so many Apple shares."""
        now = self.clock.now()
        quantities = {share.symbol: share.shares for share in SHARES} | {APPLE.symbol: str(apple)}
        name = f"STMT-{(instant_text(now) or '')[:10]}{suffix}"
        return write_statement(self.folder / "custodian", name, now - 60, quantities)

    async def _wait(self) -> None:
        await self.clock.warp(self.url, DELAY + 1)

    def _an_hour_ago(self) -> str:
        return instant_text(self.clock.now() - HOUR) or ""
