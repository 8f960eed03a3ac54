use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, SubscriptionSettled},
    instructions::MovementParams,
    once::Slot,
    state::*,
    token::{Mint, Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: SettleSubscriptionParams)]
pub struct SettleSubscription<'info> {
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
    #[account(mut, dup)]
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
    /// A token account of the holder.
    #[account(
        mut, dup,
        constraint = recipient.owner == order.holder @ TallystickError::WrongTokenAccount,
        constraint = recipient.mint == security.mint @ TallystickError::WrongTokenAccount,
        constraint = recipient.key() != security.escrow @ TallystickError::WrongTokenAccount,
    )]
    pub recipient: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct SettleSubscriptionParams {
    /// The movement that brought the shares in.
    pub movement: MovementParams,
    /// Shares x 10^decimals of the movement that are this order's.
    pub shares: u64,
}

impl SettleSubscription<'_> {
    pub fn validate(&self, params: &SettleSubscriptionParams, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        let security = &self.security;
        security.require_active()?;
        security.policy_at(now).require_within_bounds()?;
        security.require_mint_not_held()?;
        self.holder
            .require_may_order(security.policy_at(now).allowed_classes, now)?;
        self.order.require_kind(OrderKind::Subscription)?;
        self.order.require_live()?;
        require!(now <= self.order.settle_by, TallystickError::DeadlinePassed);
        require!(params.shares > 0, TallystickError::ZeroQuantity);
        Ok(())
    }
}

/// Mints for shares that came into custody: against a fresh reserve, within the operator's limit, once for each
/// movement and order.
pub fn settle_subscription(ctx: Context<SettleSubscription>, params: SettleSubscriptionParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(&params, now)?;
    let accounts = &mut *ctx.accounts;
    let security_key = accounts.security.key();
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
        Direction::In,
        params.movement,
        now,
    )?;
    movement.allocate(params.shares)?;
    accounts.order.fill(params.shares, now)?;
    let multiplier = accounts.security.multiplier_at(now);
    // Rounded down: the holder never gets more than its shares.
    let raw = raw_rounded_down(params.shares, multiplier)?;
    require!(raw > 0, TallystickError::TooSmall);
    accounts.limit.use_mint(raw, now)?;
    accounts.security.mint(raw, accounts.mint.supply, now)?;
    let fill = Fill {
        version: VERSION,
        bump: fill_slot.bump(),
        kind: FillKind::Mint,
        security: security_key,
        movement: movement_key,
        order: order_key,
        shares: params.shares,
        raw,
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
    .mint_to(&accounts.recipient.to_account_info(), raw)?;
    accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        SubscriptionSettled {
            security: security_key,
            order: ctx.accounts.order.key(),
            holder: ctx.accounts.order.holder,
            movement: movement_key,
            fill: ctx.accounts.fill.key(),
            shares: params.shares,
            raw,
            multiplier,
            status: ctx.accounts.order.status,
        },
    )?;
    Ok(())
}
