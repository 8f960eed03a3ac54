use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    constants::*,
    errors::TallystickError,
    events::RedemptionSettled,
    instructions::MovementParams,
    state::*,
    token::{Mint, Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: SettleRedemptionParams)]
pub struct SettleRedemption<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The operator.
    pub operator: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Operator @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == operator.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, Role>>,
    /// The security.
    #[account(mut, has_one = escrow @ TallystickError::WrongEscrow)]
    pub security: Box<Account<'info, Security>>,
    /// What the operator may mint and burn.
    #[account(
        mut,
        has_one = security @ TallystickError::AccountOfAnotherSecurity,
        constraint = limit.holder == operator.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub limit: Box<Account<'info, Limit>>,
    /// The holder's record.
    #[account(
        constraint = holder.issuer == security.issuer @ TallystickError::WrongHolderRecord,
        constraint = holder.wallet == order.holder @ TallystickError::WrongHolderRecord,
    )]
    pub holder: Box<Account<'info, Holder>>,
    /// The order.
    #[account(mut, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub order: Box<Account<'info, Order>>,
    /// The custodian's movement; the first fill against it creates it.
    #[account(
        init_if_needed,
        payer = payer,
        space = 8 + Movement::INIT_SPACE,
        seeds = [MOVEMENT_SEED, security.key().as_ref(), params.movement.reference_hash.as_ref()],
        bump,
    )]
    pub movement: Box<Account<'info, Movement>>,
    /// The fill: one for each movement and order, so that a repeated call fails.
    #[account(
        init,
        payer = payer,
        space = 8 + Fill::INIT_SPACE,
        seeds = [FILL_SEED, movement.key().as_ref(), order.key().as_ref()],
        bump,
    )]
    pub fill: Box<Account<'info, Fill>>,
    /// The security's mint.
    #[account(mut, address = security.mint @ TallystickError::MintOfAnotherSecurity)]
    pub mint: Box<Account<'info, Mint>>,
    /// The security's escrow.
    #[account(mut)]
    pub escrow: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct SettleRedemptionParams {
    /// The movement that took the shares out.
    pub movement: MovementParams,
    /// Raw token units of the order that it settles.
    pub raw: u64,
}

impl SettleRedemption<'_> {
    pub fn validate(&self, params: &SettleRedemptionParams, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        self.security.policy.require_within_bounds()?;
        self.security.require_redeem_not_held()?;
        self.holder
            .require_may_order(self.security.policy.allowed_classes, now)?;
        self.order.require_kind(OrderKind::Redemption)?;
        require!(
            self.order.status == OrderStatus::Accepted,
            TallystickError::OrderNotAccepted
        );
        require!(params.raw > 0, TallystickError::ZeroQuantity);
        Ok(())
    }
}

/// Burns escrowed tokens for shares, or cash for them, that left custody. Allowed after the second deadline
/// too, while the holder has not taken the rest back: the custodian may have been late.
pub fn settle_redemption(ctx: Context<SettleRedemption>, params: SettleRedemptionParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(&params, now)?;
    let accounts = &mut *ctx.accounts;
    let security_key = accounts.security.key();
    let multiplier = accounts.security.multiplier_at(now);
    // Rounded down: the holder never gets more than its tokens are worth.
    let shares = shares_rounded_down(params.raw, multiplier)?;
    require!(shares > 0, TallystickError::TooSmall);
    super::record_movement(
        &mut accounts.movement,
        ctx.bumps.movement,
        security_key,
        Direction::Out,
        params.movement,
        now,
    )?;
    accounts.movement.allocate(shares)?;
    accounts.order.fill(params.raw, now)?;
    accounts.limit.use_burn(params.raw, now)?;
    accounts
        .security
        .redeem(params.raw, shares, accounts.mint.supply)?;
    accounts.fill.set_inner(Fill {
        version: VERSION,
        bump: ctx.bumps.fill,
        kind: FillKind::Burn,
        security: security_key,
        movement: accounts.movement.key(),
        order: accounts.order.key(),
        shares,
        raw: params.raw,
        multiplier,
        settled_at: now,
        corrects: Pubkey::default(),
        corrected_raw: 0,
        corrections: 0,
        reserved: [0; 64],
    });
    Token {
        program: &accounts.token_program,
        mint: &accounts.mint.to_account_info(),
        security: &accounts.security,
    }
    .burn(&accounts.escrow.to_account_info(), params.raw)?;
    accounts.fill.invariant()?;
    accounts.security.invariant()?;
    emit_cpi!(RedemptionSettled {
        security: security_key,
        order: ctx.accounts.order.key(),
        holder: ctx.accounts.order.holder,
        movement: ctx.accounts.movement.key(),
        fill: ctx.accounts.fill.key(),
        raw: params.raw,
        shares,
        multiplier,
        status: ctx.accounts.order.status,
    });
    Ok(())
}
