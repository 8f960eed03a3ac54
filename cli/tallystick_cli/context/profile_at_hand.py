"""The profile at hand: the keys, wallets and addresses that it names, each key read from its file once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey
from tallystick.adapters.chain.signers import AddressOnly, KeypairSigner, TransactionSigner
from tallystick.errors import ConfigurationError
from tallystick.services.plans import Plan

from tallystick_cli.profile import SEVERAL, Keys, Profile, change_profile, read_profile


class ProfileAtHand:
    """A profile as commands use it. Nothing is read before it is asked for."""

    def __init__(self, path: Path, *, is_dry_run: bool) -> None:
        self.path = path
        self.is_dry_run = is_dry_run
        self._profile: Profile | None = None
        self._signers: dict[str, KeypairSigner] = {}

    @property
    def profile(self) -> Profile:
        """The profile. ConfigurationError when there is none, or it is wrong."""
        if self._profile is None:
            self._profile = read_profile(self.path)
        return self._profile

    def change_profile(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Let `change` alter the profile's document, and write it back. Never in a dry run."""
        self._forbid_in_dry_run("change the profile")
        change_profile(self.path, change)
        self._profile = None

    @property
    def folder(self) -> Path:
        """The profile's folder, which its paths are relative to."""
        return self.path.parent

    @property
    def issuer(self) -> Pubkey:
        """The issuer's address. ConfigurationError before `tally issuer init`."""
        address = self.profile.issuer.address
        if not address:
            raise ConfigurationError(
                "The profile names no issuer yet.", hint="Open one with: tally issuer init — it writes the address."
            )
        return Pubkey.from_string(address)

    def signer(self, role: str) -> KeypairSigner:
        """The key that the profile names for a role: admin, operator, attestors.1 … ConfigurationError without one.

        Of several keys without a number, the first.
        """
        asked = role
        name, _, number = role.partition(".")
        if name in SEVERAL and not number:
            role, number = f"{name}.1", "1"
        if role not in self._signers:
            keys = self.profile.keys
            named = getattr(keys, name)
            if number:
                named = named[int(number) - 1] if 1 <= int(number) <= len(named) else ""
            if not named:
                raise ConfigurationError(
                    f"This needs the {asked.replace('_', ' ')} key, and the profile names none.",
                    hint=f"Run it where that key is, or name its file under [keys] {name} in {self.path}.",
                )
            self._signers[role] = KeypairSigner.from_file(self.folder / named)
        return self._signers[role]

    def numbered(self, role: str) -> list[str]:
        """The names of a role's keys where the profile may name several: attestors.1, attestors.2 …"""
        return [f"{role}.{number}" for number in range(1, len(getattr(self.profile.keys, role)) + 1)]

    def own_keys(self) -> dict[str, Pubkey]:
        """Every key that the profile names, by role. ConfigurationError when a file cannot be used."""
        keys = self.profile.keys
        roles = [name for name in type(keys).model_fields if name not in SEVERAL and getattr(keys, name)]
        roles += [each for name in SEVERAL for each in self.numbered(name)]
        found = {role: self.signer(role).pubkey for role in roles}
        return found | {
            name: self.wallet_signer(name).pubkey for name, wallet in self.profile.wallets.items() if wallet.key
        }

    def wallet_signer(self, name: str) -> TransactionSigner:
        """The key of a wallet of the profile. ConfigurationError without one; in a dry run its address is enough."""
        wallet = self.profile.wallets.get(name)
        if wallet is None:
            wallet = next((each for each in self.profile.wallets.values() if each.address == name), None)
        if self.is_dry_run and (wallet is None or not wallet.key):
            return AddressOnly(self.profile.wallet(name))
        if wallet is None or not wallet.key:
            raise ConfigurationError(
                f"The wallet's own key has to sign, and the profile names none for {name}.",
                hint="Name the file under [wallets.NAME] key, or let the holder sign it in their own wallet.",
            )
        signer = KeypairSigner.from_file(self.folder / wallet.key)
        if str(signer.pubkey) != wallet.address:
            raise ConfigurationError(f"The key file of wallet {name} is of {signer.pubkey}, not {wallet.address}.")
        return signer

    def address(self, name: str) -> Pubkey:
        """What a person names: an address, a wallet of the profile, or a role whose key the profile has (operator,
        attestors.1). ConfigurationError for anything else."""
        role, _, number = name.partition(".")
        if role in Keys.model_fields and (
            role in SEVERAL if number.isdecimal() else not number and role != "attestors"
        ):
            return self.signer(name).pubkey
        return self.profile.wallet(name)

    def payer(self, acting: TransactionSigner) -> TransactionSigner:
        """Who pays fees and rent: the profile's payer, else the acting key."""
        return self.signer("payer") if self.profile.keys.payer else acting

    def absent(self, plan: Plan, signers: Sequence[TransactionSigner]) -> tuple[Pubkey, ...]:
        """Keys that a plan needs and that are not among `signers`, or are there by their address alone."""
        present = {each.pubkey for each in signers if not isinstance(each, AddressOnly)}
        return tuple(key for key in plan.signers if key not in present)

    def ring(self, *signers: TransactionSigner) -> dict[Pubkey, TransactionSigner]:
        """Signers by their address."""
        return {each.pubkey: each for each in signers}

    def investor_salt(self) -> bytes:
        """The issuer's secret for investors' hashes. ConfigurationError when its file is missing or wrong."""
        named = self.profile.issuer.investor_salt
        try:
            if not named:
                raise FileNotFoundError("[issuer] investor_salt is not set")
            return bytes.fromhex((self.folder / named).read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The salt for investors' hashes cannot be read: {error}",
                hint="Make one with: openssl rand -hex 32 — keep it secret and for ever, and name its file under "
                "[issuer] investor_salt.",
            ) from error

    def known_names(self) -> dict[Pubkey, str]:
        """Names by address: the profile's wallets, and the roles whose keys were used."""
        roles = {each.pubkey: role for role, each in self._signers.items()}
        return roles | {Pubkey.from_string(each.address): name for name, each in self.profile.wallets.items()}

    def name_of(self, key: Pubkey) -> str:
        """What the profile calls an address: a wallet's name or empty."""
        return self.profile.wallet_name(key)

    def _forbid_in_dry_run(self, what: str) -> None:
        # A command that gets here forgot to end its dry run where signing begins (dry_run.py): a defect, not a refusal.
        if self.is_dry_run:
            raise AssertionError(f"a dry run may not {what}")
