"""tally init: a profile in a few questions, or entirely by options."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import canonical_spelling, parse_lei
from tallystick.errors import ConfigurationError, InputError

from tallystick_cli.command import command
from tallystick_cli.context import Tally
from tallystick_cli.profile import VERSION, wallet_name, write_profile
from tallystick_cli.render import facts, stack, table

NewKey: TypeAlias = tuple[str, Pubkey, Path]
"""Whose key it is, its address, and its file."""
ROLES: Final = (
    "payer",
    "admin",
    "guardian",
    "operator",
    "reconciliation",
    "distributor",
    "payout",
    "publisher",
    "report_approver",
)
KEYS_OF_TWO: Final = 2
"""Corporate actions: one announces, another approves. Compliance: one proposes a seizure, another executes it."""

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Initialised:
    """A profile that was written, and the keys that were made for it."""

    path: Path
    keys: tuple[NewKey, ...]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The profile's path, and address and file of each new key."""
        rows = [{"key": name, "address": str(key), "file": str(file)} for name, key, file in self.keys]
        return {"profile": str(self.path), "keys": rows}

    def view(self) -> RenderableType:
        """What was written and what to do next."""
        rows = None
        if self.keys:
            rows = table("Key", "Address", "File")
            for name, key, file in self.keys:
                rows.add_row(name, str(key), str(file.relative_to(self.path.parent)))
        steps = facts(
            [
                ("1", "tally localnet      a cluster for development, in another terminal"),
                ("2", "tally fund          SOL for the keys, from its faucet"),
                ("3", "tally issuer init   open the issuer on chain"),
            ]
        )
        return stack(
            Text.assemble(("✓ ", "green"), f"The profile is at {self.path}"), rows, Text("Next:", style="bold"), steps
        )


