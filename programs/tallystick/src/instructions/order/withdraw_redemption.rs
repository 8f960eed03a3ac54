use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, RedemptionReturned},
    state::*,
    token::{Mint, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawRedemption<'info> {
    /// The holder, who asks nobody.
    pub wallet: Signer<'info>,
    /// The security.
    #[account(mut, dup, has_one = escrow @ TallystickError::WrongEscrow)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The order.
    #[account(
        mut, dup,
        has_one = security @ TallystickError::AccountOfAnotherSecurity,
        constraint = order.holder == wallet.key() @ TallystickError::NotHolderNorOperator,
    )]
    pub order: Box<Account<'info, InPlace<Order>>>,
    /// The security's mint.
    #[account(address = security.mint @ TallystickError::MintOfAnotherSecurity)]
    pub mint: Box<Account<'info, Mint>>,
    /// The security's escrow.
    #[account(mut, dup)]
    pub escrow: Box<Account<'info, TokenAccount>>,
    /// A token account of the holder.
    #[account(
        mut, dup,
        constraint = destination.owner == order.holder @ TallystickError::WrongTokenAccount,
        constraint = destination.mint == security.mint @ TallystickError::WrongTokenAccount,
    )]
    pub destination: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl WithdrawRedemption<'_> {
    pub fn validate(&self) -> Result<()> {
        self.order.require_kind(OrderKind::Redemption)?;
        self.order.require_live()?;
        require!(
            Clock::get()?.unix_timestamp > self.order.deadline(),
            TallystickError::DeadlineNotPassed
        );
        Ok(())
    }
}

/// Takes back what the operator did not accept, or accepted and did not settle, in time. Needs no role, no
/// approval and no hold's release.
#[access_control(ctx.accounts.validate())]
pub fn withdraw_redemption(ctx: Context<WithdrawRedemption>) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let raw = super::Return {
        token_program: &accounts.token_program,
        mint: &accounts.mint.to_account_info(),
        escrow: &accounts.escrow.to_account_info(),
        destination: &accounts.destination.to_account_info(),
    }
    .of(
        &mut accounts.order,
        &mut accounts.security,
        OrderStatus::Withdrawn,
        Clock::get()?.unix_timestamp,
    )?;
    emit(
        &ctx.accounts.event_authority,
        RedemptionReturned {
            security: ctx.accounts.security.key(),
            order: ctx.accounts.order.key(),
            holder: ctx.accounts.order.holder,
            returned_by: ctx.accounts.wallet.key(),
            raw,
            status: OrderStatus::Withdrawn,
            reason_code: 0,
        },
    )?;
    Ok(())
}
