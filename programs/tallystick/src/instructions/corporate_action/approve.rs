use anchor_lang::prelude::*;

use crate::{
    errors::TallystickError,
    events::{emit, ActionApproved},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct ApproveAction<'info> {
    /// A corporate actions key, another than the announcer's.
    pub approver: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::CorporateActions @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == approver.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security it happens to.
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The action.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub action: Box<Account<'info, InPlace<CorporateAction>>>,
}

/// Approves an announced action; it is not executed before that.
pub fn approve_action(ctx: Context<ApproveAction>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let approver = ctx.accounts.approver.key();
    ctx.accounts.role.require_in_force(now)?;
    ctx.accounts.action.approve(approver, now)?;
    ctx.accounts.action.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        ActionApproved {
            security: ctx.accounts.security.key(),
            action: ctx.accounts.action.key(),
            approver,
        },
    )?;
    Ok(())
}
