use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, RoleRevoked},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct RevokeRole<'info> {
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(mut, dup, has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The role to end.
    #[account(mut, dup, has_one = issuer @ TallystickError::RoleOfAnotherIssuer)]
    pub role: Box<Account<'info, InPlace<Role>>>,
}

impl RevokeRole<'_> {
    pub fn validate(&self) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        require!(self.role.has_not_ended(now), TallystickError::RoleEnded);
        // Revoking a guardian again would restart its delay.
        require!(self.role.ends_at == i64::MAX, TallystickError::RoleEnded);
        Ok(())
    }
}

/// Ends a role at once; a guardian's after the delay, so that a stolen admin key cannot first remove the veto.
#[access_control(ctx.accounts.validate())]
pub fn revoke_role(ctx: Context<RevokeRole>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let issuer = &mut ctx.accounts.issuer;
    let role = &mut ctx.accounts.role;
    if role.kind == RoleKind::Attestor {
        issuer.attestor_epoch = issuer
            .attestor_epoch
            .checked_add(1)
            .ok_or(TallystickError::Overflow)?;
    }
    role.ends_at = if role.kind == RoleKind::Guardian && role.is_in_force(now) {
        now.checked_add(issuer.delay).ok_or(TallystickError::Overflow)?
    } else {
        now
    };
    issuer.invariant()?;
    role.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        RoleRevoked {
            issuer: ctx.accounts.issuer.key(),
            role: ctx.accounts.role.key(),
            kind: ctx.accounts.role.kind,
            holder: ctx.accounts.role.holder,
            ends_at: ctx.accounts.role.ends_at,
            attestor_epoch: ctx.accounts.issuer.attestor_epoch,
        },
    )?;
    Ok(())
}
