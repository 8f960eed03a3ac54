use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, LimitSet},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: SetLimitParams)]
pub struct SetLimit<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security the limit is for.
    #[account(has_one = issuer @ TallystickError::SecurityOfAnotherIssuer)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The limit.
    #[account(
        init_if_needed,
        dup,
        payer = payer,
        space = 8 + Limit::INIT_SPACE,
        seeds = [LIMIT_SEED, security.key().as_ref(), params.holder.as_ref()],
        bump,
    )]
    pub limit: Box<Account<'info, InPlace<Limit>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct SetLimitParams {
    /// The operator's key.
    pub holder: Pubkey,
    /// Raw units per window.
    pub mint_cap: u64,
    /// Raw units per window.
    pub burn_cap: u64,
    /// Seconds in which a cap recovers in full.
    pub window: i64,
}

/// Sets an operator's limit: at once when that tightens it, else after the issuer's delay.
pub fn set_limit(ctx: Context<SetLimit>, params: SetLimitParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    require!(params.holder != Pubkey::default(), TallystickError::DefaultKey);
    let limit = &mut ctx.accounts.limit;
    limit.version = VERSION;
    limit.bump = ctx.bumps.limit;
    limit.security = ctx.accounts.security.key();
    limit.holder = params.holder;
    limit.set(
        params.mint_cap,
        params.burn_cap,
        params.window,
        now,
        ctx.accounts.issuer.delay,
    )?;
    limit.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        LimitSet {
            security: ctx.accounts.security.key(),
            limit: ctx.accounts.limit.key(),
            holder: params.holder,
            mint_cap: params.mint_cap,
            burn_cap: params.burn_cap,
            window: params.window,
            in_force_from: ctx.accounts.limit.pending_from.max(now),
        },
    )?;
    Ok(())
}
