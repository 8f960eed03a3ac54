use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, DrawRequested},
    slot_hashes::{self, Lookup},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: RequestDrawParams)]
pub struct RequestDraw<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The publisher.
    pub publisher: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == issuer.key() @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Publisher @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == publisher.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The issuer.
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The draw; the first request creates it, later ones find it.
    #[account(
        init_if_needed,
        payer = payer,
        space = 8 + DayDraw::INIT_SPACE,
        seeds = [DRAW_SEED, issuer.key().as_ref(), &params.period.to_le_bytes()],
        bump,
    )]
    pub draw: Box<Account<'info, InPlace<DayDraw>>>,
    /// CHECK: its address. The chain's record of the last slots' hashes.
    #[account(address = slot_hashes::ADDRESS @ TallystickError::NotSlotHashes)]
    pub slot_hashes: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct RequestDrawParams {
    /// The period, YYYYMM as a number, UTC.
    pub period: u32,
}

impl RequestDraw<'_> {
    pub fn validate(&self, params: &RequestDrawParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.role.require_in_force(now)?;
        require_period_ended(params.period, now)?;
        self.issuer.require_days_final(params.period)?;
        if self.draw.version != 0 {
            self.draw.require_undrawn()?;
            let found = slot_hashes::first_at_or_after(&self.slot_hashes, self.draw.target_slot)?;
            require!(found == Lookup::Gone, TallystickError::DrawPending);
        }
        Ok(())
    }
}

/// Names the slot whose hash decides: one that is not there yet. Again only where the chain no longer has that hash.
#[access_control(ctx.accounts.validate(&params))]
pub fn request_draw(ctx: Context<RequestDraw>, params: RequestDrawParams) -> Result<()> {
    let clock = Clock::get()?;
    let issuer = ctx.accounts.issuer.key();
    let requested_by = ctx.accounts.publisher.key();
    let target_slot = clock
        .slot
        .checked_add(DRAW_SLOTS)
        .ok_or(TallystickError::Overflow)?;
    let days_hash = ctx.accounts.issuer.days_hash;
    let draw = &mut ctx.accounts.draw;
    let attempts = draw.attempts.checked_add(1).ok_or(TallystickError::Overflow)?;
    draw.write(DayDraw {
        version: VERSION,
        bump: ctx.bumps.draw,
        issuer,
        period: params.period,
        attempts,
        target_slot,
        requested_by,
        requested_at: clock.unix_timestamp,
        days_hash,
        drawn_slot: 0,
        slot_hash: [0; 32],
        drawn_day: 0,
        drawn_at: 0,
        reserved: [0; 64],
    });
    draw.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        DrawRequested {
            issuer,
            draw: ctx.accounts.draw.key(),
            period: params.period,
            attempts,
            target_slot,
            days_hash,
            requested_by,
        },
    )?;
    Ok(())
}
