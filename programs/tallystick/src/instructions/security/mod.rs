mod announce_metadata;
mod list;
mod name_seizure_account;
mod place_hold;
mod release_hold;
mod retire;
mod set_limit;
mod update_metadata;
mod update_policy;

pub use announce_metadata::*;
pub use list::*;
pub use name_seizure_account::*;
pub use place_hold::*;
pub use release_hold::*;
pub use retire::*;
pub use set_limit::*;
pub use update_metadata::*;
pub use update_policy::*;

use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::*,
};

/// What wallets show and what the terms are, as a listing or an update may set it.
fn require_metadata(
    name: &str,
    ticker: &[u8; 16],
    uri: &str,
    isin: &[u8; 12],
    terms_hash: &[u8; 32],
) -> Result<()> {
    require!(is_isin(isin), TallystickError::BadIsin);
    require!(
        is_text(ticker)
            && name.len() <= MAX_NAME
            && is_text(name.as_bytes())
            && uri.len() <= MAX_URI
            && is_text(uri.as_bytes()),
        TallystickError::BadText
    );
    require!(*terms_hash != [0; 32], TallystickError::HashMissing);
    Ok(())
}

/// Zero-padded text without its padding; `is_text` has checked that it is UTF-8.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_string()
}
