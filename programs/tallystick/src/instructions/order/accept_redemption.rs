use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, RedemptionAccepted},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct AcceptRedemption<'info> {
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
    /// The holder's record.
    #[account(
        constraint = holder.issuer == security.issuer @ TallystickError::WrongHolderRecord,
        constraint = holder.wallet == order.holder @ TallystickError::WrongHolderRecord,
    )]
    pub holder: Box<Account<'info, InPlace<Holder>>>,
    /// The order.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub order: Box<Account<'info, InPlace<Order>>>,
}

impl AcceptRedemption<'_> {
    pub fn validate(&self) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.role.require_in_force(now)?;
        self.security.require_redeem_not_held()?;
        self.holder
            .require_may_order(self.security.policy_at(now).allowed_classes, now)?;
        self.order.require_kind(OrderKind::Redemption)?;
        require!(
            self.order.status == OrderStatus::Open,
            TallystickError::OrderNotOpen
        );
        require!(now <= self.order.deadline(), TallystickError::DeadlinePassed);
        Ok(())
    }
}

/// Commits the operator to a redemption, before the custodian is instructed.
#[access_control(ctx.accounts.validate())]
pub fn accept_redemption(ctx: Context<AcceptRedemption>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let security = &mut ctx.accounts.security;
    let order = &mut ctx.accounts.order;
    let raw = order.open_quantity();
    order.set_status(OrderStatus::Accepted, now);
    order.settle_by = now
        .checked_add(security.policy_at(now).settle_period)
        .ok_or(TallystickError::Overflow)?;
    security.accepted = security
        .accepted
        .checked_add(raw)
        .ok_or(TallystickError::Overflow)?;
    order.invariant()?;
    security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        RedemptionAccepted {
            security: ctx.accounts.security.key(),
            order: ctx.accounts.order.key(),
            holder: ctx.accounts.order.holder,
            raw,
            settle_by: ctx.accounts.order.settle_by,
        },
    )?;
    Ok(())
}
