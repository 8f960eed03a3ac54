mod approve;
mod freeze;
mod propose_seizure;
mod reissue;
mod seize;
mod suspend;
mod thaw;

pub use approve::*;
pub use freeze::*;
pub use propose_seizure::*;
pub use reissue::*;
pub use seize::*;
pub use suspend::*;
pub use thaw::*;

use anchor_lang::prelude::*;

use crate::errors::{require, TallystickError};

/// Refuses the owner of a token account where it is an account of this program: no instruction freezes, thaws or
/// seizes what the program itself owns (law 3).
pub fn require_wallet(wallet: &AccountInfo) -> Result<()> {
    require!(wallet.owner != &crate::ID, TallystickError::OwnedByProgram);
    Ok(())
}
