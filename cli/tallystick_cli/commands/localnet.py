"""tally localnet, tally fund: a cluster for development, and SOL for the profile's keys on it."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.errors import ConfigurationError, TallystickError
from tallystick.localnet import BANNER, LocalnetServer, create_ledger, serve
from tallystick.program import PROGRAM_ID

from tallystick_cli.command import command
from tallystick_cli.context import Tally
from tallystick_cli.render import amount, facts, json_text, stack, table

LAMPORTS_PER_SOL = 10**9
SOL_DECIMALS = 9
FUNDED_WITHIN_SECONDS = 60

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Serving:
    """A localnet that answers, or that has ended."""

    url: str
    upgrade_authority: Pubkey | None
    has_ended: bool = False
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Where it is and what runs on it."""
        return {
            "url": self.url,
            "program": str(PROGRAM_ID) if self.upgrade_authority else None,
            "upgrade_authority": str(self.upgrade_authority) if self.upgrade_authority else None,
            "for": "development",
        }

    def view(self) -> RenderableType:
        """The banner, or a goodbye."""
        if self.has_ended:
            return Text("The localnet has ended, and everything on it.", style="dim")
        program = str(PROGRAM_ID) if self.upgrade_authority else "none; deploy it with: tally program deploy"
        rows = [("JSON-RPC", self.url), ("Program", program)]
        if self.upgrade_authority:
            rows.append(("Upgrade authority", str(self.upgrade_authority)))
        rows += [("Move time", 'tally_warp, params [{"seconds": 60}]'), ("Stop", "Ctrl-C")]
        body = stack(Text(BANNER, style="yellow"), facts(list(rows)))
        return Panel(body, title="[bold]Localnet · development only[/bold]", title_align="left", border_style="yellow")


@command(
    app,
    "localnet",
    examples=(
        "tally localnet",
        "tally localnet --port 8900 --upgrade-authority 7xKX…",
        "tally localnet --bare   # then: tally program deploy",
    ),
)
async def localnet(
    tally: Tally,
    host: Annotated[
        str, typer.Option(help="Address to listen on; anyone who reaches it may move its time.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8899,
    upgrade_authority: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Who may upgrade the program; else the profile's key, or its admin."),
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Without our program and Token-2022 v11.")] = False,
) -> Serving:
    """Serve Solana JSON-RPC from this process, for development: in memory, gone when it ends."""
    authority = None if bare else _authority(tally, upgrade_authority)
    ledger = create_ledger(tally.clock, upgrade_authority=authority)
    url = ""

    def started(server: LocalnetServer) -> None:
        nonlocal url
        url = server.url
        serving = Serving(url, authority)
        if tally.is_json:
            tally.out.file.write(json_text(serving.document()) + "\n")
            tally.out.file.flush()
        else:
            tally.out.print(serving.view())

    serving = asyncio.create_task(serve(ledger, host, port, started=started))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        serving.cancel()
    if tally.is_json:
        # The one document was written when it began to answer.
        raise typer.Exit(0)
    return Serving(url, authority, has_ended=True)


@dataclass(frozen=True, slots=True)
class Funded:
    """What each key holds now, in lamports."""

    balances: tuple[tuple[str, Pubkey, int], ...]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Role, address and lamports of each key."""
        rows = [{"key": name, "address": str(key), "lamports": str(held)} for name, key, held in self.balances]
        return {"keys": rows}

    def view(self) -> RenderableType:
        """A table of keys."""
        rows = table("Key", "Address", "SOL", right=["SOL"])
        for name, key, held in self.balances:
            rows.add_row(name, str(key), amount(held, SOL_DECIMALS))
        return rows


@command(app, "fund", examples=("tally fund", "tally fund --sol 2"))
async def fund(
    tally: Tally,
    sol: Annotated[int, typer.Option(help="SOL for each key that has less.", min=1, max=1000)] = 10,
) -> Funded:
    """Ask the faucet of a test cluster for SOL, for every key that the profile names."""
    return Funded(await fund_keys(tally, sol * LAMPORTS_PER_SOL))


async def fund_keys(tally: Tally, lamports: int) -> tuple[tuple[str, Pubkey, int], ...]:
    """Bring every key of the profile to `lamports`, and tell what each holds."""
    chain = tally.open_chain()
    keys = tally.own_keys()
    if not keys:
        raise ConfigurationError("The profile names no key files.", hint="Create some with: tally init --new-keys")
    signatures = []
    for key in dict.fromkeys(keys.values()):
        held = await chain.get_balance(key)
        if held < lamports:
            signatures.append(await chain.request_airdrop(key, lamports - held))
    deadline = tally.clock.monotonic() + FUNDED_WITHIN_SECONDS
    while signatures and tally.clock.monotonic() < deadline:
        statuses = await chain.get_signature_statuses(signatures)
        if all(status is not None and status.commitment != "processed" for status in statuses):
            break
        await tally.clock.sleep(0.2)
    return tuple([(name, key, await chain.get_balance(key)) for name, key in keys.items()])


def _authority(tally: Tally, given: str | None) -> Pubkey | None:
    if given:
        try:
            return Pubkey.from_string(given)
        except ValueError:
            raise ConfigurationError(f"{given!r} is not an address in base 58.") from None
    for role in ("upgrade_authority", "admin"):
        try:
            return tally.signer(role).pubkey
        except TallystickError:
            continue
    return None
