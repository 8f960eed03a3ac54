//! Where the program starts. Two instructions are answered here, before Anchor takes every account apart: a payment of
//! a whole batch, and the program's own call that records an event. All others go to Anchor as ever.
//!
//! build.rs turns Anchor's own entrypoint off, unless the crate is built with `no-entrypoint`.

use core::mem::MaybeUninit;

use anchor_lang::{
    event::EVENT_IX_TAG_LE,
    prelude::*,
    solana_program::entrypoint::{deserialize, SUCCESS},
    Discriminator,
};

use crate::{
    instructions::{pay_batch_in_place, FIXED_ACCOUNTS},
    runtime::{accounts, count, same, MAX_ACCOUNTS},
};

/// # Safety
/// Called by the runtime alone.
#[cfg_attr(all(own_entrypoint, target_os = "solana"), no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    let found = unsafe { count(input) };
    if found == 1 && unsafe { records_event(input) } {
        return SUCCESS;
    }
    if found > FIXED_ACCOUNTS && found <= MAX_ACCOUNTS {
        if let Some(status) = unsafe { pay_batch(input) } {
            return status;
        }
    }
    unsafe { everything_else(input) }
}

/// The call by which `emit` records an event does nothing: Anchor checks the same, for 300 compute units.
#[inline(always)]
unsafe fn records_event(input: *const u8) -> bool {
    let mut found = [MaybeUninit::uninit(); MAX_ACCOUNTS];
    let (accounts, data) = unsafe { accounts(input, &mut found) };
    data.starts_with(EVENT_IX_TAG_LE)
        && accounts[0].signs()
        && same(&accounts[0].key, &crate::EVENT_AUTHORITY_AND_BUMP.0)
}

#[inline(never)]
unsafe fn pay_batch(input: *const u8) -> Option<u64> {
    let mut found = [MaybeUninit::uninit(); MAX_ACCOUNTS];
    let (accounts, data) = unsafe { accounts(input, &mut found) };
    let arguments = data.strip_prefix(crate::instruction::PayBatch::DISCRIMINATOR)?;
    Some(match pay_batch_in_place(accounts, arguments) {
        Ok(()) => SUCCESS,
        Err(error) => {
            error.log();
            ProgramError::from(error).into()
        }
    })
}

#[inline(never)]
unsafe fn everything_else(input: *mut u8) -> u64 {
    let (program_id, accounts, data) = unsafe { deserialize(input) };
    match crate::entry(program_id, &accounts, data) {
        Ok(()) => SUCCESS,
        Err(error) => error.into(),
    }
}
