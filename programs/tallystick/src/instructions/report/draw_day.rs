use anchor_lang::prelude::*;

use crate::{
    errors::TallystickError,
    events::{emit, DayDrawn},
    slot_hashes,
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct DrawDay<'info> {
    /// The draw that was requested.
    #[account(mut, dup)]
    pub draw: Box<Account<'info, InPlace<DayDraw>>>,
    /// CHECK: its address. The chain's record of the last slots' hashes.
    #[account(address = slot_hashes::ADDRESS @ TallystickError::NotSlotHashes)]
    pub slot_hashes: UncheckedAccount<'info>,
}

/// Draws the day from the hash of the first slot at or after the target. There is one such slot, so it does not matter
/// who asks, or when.
pub fn draw_day(ctx: Context<DrawDay>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let draw = &mut ctx.accounts.draw;
    let found = slot_hashes::first_at_or_after(&ctx.accounts.slot_hashes, draw.target_slot)?;
    draw.draw(found, now)?;
    draw.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        DayDrawn {
            issuer: ctx.accounts.draw.issuer,
            draw: ctx.accounts.draw.key(),
            period: ctx.accounts.draw.period,
            attempts: ctx.accounts.draw.attempts,
            drawn_slot: ctx.accounts.draw.drawn_slot,
            slot_hash: ctx.accounts.draw.slot_hash,
            drawn_day: ctx.accounts.draw.drawn_day,
        },
    )?;
    Ok(())
}
