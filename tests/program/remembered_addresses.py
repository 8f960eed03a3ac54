"""tallystick.program.addresses, each address found once: finding one takes as long as sending half a transaction."""

from functools import lru_cache

from tallystick.program import addresses, token

_REMEMBERED = 20_000

attestation_hash = addresses.attestation_hash

issuer_id = lru_cache(_REMEMBERED)(addresses.issuer_id)
issuer_address = lru_cache(_REMEMBERED)(addresses.issuer_address)
role_address = lru_cache(_REMEMBERED)(addresses.role_address)
holder_address = lru_cache(_REMEMBERED)(addresses.holder_address)
mint_address = lru_cache(_REMEMBERED)(addresses.mint_address)
security_address = lru_cache(_REMEMBERED)(addresses.security_address)
limit_address = lru_cache(_REMEMBERED)(addresses.limit_address)
order_address = lru_cache(_REMEMBERED)(addresses.order_address)
movement_address = lru_cache(_REMEMBERED)(addresses.movement_address)
fill_address = lru_cache(_REMEMBERED)(addresses.fill_address)
correction_address = lru_cache(_REMEMBERED)(addresses.correction_address)
hold_address = lru_cache(_REMEMBERED)(addresses.hold_address)
attestation_address = lru_cache(_REMEMBERED)(addresses.attestation_address)
action_address = lru_cache(_REMEMBERED)(addresses.action_address)
distribution_address = lru_cache(_REMEMBERED)(addresses.distribution_address)
seizure_address = lru_cache(_REMEMBERED)(addresses.seizure_address)
associated_token_address = lru_cache(_REMEMBERED)(token.associated_token_address)
