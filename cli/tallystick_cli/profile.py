"""The profile: what an operator declares once, in one TOML file, and how it is read and written.

Found by `--profile`, else TALLY_PROFILE, else ~/.config/tallystick/profile.toml. Paths in it are relative to its
folder. A value may also come from the environment, which wins, so that an RPC key need not stand in a file:
TALLY_CLUSTER__URLS='["https://…"]', TALLY_STORE__URL=… (section and name, two underscores between).
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from solders.pubkey import Pubkey
from tallystick.domain.amounts import parse_base_units
from tallystick.domain.holdings import Basis, Completeness
from tallystick.domain.identifiers import canonical_spelling, parse_isin, parse_lei
from tallystick.errors import AmountError, ConfigurationError, InputError, TallystickError

from tallystick_cli.dividend_profile import DividendsSection
from tallystick_cli.report_profile import ReportSection

DEFAULT_PROFILE: Final = Path("~/.config/tallystick/profile.toml")
PROFILE_VARIABLE: Final = "TALLY_PROFILE"
VERSION: Final = 1
SEVERAL: Final = ("attestors", "corporate_actions", "compliance")
"""Roles of which the profile may name several keys."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cluster(_Section):
    """Where Solana is. `urls`: the preferred endpoint first; two of different providers are safer than one.
    `genesis_hash`, when set, is the cluster every endpoint must serve. `requests_per_second`: what each endpoint is
    asked at most, as its provider's plan says; no limit when it is not set."""

    urls: tuple[str, ...] = ("http://127.0.0.1:8899",)
    genesis_hash: str = ""
    requests_per_second: float | None = Field(default=None, gt=0)


class IssuerSection(_Section):
    """The legal entity that issues. `address` is the issuer's account, written by `tally issuer init`; `investor_salt`
    is a file with a secret of 16 bytes or more in hex, without which nobody finds an investor's hash by trying."""

    name: str = ""
    lei: str = ""
    address: str = ""
    investor_salt: str = ""

    @field_validator("lei")
    @classmethod
    def _lei(cls, text: str) -> str:
        return parse_lei(text) if text else text

    @field_validator("address")
    @classmethod
    def _address(cls, text: str) -> str:
        return _require_address(text) if text else text


class Keys(_Section):
    """Key files by role, each of them optional: a machine needs only the keys of what is done on it.

    `payer` pays fees and rent; without it the acting key pays. `payout` sends the payments of a dividend, pays for them
    itself, and can do nothing else. Of `attestors`, `corporate_actions` and `compliance`
    there may be several: whoever announces a corporate action and whoever approves it are two keys, and so are those
    that propose and execute a seizure, or reissue together; best on two machines. `report_approver` is the second
    person who agrees to a report before the publisher may publish it: another key than the publisher's, with no power
    on chain.
    """

    payer: str = ""
    upgrade_authority: str = ""
    admin: str = ""
    guardian: str = ""
    attestors: tuple[str, ...] = ()
    operator: str = ""
    compliance: tuple[str, ...] = ()
    reconciliation: str = ""
    corporate_actions: tuple[str, ...] = ()
    distributor: str = ""
    payout: str = ""
    publisher: str = ""
    report_approver: str = ""

    @field_validator("corporate_actions", "compliance", mode="before")
    @classmethod
    def _one_or_several(cls, given: object) -> object:
        if isinstance(given, str):
            return (given,) if given else ()
        return given


class Store(_Section):
    """The backoffice's memory: a database URL (SQLAlchemy, async driver) and the folder of received statement files."""

    url: str = "sqlite:///tallystick.sqlite3"
    archive: str = "statements"


class CsvColumns(_Section):
    """How a custodian's CSV is read; the fields of adapters/custody/profiles.py CsvProfile, under the same names."""

    basis: str
    completeness: str
    isin_column: str
    quantity_column: str
    as_of_column: str
    account_column: str = ""
    account: str = ""
    statement_id_column: str = ""
    place_column: str = ""
    description_column: str = ""
    not_available_column: str = ""
    sub_balances: dict[str, str] = Field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal_mark: str = "."
    thousands_mark: str = ""
    date_format: str = "%Y-%m-%d"
    trailer: str = ""

    @field_validator("basis")
    @classmethod
    def _basis(cls, text: str) -> str:
        return Basis(text).value

    @field_validator("completeness")
    @classmethod
    def _completeness(cls, text: str) -> str:
        return Completeness(text).value


