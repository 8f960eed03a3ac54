mod announce;
mod approve;
mod cancel;
mod execute;

pub use announce::*;
pub use approve::*;
pub use cancel::*;
pub use execute::*;

use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    state::{CorporateAction, Role},
};

/// Refuses an action that is not approved, or whose approver's role did not stay in force (law 5).
///
/// Whose role it is, is checked here: an action that nobody approved should say so, and no constraint knows.
pub(crate) fn require_live_approval(action: &CorporateAction, approver_role: &Role, now: i64) -> Result<()> {
    action.require_approved()?;
    require!(
        approver_role.holder == action.approver
            && approver_role.is_in_force(now)
            && approver_role.in_force_from <= action.approved_at,
        TallystickError::ApprovalNotLive
    );
    Ok(())
}
