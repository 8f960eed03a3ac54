use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, RedemptionSettled},
    instructions::MovementParams,
    once::Slot,
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
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security.
    #[account(mut, dup, has_one = escrow @ TallystickError::WrongEscrow)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// What the operator may mint and burn.
    #[account(
        mut, dup,
        has_one = security @ TallystickError::AccountOfAnotherSecurity,
        constraint = limit.holder == operator.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub limit: Box<Account<'info, InPlace<Limit>>>,
    /// The holder's record.
    #[account(
        constraint = holder.issuer == security.issuer @ TallystickError::WrongHolderRecord,
        constraint = holder.wallet == order.holder @ TallystickError::WrongHolderRecord,
    )]
    pub holder: Box<Account<'info, InPlace<Holder>>>,
    /// The order.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub order: Box<Account<'info, InPlace<Order>>>,
    /// The custodian's movement; the first fill against it creates it.
    #[cfg(feature = "idl-build")]
    #[account(mut, dup, seeds = [
        MOVEMENT_SEED, security.key().as_ref(), params.movement.reference_hash.as_ref()], bump)]
    pub movement: Box<Account<'info, InPlace<Movement>>>,
    /// CHECK: `Slot` checks its address and its owner; the line above is what the IDL says of it.
    #[cfg(not(feature = "idl-build"))]
    #[account(mut)]
    pub movement: UncheckedAccount<'info>,
    /// The fill: one for each movement and order, so that a repeated call fails.
    /// CHECK: `Slot` checks its address and makes it.
    #[cfg_attr(not(feature = "idl-build"), account(mut))]
    #[cfg_attr(feature = "idl-build", account(mut, seeds = [
        FILL_SEED, movement.key().as_ref(), order.key().as_ref()], bump))]
    pub fill: UncheckedAccount<'info>,
    /// The security's mint.
    #[account(mut, dup, address = security.mint @ TallystickError::MintOfAnotherSecurity)]
    pub mint: Box<Account<'info, Mint>>,
    /// The security's escrow.
    #[account(mut, dup)]
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
        self.security.policy_at(now).require_within_bounds()?;
        self.security.require_redeem_not_held()?;
        self.holder
            .require_may_order(self.security.policy_at(now).allowed_classes, now)?;
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
    let order_key = accounts.order.key();
    let movement_key = accounts.movement.key();
    let movement_info = accounts.movement.to_account_info();
    let movement_slot = Slot::at(
        &movement_info,
        [
            MOVEMENT_SEED,
            security_key.as_ref(),
            &params.movement.reference_hash,
        ],
    )?;
    let fill_slot = Slot::at(
        &accounts.fill,
        [FILL_SEED, movement_key.as_ref(), order_key.as_ref()],
    )?;
    fill_slot.require_unmade()?;
    let mut movement = super::record_movement(
        &movement_slot,
        &accounts.payer,
        security_key,
        Direction::Out,
        params.movement,
        now,
    )?;
    movement.allocate(shares)?;
    accounts.order.fill(params.raw, now)?;
    accounts.limit.use_burn(params.raw, now)?;
    accounts
        .security
        .redeem(params.raw, shares, accounts.mint.supply)?;
    let fill = Fill {
        version: VERSION,
        bump: fill_slot.bump(),
        kind: FillKind::Burn,
        security: security_key,
        movement: movement_key,
        order: order_key,
        shares,
        raw: params.raw,
        multiplier,
        settled_at: now,
        corrects: Pubkey::default(),
        corrected_raw: 0,
        corrections: 0,
        reserved: [0; 64],
    };
    fill.invariant()?;
    fill_slot.make(&accounts.payer, fill)?;
    Token {
        program: &accounts.token_program,
        mint: &accounts.mint.to_account_info(),
        security: &accounts.security,
    }
    .burn(&accounts.escrow.to_account_info(), params.raw)?;
    accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        RedemptionSettled {
            security: security_key,
            order: ctx.accounts.order.key(),
            holder: ctx.accounts.order.holder,
            movement: movement_key,
            fill: ctx.accounts.fill.key(),
            raw: params.raw,
            shares,
            multiplier,
            status: ctx.accounts.order.status,
        },
    )?;
    Ok(())
}
