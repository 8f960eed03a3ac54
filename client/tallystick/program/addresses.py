"""Addresses of all the program's accounts in one place, and the hashes that are part of them.

Those the IDL can say come from generated/pdas.py; the others are written here after the seeds in the program's source.
"""

from __future__ import annotations

import hashlib

from solders.pubkey import Pubkey

from tallystick.program.borsh import Writer
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.pdas import (
    action_address,
    attestation_address,
    correction_address,
    distribution_address,
    draw_address,
    event_authority_address,
    fill_address,
    hold_address,
    holder_address,
    limit_address,
    mint_address,
    movement_address,
    order_address,
    report_address,
    role_address,
    security_address,
    seizure_address,
)
from tallystick.program.generated.types import AttestationContent, MetadataParams
from tallystick.program.layout import exactly

UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")

__all__ = [
    "UPGRADEABLE_LOADER",
    "action_address",
    "attestation_address",
    "attestation_hash",
    "correction_address",
    "distribution_address",
    "draw_address",
    "event_authority_address",
    "fill_address",
    "hold_address",
    "holder_address",
    "issuer_address",
    "issuer_id",
    "limit_address",
    "metadata_hash",
    "mint_address",
    "movement_address",
    "order_address",
    "program_data_address",
    "report_address",
    "role_address",
    "security_address",
    "seizure_address",
]


def issuer_id(admin: Pubkey, nonce: int) -> bytes:
    """32 bytes that bind an issuer to the key that opens it: SHA-256("tallystick:issuer", admin, nonce as u64).

    AmountError if the nonce does not fit u64. Source: state/issuer.rs, Issuer::id.
    """
    writer = Writer(b"tallystick:issuer" + bytes(admin))
    writer.u64(nonce, "nonce")
    return hashlib.sha256(writer.finish()).digest()


def issuer_address(issuer_id: bytes, *, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    """Where the program keeps an issuer. IdentifierError unless the id has 32 bytes."""
    return _address(program_id, b"issuer", exactly(issuer_id, 32, "issuer id"))


def attestation_hash(security: Pubkey, content: AttestationContent) -> bytes:
    """SHA-256("tallystick:attestation", security, content in Borsh): the last seed of the attestation's address.

    Source: state/attestation.rs, AttestationContent::hash.
    """
    writer = Writer(b"tallystick:attestation" + bytes(security))
    content.write(writer)
    return hashlib.sha256(writer.finish()).digest()


def metadata_hash(security: Pubkey, params: MetadataParams) -> bytes:
    """SHA-256("tallystick:metadata", security, params in Borsh): what an announcement commits to.

    Source: instructions/security/announce_metadata.rs, MetadataParams::hash.
    """
    writer = Writer(b"tallystick:metadata" + bytes(security))
    params.write(writer)
    return hashlib.sha256(writer.finish()).digest()


def program_data_address(program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    """Where the upgradeable loader keeps the program's bytes and its upgrade authority."""
    return _address(UPGRADEABLE_LOADER, bytes(program_id))


def _address(program_id: Pubkey, *seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(seeds, program_id)[0]
