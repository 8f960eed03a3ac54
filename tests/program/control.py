"""Builders of what controls a listed security: its policy, metadata and seizure account, freezing, seizure, reissue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chain_in_process import Chain, digest, key
from issuers import CUSTODY, DAY, Issuer, build
from securities import Security
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program import addresses
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.text import encode_text

REASON = types.FreezeAccountParams(21, digest("reason"))
THAW_REASON = types.ThawAccountParams(22, digest("reason to thaw"))
EVIDENCE = digest("the key is lost")
CUSTODIAN_WALLET = key("seizure wallet")
"""Whose token account takes what is seized."""


@dataclass(frozen=True, slots=True)
class Control:
    """Of one security, by the first keys of its issuer unless one says otherwise."""

    security: Security

    @property
    def issuer(self) -> Issuer:
        """Its issuer."""
        return self.security.issuer

    @property
    def chain(self) -> Chain:
        """Where it lives."""
        return self.security.chain

    def seizure(self, source: Pubkey, seizure_id: int = 1) -> Pubkey:
        """A seizure."""
        return addresses.seizure_address(self.security.address, source, seizure_id)

    def is_frozen(self, token_account: Pubkey) -> bool:
        """Whether Token-2022 has it frozen."""
        found = self.chain.find(token_account)
        assert found is not None
        return found.data[108] == 2

    # Settings --------------------------------------------------------------------------------------------------------

    def update_policy(self, **change: Any) -> Instruction:
        """Set the policy; its fields, and the custody accounts, may be given by name."""
        state = self.security.state
        params = types.UpdatePolicyParams(state.policy, state.custody_accounts_hash, state.custody_accounts)
        for name in ("custody_accounts_hash", "custody_accounts"):
            if name in change:
                params = replace(params, **{name: change.pop(name)})
        fields = {name: change.pop(name) for name in types.Policy.__slots__ if name in change}
        params = replace(params, policy=replace(params.policy, **fields))
        return build(instructions.update_policy, change, **self._admin, params=params)

    def name_seizure_account(self, owner: Pubkey | None, **change: Any) -> Instruction:
        """Name a wallet's token account, or nobody's."""
        named = {} if owner is None else {"seizure_account": self.security.tokens(owner), "wallet": owner}
        return build(instructions.name_seizure_account, named | change, **self._admin)

    def metadata(self, **change: Any) -> types.MetadataParams:
        """Another name, ticker, address, ISIN and terms than it was listed with."""
        params = types.MetadataParams(
            name="Renamed Inc.",
            ticker=encode_text("RNMD", 16),
            uri="https://example.com/new-terms.json",
            isin=b"US5949181045",
            terms_hash=digest("new terms"),
        )
        return replace(params, **change)

    def announce_metadata(self, params: types.MetadataParams | None = None, **change: Any) -> Instruction:
        """Announce metadata."""
        return build(instructions.announce_metadata, change, **self._admin, params=params or self.metadata())

    def update_metadata(self, params: types.MetadataParams | None = None, **change: Any) -> Instruction:
        """Write metadata."""
        return build(
            instructions.update_metadata,
            change,
            payer=self.chain.payer,
            **self._admin,
            mint=self.security.mint,
            params=params or self.metadata(),
        )

    # Holdings --------------------------------------------------------------------------------------------------------

    def freeze_account(self, wallet: Pubkey, **change: Any) -> Instruction:
        """Freeze a wallet's token account."""
        return build(
            instructions.freeze_account,
            change,
            **self._compliance(),
            mint=self.security.mint,
            token_account=self.security.tokens(wallet),
            wallet=wallet,
            params=REASON,
        )

    def thaw_account(self, wallet: Pubkey, **change: Any) -> Instruction:
        """Thaw a wallet's token account."""
        return build(
            instructions.thaw_account,
            change,
            **self._compliance(),
            mint=self.security.mint,
            token_account=self.security.tokens(wallet),
            wallet=wallet,
            holder=self.issuer.holder(change.get("wallet", wallet)),
            params=THAW_REASON,
        )

    def propose_seizure(self, wallet: Pubkey, raw: int, seizure_id: int = 1, **change: Any) -> Instruction:
        """Propose to take `raw` units of a wallet's token account."""
        source = change.get("source", self.security.tokens(wallet))
        return build(
            instructions.propose_seizure,
            change,
            payer=self.chain.payer,
            **self._compliance(),
            source=source,
            wallet=wallet,
            seizure=self.seizure(source, seizure_id),
            params=types.ProposeSeizureParams(seizure_id, raw, 23, digest("court order")),
        )

    def seize(self, wallet: Pubkey, seizure_id: int = 1, **change: Any) -> Instruction:
        """Take what was proposed, by the second compliance key."""
        source = change.get("source", self.security.tokens(wallet))
        return build(
            instructions.seize,
            change,
            **self._compliance(2),
            proposer_role=self.issuer.role(RoleKind.COMPLIANCE),
            seizure=self.seizure(source, seizure_id),
            mint=self.security.mint,
            source=source,
            wallet=wallet,
            destination=self.security.tokens(CUSTODIAN_WALLET),
        )

    def reissue(self, old: Pubkey, new: Pubkey, **change: Any) -> Instruction:
        """Move what a lost wallet has to another of the same investor."""
        return build(
            instructions.reissue,
            change,
            **self._compliance(),
            second_compliance=self.issuer.key(RoleKind.COMPLIANCE, 2),
            second_role=self.issuer.role(RoleKind.COMPLIANCE, 2),
            old_holder=self.issuer.holder(old),
            new_holder=self.issuer.holder(new),
            mint=self.security.mint,
            source=self.security.tokens(old),
            old_wallet=old,
            destination=self.security.tokens(new),
            params=types.ReissueParams(EVIDENCE),
        )

    @property
    def _admin(self) -> dict[str, Pubkey]:
        return {"admin": self.issuer.admin, "issuer": self.issuer.address, "security": self.security.address}

    def _compliance(self, number: int = 1) -> dict[str, Pubkey]:
        return {
            "compliance": self.issuer.key(RoleKind.COMPLIANCE, number),
            "role": self.issuer.role(RoleKind.COMPLIANCE, number),
            "security": self.security.address,
        }

    # Doing -----------------------------------------------------------------------------------------------------------

    def do_name_seizure_account(self) -> Pubkey:
        """Make and name a token account for seizures, in force; its address."""
        self.chain.send(self.security.create_tokens(CUSTODIAN_WALLET), self.name_seizure_account(CUSTODIAN_WALLET))
        self.chain.warp(self.issuer.delay)
        return self.security.tokens(CUSTODIAN_WALLET)

    def do_propose_seizure(self, wallet: Pubkey, raw: int, seizure_id: int = 1) -> None:
        """Propose a seizure, with a seizure account in force."""
        self.do_name_seizure_account()
        self.chain.send(self.propose_seizure(wallet, raw, seizure_id))

    def do_approve_new_wallet(self, wallet: Pubkey, **change: Any) -> Pubkey:
        """Approve another wallet, of the investor that every wallet here belongs to, with a token account."""
        self.chain.send(self.issuer.approve_holder(wallet, **change), self.security.create_tokens(wallet))
        return self.security.tokens(wallet)

    def do_announce(self, params: types.MetadataParams | None = None) -> None:
        """Announce metadata and wait for the notice."""
        self.chain.send(self.announce_metadata(params))
        self.chain.warp(self.security.policy.notice)

    def read_seizure(self, wallet: Pubkey, seizure_id: int = 1) -> accounts.Seizure:
        """A seizure's account."""
        return self.chain.read(accounts.Seizure, self.seizure(self.security.tokens(wallet), seizure_id))


__all__ = ["CUSTODIAN_WALLET", "CUSTODY", "DAY", "EVIDENCE", "REASON", "THAW_REASON", "Control"]