class Custodian(_Section):
    """Who holds the shares, in which accounts, and how its files are read (offset of times without a zone, in minutes;
    when a statement that names only a date was taken, in seconds after 00:00 UTC of that date)."""

    lei: str
    name: str = ""
    accounts: tuple[str, ...]
    utc_offset_minutes: int | None = None
    date_only_seconds: int | None = None
    csv: CsvColumns | None = None

    @field_validator("lei")
    @classmethod
    def _lei(cls, text: str) -> str:
        return parse_lei(text)

    @field_validator("accounts")
    @classmethod
    def _accounts(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(canonical_spelling(text) for text in texts)


class CustodyAccountReference(_Section):
    """One account at one custodian."""

    custodian: str
    account: str

    @field_validator("account")
    @classmethod
    def _account(cls, text: str) -> str:
        return canonical_spelling(text)


class SecuritySection(_Section):
    """One tokenised share class. `id` names it at this issuer for ever (its mint's address is derived from it);
    `inventory` are the wallets that hold the issuer's own tokens; `surplus` is how many shares, as exact decimal text,
    are meant to be held beyond what the tokens require."""

    isin: str
    symbol: str
    name: str
    id: str
    decimals: int = Field(default=8, ge=0, le=9)
    accounts: tuple[CustodyAccountReference, ...] = Field(min_length=1)
    inventory: tuple[str, ...] = ()
    surplus: str = "0"

    @model_validator(mode="after")
    def _surplus(self) -> SecuritySection:
        try:
            parse_base_units(self.surplus, self.decimals)
        except AmountError as error:
            raise ValueError(f"surplus of {self.symbol}: {error.message}") from error
        return self

    @field_validator("isin")
    @classmethod
    def _isin(cls, text: str) -> str:
        return parse_isin(text)

    @field_validator("inventory")
    @classmethod
    def _inventory(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_require_address(text) for text in texts)


class Wallet(_Section):
    """A wallet under a name of our own, with its key file where we hold the key."""

    address: str
    key: str = ""

    @field_validator("address")
    @classmethod
    def _address(cls, text: str) -> str:
        return _require_address(text)


class Profile(BaseSettings):
    """Everything the command needs to know of one issuer."""

    model_config = SettingsConfigDict(
        env_prefix="TALLY_", env_nested_delimiter="__", extra="forbid", frozen=True, arbitrary_types_allowed=True
    )

    version: int = VERSION
    cluster: Cluster = Cluster()
    issuer: IssuerSection = IssuerSection()
    keys: Keys = Keys()
    store: Store = Store()
    custodians: tuple[Custodian, ...] = ()
    securities: tuple[SecuritySection, ...] = ()
    wallets: dict[str, Wallet] = Field(default_factory=dict)
    dividends: DividendsSection = DividendsSection()
    report: ReportSection = ReportSection()

    @field_validator("version")
    @classmethod
    def _version(cls, version: int) -> int:
        if version != VERSION:
            raise ValueError(f"profile version {VERSION} expected, found {version}")
        return version

    @field_validator("securities")
    @classmethod
    def _securities(cls, securities: tuple[SecuritySection, ...]) -> tuple[SecuritySection, ...]:
        for name, seen in (("ISIN", [each.isin for each in securities]), ("id", [each.id for each in securities])):
            if len(set(seen)) != len(seen):
                raise ValueError(f"each security has an {name} of its own")
        return securities

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file."""
        return env_settings, init_settings

    def security(self, name: str) -> SecuritySection:
        """The security with that symbol, ISIN or id (upper or lower case). ConfigurationError when there is none."""
        wanted = name.upper()
        for each in self.securities:
            if wanted in (each.isin, each.symbol.upper(), each.id.upper()):
                return each
        known = ", ".join(each.symbol for each in self.securities) or "none"
        raise ConfigurationError(
            f"The profile declares no security {name!r}; it has {known}.",
            hint="List it with: tally security list ISIN --symbol … --account …",
        )

    def custodian(self, lei: str) -> Custodian:
        """The custodian with that LEI or name. ConfigurationError when there is none."""
        for each in self.custodians:
            if lei in (each.lei, each.name):
                return each
        raise ConfigurationError(
            f"The profile declares no custodian {lei!r}.",
            hint="Add a [[custodians]] section with its lei and accounts to the profile.",
        )

    def wallet(self, name: str) -> Pubkey:
        """The address behind a wallet's name, or the address itself. ConfigurationError when it is neither."""
        if name in self.wallets:
            return Pubkey.from_string(self.wallets[name].address)
        try:
            return Pubkey.from_string(name)
        except ValueError:
            raise ConfigurationError(
                f"{name!r} is neither an address nor a wallet of the profile.",
                hint=f"Wallets of the profile: {', '.join(self.wallets) or 'none'}.",
            ) from None

    def wallet_name(self, address: Pubkey) -> str:
        """The name of a wallet, empty when it has none."""
        return next((name for name, each in self.wallets.items() if each.address == str(address)), "")


def wallet_name(text: str) -> str:
    """A name for a wallet: lower-case letters, digits, - and _, and no role. InputError otherwise."""
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", text) is None or text in Keys.model_fields:
        raise InputError(f"{text!r} is no name for a wallet.", hint="Use lower-case letters, digits, - and _; no role.")
    return text


def profile_path(given: Path | None) -> Path:
    """Where the profile is: what was given, else TALLY_PROFILE, else the default place."""
    return (given or Path(os.environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE)).expanduser()


def read_profile(path: Path) -> Profile:
    """The profile in that file, with what the environment overrides.

    ConfigurationError, naming the file and the entry, when it is missing or wrong.
    """
    return _validated(_read_document(path), path)


def write_profile(path: Path, document: Mapping[str, Any]) -> Profile:
    """Check a whole profile and put it in place at once, readable by its owner alone. ConfigurationError as above."""
    profile = _validated(document, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".profile-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(profile_text(document))
        Path(name).replace(path)
    except OSError as error:
        raise ConfigurationError(f"The profile cannot be written to {path}: {error.strerror}.") from error
    return profile


def change_profile(path: Path, change: Callable[[dict[str, Any]], None]) -> Profile:
    """Read the file, let `change` alter what it says, and write it back; the environment is not written."""
    document = _read_document(path)
    change(document)
    return write_profile(path, document)


def profile_text(document: Mapping[str, Any]) -> str:
    """The document as TOML: plain values first, then tables, then lists of tables."""
    lines = ["# Tallystick profile. Paths are relative to this file. `tally init` and `tally … --help` explain it.", ""]
    _table(lines, "", document)
    return "\n".join(lines).rstrip() + "\n"


def _read_document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no profile at {path}.",
            hint=f"Create one with: tally init — or name another with --profile or {PROFILE_VARIABLE}.",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The profile {path} cannot be read: {error}") from error


def _validated(document: Mapping[str, Any], path: Path) -> Profile:
    try:
        return Profile(**document)
    except TallystickError as error:
        raise ConfigurationError(f"The profile {path} is wrong: {error.message}", hint=error.hint) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"The profile {path} is wrong at {where}: {first['msg']}.",
            hint=f"{error.error_count()} entries are wrong; correct the file." if error.error_count() > 1 else None,
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"The profile, or a TALLY_ variable, is wrong: {error}") from error


def _require_address(text: str) -> str:
    try:
        return str(Pubkey.from_string(text))
    except ValueError:
        raise ValueError(f"an address in base 58 expected, found {text!r}") from None


def _table(lines: list[str], prefix: str, table: Mapping[str, Any]) -> None:
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    arrays = {key: value for key, value in table.items() if _is_table_list(value)}
    lines.extend(
        f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in tables and key not in arrays
    )
    for key, value in tables.items():
        name = f"{prefix}.{_key(key)}" if prefix else _key(key)
        if not value or any(not isinstance(each, Mapping) for each in value.values()):
            lines += ["", f"[{name}]"]
        _table(lines, name, value)
    for key, items in arrays.items():
        name = f"{prefix}.{_key(key)}" if prefix else _key(key)
        for item in items:
            lines += ["", f"[[{name}]]"]
            _table(lines, name, item)


def _is_table_list(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _key(key: str) -> str:
    is_bare = key and all(character.isascii() and (character.isalnum() or character in "-_") for character in key)
    return key if is_bare else _value(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    raise ConfigurationError(f"A profile holds text, integers, booleans, lists and tables; not {type(value).__name__}.")
