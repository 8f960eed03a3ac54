"""Securities: listing one with its mint, escrow and policy, and what operators may mint and burn of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import Rounding, format_base_units, share_equivalent
from tallystick.domain.identifiers import (
    canonical_spelling,
    custody_account_hash,
    custody_accounts_hash,
    parse_isin,
    parse_lei,
)
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import (
    limit_address,
    mint_address,
    role_address,
    security_address,
)
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, Limit, Role, Security
from tallystick.program.generated.types import ListSecurityParams, Policy, RoleKind, SetLimitParams
from tallystick.program.text import encode_text
from tallystick.program.token import associated_token_address
from tallystick.services.chain_reads import read, read_snapshot, require
from tallystick.services.plans import Plan, last_change, new_action
from tallystick.services.rules import backing, has_not_ended, mint_room, multiplier_at, reserve_trouble

MAXIMUM_DECIMALS: Final = 9
MAXIMUM_CUSTODY_ACCOUNTS: Final = 16
MAXIMUM_LIMIT_WINDOW: Final = 30 * 24 * 3600
"""Bounds of programs/tallystick/src/constants.rs."""


@dataclass(frozen=True, slots=True)
class CustodyAccount:
    """One account at one custodian. IdentifierError for an LEI or spelling that cannot be one."""

    custodian_lei: str
    account: str

    def __post_init__(self) -> None:
        parse_lei(self.custodian_lei)
        object.__setattr__(self, "account", canonical_spelling(self.account))

    @property
    def hash(self) -> bytes:
        """32 bytes: how the chain names it without telling it."""
        return custody_account_hash(self.custodian_lei, self.account)


@dataclass(frozen=True, slots=True)
class SecuritySpec:
    """What a security is listed with. `terms_hash` is the SHA-256 of the terms; `policy` in base units and seconds.

    Token accounts of a `permissioned` one start frozen, and compliance thaws those of approved holders alone.
    """

    security_id: str
    isin: str
    ticker: str
    name: str
    decimals: int
    custody_accounts: tuple[CustodyAccount, ...]
    policy: Policy
    terms_hash: bytes
    uri: str
    permissioned: bool = False

    def params(self) -> ListSecurityParams:
        """What the program is told. InputError, IdentifierError or AmountError for what it would refuse."""
        if not 0 <= self.decimals <= MAXIMUM_DECIMALS:
            raise InputError(f"At most {MAXIMUM_DECIMALS} decimals are allowed, not {self.decimals}.")
        if not 1 <= len(self.custody_accounts) <= MAXIMUM_CUSTODY_ACCOUNTS:
            raise InputError(f"1 to {MAXIMUM_CUSTODY_ACCOUNTS} custody accounts are declared for a security.")
        if len(self.terms_hash) != 32 or not any(self.terms_hash):
            raise InputError("The terms' SHA-256 of 32 bytes is expected.")
        for name in ("security_id", "ticker", "name", "uri"):
            if not getattr(self, name):
                raise InputError(f"A security has a {name.replace('_', ' ')}.")
        for name, limit in (("name", 64), ("uri", 200)):
            encode_text(getattr(self, name), limit, name)
        return ListSecurityParams(
            security_id=encode_text(self.security_id, 32, "security id"),
            isin=parse_isin(self.isin).encode(),
            ticker=encode_text(self.ticker, 16, "ticker"),
            decimals=self.decimals,
            name=self.name,
            uri=self.uri,
            terms_hash=self.terms_hash,
            custody_accounts_hash=custody_accounts_hash([each.hash for each in self.custody_accounts]),
            custody_accounts=len(self.custody_accounts),
            permissioned=self.permissioned,
            policy=self.policy,
        )


@dataclass(frozen=True, slots=True)
class SecurityAddresses:
    """Where a security and its tokens are."""

    security: Pubkey
    mint: Pubkey
    escrow: Pubkey


@dataclass(frozen=True, slots=True)
class SecurityStatus:
    """What is backed. `supply` and `room` (what may still be minted, holds and limits aside) in raw units; `required`
    (share equivalent of the supply, rounded up) and `backing` in shares. `trouble` says why nothing may be minted now,
    if so. `now` is the chain's clock."""

    slot: int
    now: int
    address: Pubkey
    security: Security
    supply: int
    required: int
    backing: int
    room: int
    trouble: str | None

    @property
    def is_changing(self) -> bool:
        """True while a change of the multiplier is pending."""
        return self.now < self.security.multiplier_effective_at


def security_of(issuer: Pubkey, security_id: str) -> SecurityAddresses:
    """Addresses of an issuer's security, whether or not it is listed yet."""
    mint = mint_address(issuer, encode_text(security_id, 32, "security id"))
    security = security_address(mint)
    return SecurityAddresses(security, mint, associated_token_address(security, mint))


async def security_status(chain: Chain, security: Pubkey) -> SecurityStatus:
    """How a security stands. Refused when there is none."""
    mint = (await require(chain, Security, security)).mint
    snapshot = await read_snapshot(chain, [security, mint])
    account, supply, now = snapshot.require(Security, security), snapshot.mint(mint).supply, snapshot.now
    return SecurityStatus(
        snapshot.slot,
        now,
        security,
        account,
        supply,
        share_equivalent(supply, multiplier_at(account, now), Rounding.UP),
        backing(account, now),
        mint_room(account, supply, now),
        reserve_trouble(account, now),
    )


