use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, AdminAccepted},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct AcceptAdmin<'info> {
    /// The proposed admin.
    pub pending_admin: Signer<'info>,
    /// The issuer.
    #[account(mut, dup, has_one = pending_admin @ TallystickError::NotPendingAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The attestor role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Attestor.seed(), pending_admin.key.as_ref()], bump)]
    pub attestor_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The operator role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Operator.seed(), pending_admin.key.as_ref()], bump)]
    pub operator_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The compliance role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Compliance.seed(), pending_admin.key.as_ref()], bump)]
    pub compliance_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The corporate_actions role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::CorporateActions.seed(), pending_admin.key.as_ref()], bump)]
    pub corporate_actions_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The guardian role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Guardian.seed(), pending_admin.key.as_ref()], bump)]
    pub guardian_role: UncheckedAccount<'info>,
}

impl AcceptAdmin<'_> {
    pub fn validate(&self) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        require!(
            now >= self.issuer.pending_admin_from,
            TallystickError::DelayNotOver
        );
        require_no_exclusive_role(
            [
                &self.attestor_role,
                &self.operator_role,
                &self.compliance_role,
                &self.corporate_actions_role,
                &self.guardian_role,
            ],
            None,
            now,
        )
    }
}

#[access_control(ctx.accounts.validate())]
pub fn accept_admin(ctx: Context<AcceptAdmin>) -> Result<()> {
    let issuer = &mut ctx.accounts.issuer;
    let previous_admin = issuer.admin;
    issuer.admin = issuer.pending_admin;
    issuer.pending_admin = Pubkey::default();
    issuer.pending_admin_from = 0;
    issuer.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        AdminAccepted {
            issuer: ctx.accounts.issuer.key(),
            previous_admin,
            admin: ctx.accounts.issuer.admin,
        },
    )?;
    Ok(())
}
