use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, HolderSuspended},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct SuspendHolder<'info> {
    /// The compliance key.
    pub compliance: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == issuer.key() @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == compliance.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The issuer.
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The holder's record.
    #[account(mut, dup, has_one = issuer @ TallystickError::WrongHolderRecord)]
    pub holder: Box<Account<'info, InPlace<Holder>>>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct SuspendHolderParams {
    /// Hash of the evidence that the suspension rests on.
    pub evidence_hash: [u8; 32],
}

impl SuspendHolder<'_> {
    pub fn validate(&self) -> Result<()> {
        self.role.require_in_force(Clock::get()?.unix_timestamp)?;
        require!(
            self.holder.suspended_at == 0,
            TallystickError::HolderAlreadySuspended
        );
        Ok(())
    }
}

/// Stops a holder's new orders and settlements. Returns of what it has in escrow go on.
#[access_control(ctx.accounts.validate())]
pub fn suspend_holder(ctx: Context<SuspendHolder>, params: SuspendHolderParams) -> Result<()> {
    let holder = &mut ctx.accounts.holder;
    holder.suspended_at = Clock::get()?.unix_timestamp;
    holder.evidence_hash = params.evidence_hash;
    holder.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        HolderSuspended {
            issuer: ctx.accounts.issuer.key(),
            holder: ctx.accounts.holder.key(),
            wallet: ctx.accounts.holder.wallet,
        },
    )?;
    Ok(())
}
