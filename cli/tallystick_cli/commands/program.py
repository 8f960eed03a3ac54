"""tally program: deploy the packaged program to a test cluster, and verify what a cluster runs."""

from __future__ import annotations

from dataclasses import dataclass

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text
from tallystick.program import PROGRAM_ID
from tallystick.program.artifacts import program_binary
from tallystick.program.loader import development_program_key
from tallystick.services.deployment import (
    Deployment,
    ProgramState,
    plan_deployment,
    read_program_state,
    write_chunks,
)
from tallystick.services.plans import Plan, execute

from tallystick_cli.approval import ask, count
from tallystick_cli.command import command
from tallystick_cli.context import KeypairSigner, Tally, new_memory_outbox
from tallystick_cli.dry_run import end_dry_run
from tallystick_cli.failures import DONE, REFUSED
from tallystick_cli.render import amount, facts, stack

SOL_DECIMALS = 9

app = typer.Typer(no_args_is_help=True, help="The on-chain program: deploy it to a test cluster, verify it anywhere.")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a cluster runs, beside what is packaged."""

    state: ProgramState
    cluster: str

    @property
    def exit_code(self) -> int:
        """0 when they are the same program."""
        return DONE if self.state.is_packaged else REFUSED

    def document(self) -> dict[str, object]:
        """Hashes, slot and authority."""
        state = self.state
        return {
            "program": str(state.program),
            "is_packaged": state.is_packaged,
            "deployed_sha256": state.deployed_hash.hex() if state.deployed_hash else None,
            "packaged_sha256": state.packaged_hash.hex(),
            "deployed_slot": state.deployed_slot,
            "upgrade_authority": str(state.upgrade_authority) if state.upgrade_authority else None,
        }

    def view(self) -> RenderableType:
        """The verdict, and what it rests on."""
        state = self.state
        if state.is_packaged:
            verdict = Text("✓ The cluster runs the packaged program.", style="green")
        elif state.deployed_hash is None:
            verdict = Text("✗ Nothing is deployed at this address. Deploy it with: tally program deploy", style="red")
        else:
            verdict = Text("✗ The cluster runs another program than the packaged one.", style="red")
        return stack(
            verdict,
            facts(
                [
                    ("Cluster", self.cluster),
                    ("Program", str(state.program)),
                    ("Deployed SHA-256", state.deployed_hash.hex() if state.deployed_hash else "none"),
                    ("Packaged SHA-256", state.packaged_hash.hex()),
                    ("Deployed in slot", str(state.deployed_slot) if state.deployed_slot is not None else ""),
                    ("Upgrade authority", str(state.upgrade_authority or "nobody") if state.deployed_hash else ""),
                ]
            ),
        )


@command(app, examples=("tally program verify", "tally program verify --json"))
async def verify(tally: Tally) -> Verified:
    """Compare the program on the cluster with the packaged one, by SHA-256. Exit 1 when they differ."""
    state = await read_program_state(tally.open_chain(), PROGRAM_ID, program_binary())
    return Verified(state, tally.cluster_name)


@command(
    app,
    signs=True,
    examples=("tally program deploy", "tally program deploy --yes --json   # in a script; carries on when cut off"),
)
async def deploy(tally: Tally) -> Verified:
    """Deploy the packaged program to a test cluster, at its development id. Refused on mainnet."""
    chain, binary = tally.open_chain(), program_binary()
    authority = tally.signer("upgrade_authority" if tally.profile.keys.upgrade_authority else "admin")
    payer, program = tally.payer(authority), KeypairSigner(development_program_key())
    deployment = await plan_deployment(
        chain, payer=payer.pubkey, authority=authority.pubkey, program=program.pubkey, binary=binary
    )
    overview = deployment.finish if deployment.is_empty else _overview(deployment, len(binary))
    await end_dry_run(tally, overview, (payer, authority, program), withheld=_withheld(deployment))
    if not deployment.is_empty:
        if not tally.is_yes:
            ask(tally, overview)
        signers = tally.ring(payer, authority, program)
        sender, trail = tally.new_sender(new_memory_outbox()), await tally.open_trail()
        for result in await execute(deployment.prepare, sender, signers, trail=trail):
            result.require_done()
        with Progress(
            TextColumn("Writing the program"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=tally.err,
            transient=True,
        ) as progress:
            task = progress.add_task("", total=len(deployment.chunks))
            await write_chunks(
                chain,
                sender,
                deployment,
                signers,
                payer.pubkey,
                lambda left: progress.update(task, completed=len(deployment.chunks) - left),
            )
        for result in await execute(deployment.finish, sender, signers, trail=trail):
            result.require_done()
    return Verified(await read_program_state(chain, program.pubkey, binary), tally.cluster_name)


def _withheld(deployment: Deployment) -> dict[str, str]:
    """What a dry run cannot simulate: what needs the whole program in its buffer."""
    if not deployment.chunks:
        return {}
    reason = f"It needs the {count(len(deployment.chunks), 'transaction')} before it that write the program."
    return {each.intent: reason for each in deployment.finish.actions}


def _overview(deployment: Deployment, size: int) -> Plan:
    """One plan to look at: the transactions that fill the buffer are told as a number."""
    notes = (
        f"Between them {count(len(deployment.chunks), 'transaction')} write {size:,} bytes; cut off, it carries on.",
        f"The buffer's rent of {amount(deployment.lamports, SOL_DECIMALS)} SOL pays for the program's account.",
        "The key of this program id is published: it is for development and tests.",
    )
    return Plan(deployment.finish.title, (*deployment.prepare.actions, *deployment.finish.actions), notes)