async def plan_list_security(chain: Chain, *, payer: Pubkey, issuer: Pubkey, spec: SecuritySpec) -> Plan:
    """Create a security: its mint with everything the policy needs, and its escrow. Signed by the admin.

    Refused when the id is listed with other terms; what differs is named.
    """
    params, addresses = spec.params(), security_of(issuer, spec.security_id)
    snapshot = await read_snapshot(chain, [issuer, addresses.security])
    account = snapshot.require(Issuer, issuer)
    title = f"List {spec.name} ({spec.isin}) as {spec.ticker}"
    existing = snapshot.find(Security, addresses.security)
    if existing is not None:
        differing = _differences(existing, params)
        if differing:
            raise Refused(
                f"{spec.security_id} is listed with another {', '.join(differing)}.",
                hint="A listed security is not listed again; choose another security id for another share class.",
            )
        return Plan(title, notes=(f"It is listed already, at {addresses.security}.",))

    async def is_done() -> bool:
        return await read(chain, Security, addresses.security) is not None

    instruction = instructions.list_security(
        payer=payer, admin=account.admin, issuer=issuer, mint=addresses.mint, escrow=addresses.escrow, params=params
    )
    action = new_action(
        f"list:{addresses.security}",
        f"{title}; mint {addresses.mint}, {spec.decimals} decimals",
        instruction,
        payer,
        (account.admin, "admin"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def plan_set_limit(
    chain: Chain, *, payer: Pubkey, security: Pubkey, operator: Pubkey, mint_cap: int, burn_cap: int, window: int
) -> Plan:
    """Set what an operator may mint and burn: caps in raw units, recovering in full over `window` seconds.

    Signed by the admin. Tightening all three is in force at once; anything else waits the issuer's delay.
    """
    if mint_cap <= 0 or burn_cap <= 0 or not 1 <= window <= MAXIMUM_LIMIT_WINDOW:
        raise InputError(
            f"Caps above zero and a window of 1 to {MAXIMUM_LIMIT_WINDOW} seconds are expected, not {mint_cap},"
            f" {burn_cap}, {window}."
        )
    account = await require(chain, Security, security)
    address, role = limit_address(security, operator), role_address(account.issuer, RoleKind.OPERATOR, operator)
    snapshot = await read_snapshot(chain, [account.issuer, address, role])
    admin = snapshot.require(Issuer, account.issuer)
    limit, wanted = snapshot.find(Limit, address), (mint_cap, burn_cap, window)
    mints, burns = (format_base_units(cap, account.decimals) for cap in (mint_cap, burn_cap))
    title = f"Let {operator} mint {mints} and burn {burns} tokens in {window} s"
    if limit is not None and _setting(limit) == wanted:
        when = f"from {instant(limit.pending_from)}" if limit.pending_from > snapshot.now else "now"
        return Plan(title, notes=(f"That is the limit in force {when}.",))
    notes = []
    if not has_not_ended(snapshot.find(Role, role), snapshot.now):
        notes.append(f"{operator} is no operator of this issuer yet; the limit alone lets it do nothing.")
    if not _tightens(limit, wanted, snapshot.now):
        notes.append(f"It starts {admin.delay} s after it is set, unless a guardian vetoes it.")

    async def is_done() -> bool:
        found = await read(chain, Limit, address)
        return found is not None and _setting(found) == wanted

    instruction = instructions.set_limit(
        payer=payer,
        admin=admin.admin,
        issuer=account.issuer,
        security=security,
        params=SetLimitParams(holder=operator, mint_cap=mint_cap, burn_cap=burn_cap, window=window),
    )
    action = new_action(
        f"limit:{address}:{mint_cap}:{burn_cap}:{window}:{await last_change(chain, address)}",
        title,
        instruction,
        payer,
        (admin.admin, "admin"),
        is_done=is_done,
    )
    return Plan(title, (action,), tuple(notes))


def _setting(limit: Limit) -> tuple[int, int, int]:
    """The setting that is in force or will be."""
    if limit.pending_from:
        return limit.pending_mint_cap, limit.pending_burn_cap, limit.pending_window
    return limit.mint_cap, limit.burn_cap, limit.window


def _tightens(limit: Limit | None, wanted: tuple[int, int, int], now: int) -> bool:
    """Whether the program puts the setting in force at once (state/limit.rs, Limit::set)."""
    if limit is None:
        return False
    matured = 0 < limit.pending_from <= now
    current = _setting(limit) if matured else (limit.mint_cap, limit.burn_cap, limit.window)
    return wanted[0] <= current[0] and wanted[1] <= current[1] and wanted[2] >= current[2]


def _differences(existing: Security, params: ListSecurityParams) -> list[str]:
    names = ("isin", "ticker", "decimals", "terms_hash", "custody_accounts_hash", "permissioned", "policy")
    return [name.replace("_", " ") for name in names if getattr(existing, name) != getattr(params, name)]
