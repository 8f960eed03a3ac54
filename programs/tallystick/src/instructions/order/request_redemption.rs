use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, RedemptionRequested},
    state::*,
    token::{Mint, Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: RequestRedemptionParams)]
pub struct RequestRedemption<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The holder that redeems.
    pub wallet: Signer<'info>,
    /// The security.
    #[account(mut, dup, has_one = escrow @ TallystickError::WrongEscrow)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The holder's record.
    #[account(
        constraint = holder.issuer == security.issuer @ TallystickError::WrongHolderRecord,
        constraint = holder.wallet == wallet.key() @ TallystickError::WrongHolderRecord,
    )]
    pub holder: Box<Account<'info, InPlace<Holder>>>,
    /// The order.
    #[account(
        init,
        payer = payer,
        space = 8 + Order::INIT_SPACE,
        seeds = [ORDER_SEED, security.key().as_ref(), wallet.key.as_ref(), params.order_id.as_ref()],
        bump,
    )]
    pub order: Box<Account<'info, InPlace<Order>>>,
    /// The security's mint.
    #[account(address = security.mint @ TallystickError::MintOfAnotherSecurity)]
    pub mint: Box<Account<'info, Mint>>,
    /// The holder's tokens.
    #[account(
        mut, dup,
        constraint = source.owner == wallet.key() @ TallystickError::WrongTokenAccount,
        constraint = source.mint == security.mint @ TallystickError::WrongTokenAccount,
    )]
    pub source: Box<Account<'info, TokenAccount>>,
    /// The security's escrow.
    #[account(mut, dup)]
    pub escrow: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct RequestRedemptionParams {
    /// Chosen by the holder; used once for this security.
    pub order_id: [u8; 32],
    /// Raw token units.
    pub raw: u64,
}

impl RequestRedemption<'_> {
    pub fn validate(&self, params: &RequestRedemptionParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.security.require_redeem_not_held()?;
        self.holder
            .require_may_order(self.security.policy_at(now).allowed_classes, now)?;
        require!(params.raw > 0, TallystickError::ZeroQuantity);
        Ok(())
    }
}

/// Puts a holder's tokens in escrow until they are burnt or returned.
#[access_control(ctx.accounts.validate(&params))]
pub fn request_redemption(ctx: Context<RequestRedemption>, params: RequestRedemptionParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = &mut *ctx.accounts;
    let security_key = accounts.security.key();
    let holder = accounts.wallet.key();
    let accept_by = now
        .checked_add(accounts.security.policy_at(now).accept_period)
        .ok_or(TallystickError::Overflow)?;
    accounts.order.write(Order {
        version: VERSION,
        bump: ctx.bumps.order,
        kind: OrderKind::Redemption,
        status: OrderStatus::Open,
        security: security_key,
        holder,
        order_id: params.order_id,
        quantity: params.raw,
        filled: 0,
        opened_at: now,
        status_at: now,
        accept_by,
        settle_by: 0,
        fills: 0,
        reason_code: 0,
        reserved: [0; 64],
    });
    let security = &mut accounts.security;
    security.escrowed = security
        .escrowed
        .checked_add(params.raw)
        .ok_or(TallystickError::Overflow)?;
    Token {
        program: &accounts.token_program,
        mint: &accounts.mint.to_account_info(),
        security: &accounts.security,
    }
    .transfer(
        &accounts.source.to_account_info(),
        &accounts.escrow.to_account_info(),
        params.raw,
    )?;
    accounts.order.invariant()?;
    accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        RedemptionRequested {
            security: security_key,
            order: ctx.accounts.order.key(),
            holder,
            order_id: params.order_id,
            raw: params.raw,
            accept_by,
        },
    )?;
    Ok(())
}
