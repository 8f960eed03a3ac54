"""Methods about the cluster itself: time, epochs, fees, rent, health."""

from __future__ import annotations

from typing import Any

from solders.message import from_bytes_versioned

from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.timeline import SLOTS_PER_EPOCH
from tallystick.adapters.chain.wire import fee_of
from tallystick.errors import InputError
from tallystick.localnet.faults import BLOCK_NOT_AVAILABLE, INVALID_REQUEST, Fault, invalid
from tallystick.localnet.params import API_VERSION, Params, base64_bytes, hash_of, pubkey_of

_MAX_DATA = 10 * 1024 * 1024
_MAX_FEE_ACCOUNTS = 128


def get_version(ledger: Ledger, params: Params) -> Any:
    """Names the localnet, so that nobody takes it for a validator."""
    return {"feature-set": 0, "solana-core": f"{API_VERSION}-tallystick-localnet-for-development"}


def get_health(ledger: Ledger, params: Params) -> Any:
    return "ok"


def get_genesis_hash(ledger: Ledger, params: Params) -> Any:
    return str(ledger.genesis_hash)


def get_identity(ledger: Ledger, params: Params) -> Any:
    return {"identity": str(ledger.identity)}


def get_slot(ledger: Ledger, params: Params) -> Any:
    return params.config(0).context(ledger)["slot"]


def get_slot_leader(ledger: Ledger, params: Params) -> Any:
    params.config(0).context(ledger)
    return str(ledger.identity)


def get_transaction_count(ledger: Ledger, params: Params) -> Any:
    params.config(0).context(ledger)
    return ledger.transaction_count


def get_first_available_block(ledger: Ledger, params: Params) -> Any:
    return 0


def get_epoch_info(ledger: Ledger, params: Params) -> Any:
    slot = params.config(0).context(ledger)["slot"]
    return {
        "absoluteSlot": slot,
        "blockHeight": slot,
        "epoch": slot // SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": ledger.transaction_count,
    }


def get_epoch_schedule(ledger: Ledger, params: Params) -> Any:
    return {
        "firstNormalEpoch": 0,
        "firstNormalSlot": 0,
        "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
        "slotsPerEpoch": SLOTS_PER_EPOCH,
        "warmup": False,
    }


def get_latest_blockhash(ledger: Ledger, params: Params) -> Any:
    context = params.config(0).context(ledger)
    latest = ledger.latest_blockhash()
    value = {"blockhash": str(latest.blockhash), "lastValidBlockHeight": latest.last_valid_block_height}
    return {"context": context, "value": value}


def is_blockhash_valid(ledger: Ledger, params: Params) -> Any:
    blockhash = hash_of(params.text(0))
    context = params.config(1).context(ledger)
    return {"context": context, "value": ledger.is_blockhash_valid(blockhash)}


def get_fee_for_message(ledger: Ledger, params: Params) -> Any:
    """Null when the message's blockhash could not land, as on Agave."""
    raw = base64_bytes(params.text(0))
    try:
        message = from_bytes_versioned(raw)
    except Exception as error:  # solders raises several types here, and each means the same
        raise invalid(f"failed to deserialize solana_message::versions::VersionedMessage: {error}") from None
    context = params.config(1).context(ledger)
    known = ledger.is_blockhash_valid(message.recent_blockhash)
    return {"context": context, "value": fee_of(message) if known else None}


def get_minimum_balance_for_rent_exemption(ledger: Ledger, params: Params) -> Any:
    size = params.integer(0, "usize")
    if size > _MAX_DATA:
        raise Fault(INVALID_REQUEST, "Invalid request")
    return ledger.minimum_balance(size)


def get_recent_prioritization_fees(ledger: Ledger, params: Params) -> Any:
    """No block here is full, so no fee above the signatures was ever needed."""
    if params.value(0) is not None:
        for text in params.texts(0, _MAX_FEE_ACCOUNTS):
            pubkey_of(text)
    slot = ledger.slot
    return [{"prioritizationFee": 0, "slot": each} for each in range(max(1, slot - 149), slot + 1)]


def get_block_time(ledger: Ledger, params: Params) -> Any:
    slot = params.integer(0)
    time = ledger.block_time(slot)
    if time is None:
        raise Fault(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    return time


def tally_warp(ledger: Ledger, params: Params) -> Any:
    """Moves time ahead by `seconds`; answers the new slot and the new time in seconds since 1970."""
    seconds = params.config(0, "struct with field `seconds`").integer("seconds")
    if seconds is None:
        raise invalid("Invalid params: missing field `seconds`.")
    try:
        slot, time = ledger.warp(seconds)
    except InputError as error:
        raise invalid(f"Invalid param: {error.message}") from None
    return {"slot": slot, "unixTimestamp": time}
