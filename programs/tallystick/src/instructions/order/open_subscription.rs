use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, SubscriptionOpened},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: OpenSubscriptionParams)]
pub struct OpenSubscription<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The holder, or an operator for it.
    pub authority: Signer<'info>,
    /// The operator's role; absent when the holder signs.
    pub role: Option<Box<Account<'info, InPlace<Role>>>>,
    /// The security ordered.
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The holder's record.
    #[account(constraint = holder.issuer == security.issuer @ TallystickError::WrongHolderRecord)]
    pub holder: Box<Account<'info, placed::Holder>>,
    /// The order; its address carries the holder, so that nobody takes another's order id.
    #[account(
        init,
        payer = payer,
        space = 8 + Order::INIT_SPACE,
        seeds = [ORDER_SEED, security.key().as_ref(), holder.wallet.as_ref(), params.order_id.as_ref()],
        bump,
    )]
    pub order: Box<Account<'info, InPlace<Order>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct OpenSubscriptionParams {
    /// Chosen by the caller; used once for this holder and security.
    pub order_id: [u8; 32],
    /// Shares x 10^decimals; fractions of a share are fine.
    pub shares: u64,
    /// Unix seconds until which it may be settled.
    pub settle_by: i64,
}

impl OpenSubscription<'_> {
    pub fn validate(&self, params: &OpenSubscriptionParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        let security = &self.security;
        super::require_party(
            &self.authority,
            self.role.as_deref(),
            &self.holder.wallet,
            &security.issuer,
            now,
        )?;
        security.require_active()?;
        self.holder
            .require_may_order(security.policy_at(now).allowed_classes, now)?;
        require!(params.shares > 0, TallystickError::ZeroQuantity);
        require!(
            params.settle_by > now && params.settle_by.saturating_sub(now) <= MAX_SUBSCRIPTION_PERIOD,
            TallystickError::DeadlineOutOfBounds
        );
        Ok(())
    }
}

#[access_control(ctx.accounts.validate(&params))]
pub fn open_subscription(ctx: Context<OpenSubscription>, params: OpenSubscriptionParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let security = ctx.accounts.security.key();
    let holder = ctx.accounts.holder.wallet;
    ctx.accounts.order.write(Order {
        version: VERSION,
        bump: ctx.bumps.order,
        kind: OrderKind::Subscription,
        status: OrderStatus::Open,
        security,
        holder,
        order_id: params.order_id,
        quantity: params.shares,
        filled: 0,
        opened_at: now,
        status_at: now,
        accept_by: 0,
        settle_by: params.settle_by,
        fills: 0,
        reason_code: 0,
        reserved: [0; 64],
    });
    ctx.accounts.order.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        SubscriptionOpened {
            security,
            order: ctx.accounts.order.key(),
            holder,
            order_id: params.order_id,
            shares: params.shares,
            settle_by: params.settle_by,
        },
    )?;
    Ok(())
}
