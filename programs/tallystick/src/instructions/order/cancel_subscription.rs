use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, SubscriptionCancelled},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct CancelSubscription<'info> {
    /// An operator; or the holder, once the order's deadline has passed.
    pub authority: Signer<'info>,
    /// The operator's role; absent when the holder signs.
    pub role: Option<Box<Account<'info, InPlace<Role>>>>,
    /// The security ordered.
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The order.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub order: Box<Account<'info, InPlace<Order>>>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct CancelSubscriptionParams {
    /// The issuer's own table of reasons.
    pub reason_code: u16,
}

impl CancelSubscription<'_> {
    pub fn validate(&self) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        let party = super::require_party(
            &self.authority,
            self.role.as_deref(),
            &self.order.holder,
            &self.security.issuer,
            now,
        )?;
        self.order.require_kind(OrderKind::Subscription)?;
        self.order.require_live()?;
        require!(
            party == super::Party::Operator || now > self.order.deadline(),
            TallystickError::DeadlineNotPassed
        );
        Ok(())
    }
}

/// Ends a subscription; what was filled stays filled.
#[access_control(ctx.accounts.validate())]
pub fn cancel_subscription(ctx: Context<CancelSubscription>, params: CancelSubscriptionParams) -> Result<()> {
    let order = &mut ctx.accounts.order;
    let shares = order.open_quantity();
    order.set_status(OrderStatus::Cancelled, Clock::get()?.unix_timestamp);
    order.reason_code = params.reason_code;
    order.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        SubscriptionCancelled {
            security: ctx.accounts.security.key(),
            order: ctx.accounts.order.key(),
            holder: ctx.accounts.order.holder,
            cancelled_by: ctx.accounts.authority.key(),
            shares,
            reason_code: params.reason_code,
        },
    )?;
    Ok(())
}
