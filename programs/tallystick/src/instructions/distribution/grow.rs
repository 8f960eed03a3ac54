use anchor_lang::{prelude::*, system_program};

use crate::{
    errors::{require, TallystickError},
    events::{emit, DistributionGrew},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct GrowDistribution<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The distribution.
    #[account(mut, dup)]
    pub distribution: Box<Account<'info, InPlace<Distribution>>>,
    pub system_program: Program<'info, System>,
}

impl GrowDistribution<'_> {
    pub fn validate(&self) -> Result<()> {
        self.distribution.require_open()?;
        require!(
            self.distribution.to_account_info().data_len()
                < Distribution::full_length(self.distribution.batches),
            TallystickError::DistributionGrown
        );
        Ok(())
    }
}

/// Adds as many words to the bits as one instruction may: 1,280, for 72,960 entries.
#[access_control(ctx.accounts.validate())]
pub fn grow_distribution(ctx: Context<GrowDistribution>) -> Result<()> {
    let distribution = ctx.accounts.distribution.to_account_info();
    let batches = ctx.accounts.distribution.batches;
    let length = Distribution::next_length(batches, distribution.data_len());
    let missing = Rent::get()?
        .minimum_balance(length)
        .saturating_sub(distribution.lamports());
    if missing > 0 {
        system_program::transfer(
            CpiContext::new(
                ctx.accounts.system_program.key(),
                system_program::Transfer {
                    from: ctx.accounts.payer.to_account_info(),
                    to: distribution.clone(),
                },
            ),
            missing,
        )?;
    }
    distribution.resize(length)?;
    ctx.accounts.distribution.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        DistributionGrew {
            distribution: ctx.accounts.distribution.key(),
            length: length as u32,
            full_length: Distribution::full_length(batches) as u32,
        },
    )?;
    Ok(())
}
