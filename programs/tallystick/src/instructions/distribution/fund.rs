use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, DistributionFunded},
    payment::{require_plain_mint, Escrow},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct FundDistribution<'info> {
    /// Owns the money.
    pub funder: Signer<'info>,
    /// CHECK: the token program checks that it is the funder's, and of the payment mint.
    #[account(mut)]
    pub source: UncheckedAccount<'info>,
    /// The distribution.
    #[account(
        mut, dup,
        has_one = payment_mint @ TallystickError::WrongPaymentMint,
        has_one = escrow @ TallystickError::WrongPaymentEscrow,
        has_one = token_program @ ErrorCode::InvalidProgramId,
    )]
    pub distribution: Box<Account<'info, InPlace<Distribution>>>,
    /// CHECK: the distribution names it.
    pub payment_mint: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    #[account(mut)]
    pub escrow: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    pub token_program: UncheckedAccount<'info>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct FundDistributionParams {
    /// Raw units of the payment mint.
    pub raw: u64,
}

impl FundDistribution<'_> {
    pub fn validate(&self, params: &FundDistributionParams) -> Result<()> {
        self.distribution.require_approved()?;
        require!(params.raw > 0, TallystickError::ZeroQuantity);
        require_plain_mint(
            self.token_program.key,
            self.payment_mint.owner,
            &self.payment_mint.try_borrow_data()?,
        )?;
        Ok(())
    }
}

/// Moves money into escrow and counts what arrived there. What is sent to the escrow otherwise is not counted, cannot be
/// paid, and goes to the refund account in the end.
#[access_control(ctx.accounts.validate(&params))]
pub fn fund_distribution(ctx: Context<FundDistribution>, params: FundDistributionParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let arrived = Escrow {
        program: &accounts.token_program,
        mint: &accounts.payment_mint,
        escrow: &accounts.escrow,
        distribution: &accounts.distribution,
    }
    .fund(&accounts.source, &accounts.funder, params.raw)?;
    accounts.distribution.fund(arrived)?;
    accounts.distribution.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        DistributionFunded {
            distribution: ctx.accounts.distribution.key(),
            funder: ctx.accounts.funder.key(),
            raw: arrived,
            funded: ctx.accounts.distribution.funded,
        },
    )?;
    Ok(())
}