@command(
    app,
    "init",
    examples=(
        "tally init",
        'tally init --name "Example Issuer Ltd" --lei 5299…  --custodian-lei 5493… --account SAFE-001 --new-keys',
        "tally init --profile ./profile.toml --url https://rpc.example.com --url https://rpc.example.org …",
    ),
)
async def init(
    tally: Tally,
    name: Annotated[str | None, typer.Option(help="The issuer's legal name.")] = None,
    lei: Annotated[str | None, typer.Option(help="The issuer's LEI.")] = None,
    url: Annotated[list[str] | None, typer.Option(help="An RPC endpoint; repeat it for a second provider.")] = None,
    custodian_lei: Annotated[str | None, typer.Option(help="The custodian's LEI.")] = None,
    custodian_name: Annotated[str | None, typer.Option(help="The custodian's name.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="A custody account as the statements spell it; repeat for more.")
    ] = None,
    new_keys: Annotated[
        bool | None,
        typer.Option("--new-keys/--no-keys", help="Make a key file for each role, for development; or none."),
    ] = None,
    attestors: Annotated[int, typer.Option(help="Attestor keys to make.", min=2, max=8)] = 3,
    upgrade_authority: Annotated[
        Path | None,
        typer.Option(help="The key file that may upgrade the program, and so open an issuer; else the admin's."),
    ] = None,
    wallet: Annotated[
        list[str] | None,
        typer.Option(help="Make a wallet's key under this name, for development; repeat for more."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile that is there.")] = False,
) -> Initialised:
    """Write a profile: the issuer, the cluster, the custodian and its accounts, and key files by role."""
    path = tally.path
    if path.exists() and not force:
        raise ConfigurationError(
            f"There is a profile at {path} already.",
            hint="Name another with --profile, or replace it with --force; key files are never overwritten.",
        )
    name = _given(tally, name, "--name", "Issuer's legal name")
    lei = _given(tally, lei, "--lei", "Issuer's LEI", parse_lei)
    urls = url or _given(tally, None, "--url", "RPC endpoints, with blanks between", default=DEFAULT_URL).split()
    custodian_lei = _given(tally, custodian_lei, "--custodian-lei", "Custodian's LEI", parse_lei)
    if custodian_name is None:
        custodian_name = _given(tally, None, "--custodian-name", "Custodian's name", default="Custodian")
    accounts = account or _given(tally, None, "--account", "Custody accounts, with commas between").split(",")
    accounts = [canonical_spelling(each) for each in accounts]
    if new_keys is None:
        new_keys = tally.can_ask and typer.confirm("Make key files for development?", default=False, err=True)
    made = make_keys(path.parent / "keys", attestors) if new_keys else ()
    salt = make_salt(path.parent / "keys" / "investor-salt.hex")
    write_profile(
        path,
        profile_document(
            name=name,
            lei=lei,
            urls=urls,
            custodian_lei=custodian_lei,
            custodian_name=custodian_name,
            accounts=accounts,
            keys=made,
            salt=salt,
            folder=path.parent,
        ),
    )
    if upgrade_authority is not None or wallet:
        made += _add_keys(tally, upgrade_authority, wallet or [])
    return Initialised(path, made)


DEFAULT_URL: Final = "http://127.0.0.1:8899"


def profile_document(
    *,
    name: str,
    lei: str,
    urls: list[str],
    custodian_lei: str,
    custodian_name: str,
    accounts: list[str],
    keys: tuple[NewKey, ...],
    salt: Path,
    folder: Path,
) -> dict[str, Any]:
    """A new profile as its TOML document; key files relative to `folder`."""
    files = {role: str(file.relative_to(folder)) for role, _, file in keys}
    several = {
        name: [file for role, file in files.items() if role.startswith(prefix)]
        for name, prefix in (
            ("attestors", "attestor-"),
            ("corporate_actions", "corporate-actions-"),
            ("compliance", "compliance-"),
        )
    }
    listed = {file for found in several.values() for file in found}
    by_role: dict[str, Any] = {role: file for role, file in files.items() if file not in listed}
    by_role |= {name: found for name, found in several.items() if found}
    return {
        "version": VERSION,
        "cluster": {"urls": urls},
        "issuer": {"name": name, "lei": lei, "address": "", "investor_salt": str(salt.relative_to(folder))},
        "keys": by_role,
        "store": {"url": "sqlite:///tallystick.sqlite3", "archive": "statements"},
        "custodians": [{"lei": custodian_lei, "name": custodian_name, "accounts": accounts, "utc_offset_minutes": 0}],
    }


def make_keys(folder: Path, attestors: int) -> tuple[NewKey, ...]:
    """A key file for each role, readable by its owner alone. ConfigurationError when one is there already."""
    roles = [
        *ROLES,
        *(f"attestor-{number}" for number in range(1, attestors + 1)),
        *(f"{role}-{number}" for role in ("compliance", "corporate-actions") for number in range(1, KEYS_OF_TWO + 1)),
    ]
    files = [(role, folder / f"{role.replace('_', '-')}.json") for role in roles]
    return tuple((role, make_key(file), file) for role, file in files)


def make_key(file: Path) -> Pubkey:
    """A new key in a new file of mode 600, in the Solana CLI's format. ConfigurationError when the file exists."""
    keypair = Keypair()
    _write_secret(file, json.dumps(list(bytes(keypair))))
    return keypair.pubkey()


def _add_keys(tally: Tally, upgrade_authority: Path | None, wallets: Sequence[str]) -> tuple[NewKey, ...]:
    """Name the upgrade authority's key, and make a key for each wallet."""
    files = {name: tally.folder / "keys" / f"wallet-{wallet_name(name)}.json" for name in wallets}
    made = {name: make_key(file) for name, file in files.items()}

    def write(document: dict[str, Any]) -> None:
        if upgrade_authority is not None:
            document["keys"]["upgrade_authority"] = str(upgrade_authority.absolute())
        named = document.setdefault("wallets", {})
        for name, key in made.items():
            named[name] = {"address": str(key), "key": str(files[name].relative_to(tally.folder))}

    tally.change_profile(write)
    return tuple((name, key, files[name]) for name, key in made.items())


def make_salt(file: Path) -> Path:
    """A new salt for investors' hashes in a file of mode 600; one that is there is kept, since it is for ever."""
    if not file.exists():
        _write_secret(file, secrets.token_hex(32) + "\n")
    return file


def _write_secret(file: Path, content: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"There is a key at {file} already; it was left alone.",
            hint="Use --no-keys and name the files under [keys] yourself, or move them away.",
        ) from None
    except OSError as error:
        raise ConfigurationError(f"The key cannot be written to {file}: {error.strerror}.") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(content)


def _given(
    tally: Tally,
    value: str | None,
    option: str,
    question: str,
    check: Callable[[str], str] = str,
    default: str | None = None,
) -> str:
    """The option's value, else the answer to a question, asked until it is right; else the default."""
    if value is not None:
        return check(value.strip())
    if not tally.can_ask:
        if default is not None:
            return default
        raise ConfigurationError(f"{option} is missing, and there is no terminal to ask at.", hint=f"Give {option}.")
    while True:
        answer: str = typer.prompt(question, default=default, err=True)
        try:
            return check(answer.strip())
        except InputError as error:
            tally.err.print(Text(error.message, style="red"))
