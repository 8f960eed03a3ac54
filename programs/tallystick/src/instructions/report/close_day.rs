use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, DayClosed},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct CloseDay<'info> {
    /// The publisher.
    pub publisher: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == issuer.key() @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Publisher @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == publisher.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The issuer, which keeps the running hash.
    #[account(mut, dup)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct CloseDayParams {
    /// The day closed, counted from 1970-01-01, UTC.
    pub day: u32,
    /// Hash of the daily close.
    pub close_hash: [u8; 32],
    /// The slot at which the close's figures were read.
    pub as_of_slot: u64,
}

impl CloseDay<'_> {
    pub fn validate(&self, params: &CloseDayParams) -> Result<()> {
        let clock = Clock::get()?;
        self.role.require_in_force(clock.unix_timestamp)?;
        require!(params.close_hash != [0; 32], TallystickError::HashMissing);
        require!(params.as_of_slot <= clock.slot, TallystickError::SlotInTheFuture);
        require_day_ended(params.day, clock.unix_timestamp)
    }
}

/// Extends the running hash of closed days by one day. A day that was left out can never be closed.
#[access_control(ctx.accounts.validate(&params))]
pub fn close_day(ctx: Context<CloseDay>, params: CloseDayParams) -> Result<()> {
    let issuer = &mut ctx.accounts.issuer;
    let previous_hash = issuer.days_hash;
    issuer.close_day(params.day, &params.close_hash, params.as_of_slot)?;
    issuer.invariant()?;
    let (days_hash, days) = (issuer.days_hash, issuer.days);
    emit(
        &ctx.accounts.event_authority,
        DayClosed {
            issuer: ctx.accounts.issuer.key(),
            day: params.day,
            close_hash: params.close_hash,
            as_of_slot: params.as_of_slot,
            previous_hash,
            days_hash,
            days,
            closed_by: ctx.accounts.publisher.key(),
            closed_at: Clock::get()?.unix_timestamp,
        },
    )?;
    Ok(())
}
