use anchor_lang::prelude::*;

use crate::{
    errors::TallystickError,
    events::{emit, DistributionClosed},
    payment::{balance, Escrow},
    runtime::sha256,
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct CloseDistribution<'info> {
    /// The distributor's key.
    pub distributor: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == distribution.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Distributor @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == distributor.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The distribution.
    #[account(
        mut, dup,
        has_one = payment_mint @ TallystickError::WrongPaymentMint,
        has_one = escrow @ TallystickError::WrongPaymentEscrow,
        has_one = refund @ TallystickError::WrongRefund,
        has_one = token_program @ ErrorCode::InvalidProgramId,
        constraint = distribution.payer == rent_recipient.key() @ TallystickError::WrongRentRecipient,
    )]
    pub distribution: Box<Account<'info, InPlace<Distribution>>>,
    /// CHECK: the distribution names it; gets the rent of bits and escrow.
    #[account(mut)]
    pub rent_recipient: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    pub payment_mint: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    #[account(mut)]
    pub escrow: UncheckedAccount<'info>,
    /// CHECK: the distribution names it; gets what the escrow holds.
    #[account(mut)]
    pub refund: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    pub token_program: UncheckedAccount<'info>,
}

impl CloseDistribution<'_> {
    pub fn validate(&self) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.role.require_in_force(now)?;
        self.distribution.require_over(now)
    }
}

/// Refunds everything in escrow, what was sent there unasked too, and leaves the header with a hash of the bits.
#[access_control(ctx.accounts.validate())]
pub fn close_distribution(ctx: Context<CloseDistribution>) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let escrow = Escrow {
        program: &accounts.token_program,
        mint: &accounts.payment_mint,
        escrow: &accounts.escrow,
        distribution: &accounts.distribution,
    };
    let refunded = balance(&accounts.escrow)?;
    if refunded > 0 {
        escrow.pay(&accounts.refund, refunded)?;
    }
    escrow.close(&accounts.rent_recipient)?;

    let info = accounts.distribution.to_account_info();
    let bits_hash = sha256(
        info.try_borrow_data()?
            .get(Distribution::BITS..)
            .unwrap_or_default(),
    );
    let distribution = &mut accounts.distribution;
    distribution.status = DistributionStatus::Closed;
    distribution.closed_at = Clock::get()?.unix_timestamp;
    distribution.bits_hash = bits_hash;
    distribution.invariant()?;
    info.resize(Distribution::BITS)?;
    free_rent(&info, &accounts.rent_recipient)?;
    emit(
        &ctx.accounts.event_authority,
        DistributionClosed {
            distribution: ctx.accounts.distribution.key(),
            closed_by: ctx.accounts.distributor.key(),
            paid: ctx.accounts.distribution.paid,
            paid_entries: ctx.accounts.distribution.paid_entries,
            refunded,
            bits_hash,
        },
    )?;
    Ok(())
}

/// Moves the lamports that the account no longer needs.
fn free_rent(from: &AccountInfo, to: &AccountInfo) -> Result<()> {
    let needed = Rent::get()?.minimum_balance(from.data_len());
    let freed = from.lamports().saturating_sub(needed);
    let received = to
        .lamports()
        .checked_add(freed)
        .ok_or(TallystickError::Overflow)?;
    **from.try_borrow_mut_lamports()? = needed.min(from.lamports());
    **to.try_borrow_mut_lamports()? = received;
    Ok(())
}
