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
pub struct CancelRedemption<'info> {
    /// An operator; or the holder, while the redemption is not accepted.
    pub authority: Signer<'info>,
    /// The operator's role; absent when the holder signs.
    pub role: Option<Box<Account<'info, InPlace<Role>>>>,
    /// The security.
    #[account(mut, dup, has_one = escrow @ TallystickError::WrongEscrow)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The order.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
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

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct CancelRedemptionParams {
    /// The issuer's own table of reasons.
    pub reason_code: u16,
}

impl CancelRedemption<'_> {
    pub fn validate(&self) -> Result<()> {
        let party = super::require_party(
            &self.authority,
            self.role.as_deref(),
            &self.order.holder,
            &self.security.issuer,
            Clock::get()?.unix_timestamp,
        )?;
        self.order.require_kind(OrderKind::Redemption)?;
        self.order.require_live()?;
        // Once accepted, the custodian may have been instructed: only the operator knows.
        require!(
            party == super::Party::Operator || self.order.status == OrderStatus::Open,
            TallystickError::NotHolderNorOperator
        );
        Ok(())
    }
}

/// Ends a redemption and returns what was not burnt. No hold stops a return.
#[access_control(ctx.accounts.validate())]
pub fn cancel_redemption(ctx: Context<CancelRedemption>, params: CancelRedemptionParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    accounts.order.reason_code = params.reason_code;
    let raw = super::Return {
        token_program: &accounts.token_program,
        mint: &accounts.mint.to_account_info(),
        escrow: &accounts.escrow.to_account_info(),
        destination: &accounts.destination.to_account_info(),
    }
    .of(
        &mut accounts.order,
        &mut accounts.security,
        OrderStatus::Cancelled,
        Clock::get()?.unix_timestamp,
    )?;
    emit(
        &ctx.accounts.event_authority,
        RedemptionReturned {
            security: ctx.accounts.security.key(),
            order: ctx.accounts.order.key(),
            holder: ctx.accounts.order.holder,
            returned_by: ctx.accounts.authority.key(),
            raw,
            status: OrderStatus::Cancelled,
            reason_code: params.reason_code,
        },
    )?;
    Ok(())
}
