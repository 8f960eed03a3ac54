"""Builders of a listed security: reserve, limits, holds, orders, movements; conventions as in issuers.py."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import remembered_addresses as addresses
from chain_in_process import Chain, Receipt, digest
from issuers import (
    CUSTODY,
    DAY,
    HOUR,
    Issuer,
    build,
)
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.text import encode_text
from tallystick.program.token import (
    Mint,
    create_associated_token_account_idempotent,
    transfer_checked,
)

POLICY = types.Policy(
    threshold=2,
    margin=0,
    max_attestation_age=DAY,
    supply_cap=10**15,
    accept_period=DAY,
    settle_period=2 * DAY,
    notice=DAY,
    change_window=HOUR,
    max_change_numerator=10,
    max_change_denominator=1,
    allowed_classes=0b1,
)


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer in the custodian's books: `shares` x 10^decimals in all."""

    reference: str
    shares: int

    @property
    def params(self) -> types.MovementParams:
        """What an instruction says of it."""
        return types.MovementParams(digest(self.reference), self.shares)


@dataclass(frozen=True, slots=True)
class Security:
    """A listed security. `operator` is the number of the operator's key that acts unless one says otherwise."""

    issuer: Issuer
    name: str
    policy: types.Policy = field(default=POLICY)
    operator: int = 1

    @property
    def chain(self) -> Chain:
        """Where it lives."""
        return self.issuer.chain

    @property
    def security_id(self) -> bytes:
        """Its id, part of the mint's address."""
        return encode_text(self.name, 32)

    @property
    def mint(self) -> Pubkey:
        """The mint."""
        return addresses.mint_address(self.issuer.address, self.security_id)

    @property
    def address(self) -> Pubkey:
        """The security account."""
        return addresses.security_address(self.mint)

    @property
    def escrow(self) -> Pubkey:
        """The escrow."""
        return self.tokens(self.address)

    @property
    def state(self) -> accounts.Security:
        """The account."""
        return self.chain.read(accounts.Security, self.address)

    @property
    def minted(self) -> Mint:
        """The mint account."""
        return self.chain.mint(self.mint)

    def tokens(self, wallet: Pubkey) -> Pubkey:
        """The wallet's associated token account."""
        return addresses.associated_token_address(wallet, self.mint)

    def limit(self, operator: Pubkey | None = None) -> Pubkey:
        """The limit of an operator's key."""
        return addresses.limit_address(self.address, operator or self._operator)

    def order(self, wallet: Pubkey, order_id: str) -> Pubkey:
        """A wallet's order."""
        return addresses.order_address(self.address, wallet, digest(order_id))

    def movement(self, movement: Movement) -> Pubkey:
        """The account of a movement."""
        return addresses.movement_address(self.address, digest(movement.reference))

    def fill(self, movement: Movement, order: Pubkey) -> Pubkey:
        """The fill of a movement and an order."""
        return addresses.fill_address(self.movement(movement), order)

    def hold(self, owner: Pubkey, hold_id: int) -> Pubkey:
        """A hold."""
        return addresses.hold_address(self.address, owner, hold_id)

    @property
    def _operator(self) -> Pubkey:
        return self.issuer.key(RoleKind.OPERATOR, self.operator)

    @property
    def _operator_role(self) -> Pubkey:
        return self.issuer.role(RoleKind.OPERATOR, self.operator)

    # Instructions ----------------------------------------------------------------------------------------------------

    def list_security(self, **change: Any) -> Instruction:
        """List it; fields of the params may be given by name."""
        params = types.ListSecurityParams(
            security_id=self.security_id,
            isin=b"US0378331005",
            ticker=encode_text(self.name, 16),
            decimals=6,
            name=f"{self.name} Inc.",
            uri="https://example.com/terms.json",
            terms_hash=digest("terms"),
            custody_accounts_hash=custody_accounts_hash(CUSTODY),
            custody_accounts=len(CUSTODY),
            permissioned=False,
            policy=self.policy,
        )
        params = replace(params, **{name: change.pop(name) for name in params.__slots__ if name in change})
        return build(
            instructions.list_security,
            change,
            payer=self.chain.payer,
            admin=self.issuer.admin,
            issuer=self.issuer.address,
            mint=self.mint,
            escrow=self.escrow,
            params=params,
        )

    def set_limit(
        self,
        mint_cap: int = 10**12,
        burn_cap: int = 10**12,
        window: int = DAY,
        operator: Pubkey | None = None,
        **change: Any,
    ) -> Instruction:
        """Set an operator's limit."""
        params = types.SetLimitParams(operator or self._operator, mint_cap, burn_cap, window)
        return build(
            instructions.set_limit,
            change,
            payer=self.chain.payer,
            admin=self.issuer.admin,
            issuer=self.issuer.address,
            security=self.address,
            params=params,
        )

    def place_hold(
        self,
        hold_id: int,
        scope: int,
        kind: RoleKind = RoleKind.COMPLIANCE,
        expires_in: int | None = HOUR,
        **change: Any,
    ) -> Instruction:
        """Place a hold as the first key of a kind."""
        params = types.PlaceHoldParams(
            hold_id=hold_id,
            scope=scope,
            reason_code=7,
            reason_hash=digest("reason"),
            expires_at=None if expires_in is None else self.chain.now + expires_in,
        )
        return build(
            instructions.place_hold,
            change,
            payer=self.chain.payer,
            owner=self.issuer.key(kind),
            role=self.issuer.role(kind),
            security=self.address,
            mint=self.mint,
            params=params,
        )

    def release_hold(
        self, hold_id: int, kind: RoleKind = RoleKind.COMPLIANCE, consent: RoleKind | None = None, **change: Any
    ) -> Instruction:
        """Release a hold as its owner."""
        owner = self.issuer.key(kind)
        beside = {}
        if consent is not None:
            beside = {"cosigner": self.issuer.key(consent), "cosigner_role": self.issuer.role(consent)}
        return build(
            instructions.release_hold,
            beside | change,
            authority=owner,
            issuer=self.issuer.address,
            security=self.address,
            hold=self.hold(owner, hold_id),
            owner_role=self.issuer.role(kind),
            mint=self.mint,
        )

    def content(self, shares: int, /, **change: Any) -> types.AttestationContent:
        """A claim of `shares`, on two custody accounts, as of a minute ago unless said otherwise."""
        as_of = change.pop("as_of", self.chain.now - 60)
        content = types.AttestationContent(
            as_of=as_of,
            shares=shares,
            redeemed=self.state.redeemed,
            supersedes=Pubkey.default(),
            lines=(
                types.StatementLine(CUSTODY[0], shares - shares // 3, digest("statement 1"), as_of),
                types.StatementLine(
                    CUSTODY[1], shares // 3, digest("statement 2"), max(as_of, min(as_of + 30, self.chain.now))
                ),
            ),
        )
        return replace(content, **change)

    def attest(self, content: types.AttestationContent, number: int = 1, **change: Any) -> Instruction:
        """Approve a claim."""
        content_hash = change.pop("content_hash", addresses.attestation_hash(self.address, content))
        received = change.pop("received_hash", digest(f"received {number}"))
        return build(
            instructions.attest,
            change,
            payer=self.chain.payer,
            attestor=self.issuer.key(RoleKind.ATTESTOR, number),
            role=self.issuer.role(RoleKind.ATTESTOR, number),
            issuer=self.issuer.address,
            security=self.address,
            attestation=addresses.attestation_address(self.address, content_hash),
            params=types.AttestParams(content_hash, received, content),
        )

    def open_subscription(
        self, wallet: Pubkey, order_id: str, shares: int, settle_in: int = 30 * DAY, **change: Any
    ) -> Instruction:
        """Order tokens as the holder."""
        params = types.OpenSubscriptionParams(digest(order_id), shares, self.chain.now + settle_in)
        return build(
            instructions.open_subscription,
            change,
            payer=self.chain.payer,
            authority=wallet,
            security=self.address,
            holder=self.issuer.holder(wallet),
            order=self.order(wallet, order_id),
            params=params,
        )

    def settle_subscription(
        self, order: Pubkey, movement: Movement, shares: int | None = None, /, **change: Any
    ) -> Instruction:
        """Mint for an order; the whole movement unless said otherwise."""
        wallet = change.pop("wallet", None) or self.chain.read(accounts.Order, order).holder
        params = types.SettleSubscriptionParams(movement.params, movement.shares if shares is None else shares)
        return build(
            instructions.settle_subscription,
            change,
            payer=self.chain.payer,
            operator=self._operator,
            role=self._operator_role,
            security=self.address,
            limit=self.limit(),
            holder=self.issuer.holder(wallet),
            order=order,
            movement=self.movement(movement),
            mint=self.mint,
            recipient=self.tokens(wallet),
            params=params,
        )

    def cancel_subscription(self, order: Pubkey, *, by_holder: bool = False, **change: Any) -> Instruction:
        """End a subscription, as the operator unless said otherwise."""
        return build(
            instructions.cancel_subscription,
            self._party(order, by_holder) | change,
            security=self.address,
            order=order,
            params=types.CancelSubscriptionParams(9),
        )

    def request_redemption(self, wallet: Pubkey, order_id: str, raw: int, **change: Any) -> Instruction:
        """Put tokens in escrow."""
        params = types.RequestRedemptionParams(digest(order_id), raw)
        return build(
            instructions.request_redemption,
            change,
            payer=self.chain.payer,
            wallet=wallet,
            security=self.address,
            holder=self.issuer.holder(wallet),
            order=self.order(wallet, order_id),
            mint=self.mint,
            source=self.tokens(wallet),
            escrow=self.escrow,
            params=params,
        )

    def accept_redemption(self, order: Pubkey, **change: Any) -> Instruction:
        """Commit to a redemption."""
        wallet = change.pop("wallet", None) or self.chain.read(accounts.Order, order).holder
        return build(
            instructions.accept_redemption,
            change,
            operator=self._operator,
            role=self._operator_role,
            security=self.address,
            holder=self.issuer.holder(wallet),
            order=order,
        )

    def settle_redemption(self, order: Pubkey, movement: Movement, raw: int, /, **change: Any) -> Instruction:
        """Burn escrowed tokens."""
        wallet = change.pop("wallet", None) or self.chain.read(accounts.Order, order).holder
        return build(
            instructions.settle_redemption,
            change,
            payer=self.chain.payer,
            operator=self._operator,
            role=self._operator_role,
            security=self.address,
            limit=self.limit(),
            holder=self.issuer.holder(wallet),
            order=order,
            movement=self.movement(movement),
            mint=self.mint,
            escrow=self.escrow,
            params=types.SettleRedemptionParams(movement.params, raw),
        )

    def cancel_redemption(self, order: Pubkey, *, by_holder: bool = False, **change: Any) -> Instruction:
        """End a redemption, as the operator unless said otherwise."""
        wallet = self.chain.read(accounts.Order, order).holder
        return build(
            instructions.cancel_redemption,
            self._party(order, by_holder) | change,
            security=self.address,
            order=order,
            mint=self.mint,
            escrow=self.escrow,
            destination=self.tokens(wallet),
            params=types.CancelRedemptionParams(11),
        )

    def withdraw_redemption(self, order: Pubkey, **change: Any) -> Instruction:
        """Take the rest back."""
        wallet = self.chain.read(accounts.Order, order).holder
        return build(
            instructions.withdraw_redemption,
            change,
            wallet=wallet,
            security=self.address,
            order=order,
            mint=self.mint,
            escrow=self.escrow,
            destination=self.tokens(wallet),
        )

    def correct_fill(
        self, fill: Pubkey, inventory_owner: Pubkey, raw: int, correction: int = 0, **change: Any
    ) -> Instruction:
        """Burn inventory to undo part of a mint."""
        return build(
            instructions.correct_fill,
            change,
            payer=self.chain.payer,
            operator=self._operator,
            role=self._operator_role,
            inventory_owner=inventory_owner,
            security=self.address,
            limit=self.limit(),
            fill=fill,
            correction=addresses.correction_address(fill, correction),
            mint=self.mint,
            inventory=self.tokens(inventory_owner),
            params=types.CorrectFillParams(raw),
        )

    def transfer(self, source: Pubkey, wallet: Pubkey, destination: Pubkey, raw: int) -> Instruction:
        """A holder's plain transfer between token accounts."""
        return transfer_checked(
            source=source, mint=self.mint, destination=destination, authority=wallet, amount=raw, decimals=6
        )

    def create_tokens(self, wallet: Pubkey) -> Instruction:
        """Make the wallet's associated token account."""
        return create_associated_token_account_idempotent(payer=self.chain.payer, wallet=wallet, mint=self.mint)

    def _party(self, order: Pubkey, by_holder: bool) -> dict[str, Any]:
        if by_holder:
            return {"authority": self.chain.read(accounts.Order, order).holder}
        return {"authority": self._operator, "role": self._operator_role}

    # Doing -----------------------------------------------------------------------------------------------------------

    def do_list(self, reserve: int | None = None) -> Security:
        """List it, put the operator's limit in force and, given a reserve, attest it."""
        self.chain.send(self.list_security())
        self.chain.send(self.set_limit())
        self.chain.warp(self.issuer.delay)
        if reserve is not None:
            self.do_attest(reserve)
        return self

    def do_attest(self, shares: int, **change: Any) -> Receipt:
        """Attest a reserve by the first two attestors; the second one's receipt."""
        content = self.content(shares, **change)
        self.chain.send(self.attest(content, 1))
        return self.chain.send(self.attest(content, 2))

    def do_open(self, wallet: Pubkey, order_id: str, shares: int, **change: Any) -> Pubkey:
        """Open a subscription; its order, with the wallet's token account made."""
        self.chain.send(self.create_tokens(wallet), self.open_subscription(wallet, order_id, shares, **change))
        return self.order(wallet, order_id)

    def do_subscribe(self, wallet: Pubkey, order_id: str, shares: int) -> tuple[Pubkey, Movement]:
        """Open a subscription and settle it from a movement of its own."""
        order, movement = self.do_open(wallet, order_id, shares), Movement(f"in {order_id}", shares)
        self.chain.send(self.settle_subscription(order, movement))
        return order, movement

    def do_request(self, wallet: Pubkey, order_id: str, raw: int, *, accept: bool = False) -> Pubkey:
        """Request a redemption, and accept it where said."""
        self.chain.send(self.request_redemption(wallet, order_id, raw))
        order = self.order(wallet, order_id)
        if accept:
            self.chain.send(self.accept_redemption(order))
        return order

    def rewrite(self, **change: Any) -> None:
        """Change fields of the account past every rule."""
        self.chain.rewrite(self.address, lambda state: replace(state, **change), accounts.Security)
