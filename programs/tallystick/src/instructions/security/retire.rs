use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, SecurityRetired},
    instructions::corporate_action::require_live_approval,
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct RetireSecurity<'info> {
    /// A corporate actions key.
    pub executor: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::CorporateActions @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == executor.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The role of the key that approved the action.
    #[account(
        constraint = approver_role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = approver_role.kind == RoleKind::CorporateActions @ TallystickError::RoleOfAnotherKind,
    )]
    pub approver_role: Box<Account<'info, InPlace<Role>>>,
    /// The security that is delisted.
    #[account(mut, dup)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The delisting.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub action: Box<Account<'info, InPlace<CorporateAction>>>,
}

impl RetireSecurity<'_> {
    pub fn validate(&self, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        self.security.require_active()?;
        require_live_approval(&self.action, &self.approver_role, now)?;
        require!(self.action.kind.retires(), TallystickError::ActionOfWrongKind);
        require!(self.action.has_come(now), TallystickError::EffectiveTimeAhead);
        Ok(())
    }
}

/// Retires a security for good: nothing is subscribed or minted any more, and redemptions go on.
pub fn retire_security(ctx: Context<RetireSecurity>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(now)?;
    ctx.accounts.action.execute(now)?;
    ctx.accounts.security.status = SecurityStatus::Retired;
    ctx.accounts.action.invariant()?;
    ctx.accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        SecurityRetired {
            security: ctx.accounts.security.key(),
            action: ctx.accounts.action.key(),
            retired_by: ctx.accounts.executor.key(),
        },
    )?;
    Ok(())
}
