use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    state::in_place,
};

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderKind {
    /// Shares in, tokens minted.
    Subscription,
    /// Tokens burnt, shares or cash out.
    Redemption,
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderStatus {
    /// Waiting; a redemption's tokens are in escrow.
    Open,
    /// A redemption that the operator will instruct the custodian about.
    Accepted,
    /// Filled in full.
    Settled,
    /// Ended by the operator, or by the holder where it may; the rest was returned.
    Cancelled,
    /// The holder took the rest back after a deadline.
    Withdrawn,
}

in_place! {
    /// A holder's subscription or redemption. Never closed.
    account pub struct Order {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// What is asked.
        pub kind: OrderKind,
        /// Where it stands.
        pub status: OrderStatus,
        /// The security.
        pub security: Pubkey,
        /// The wallet it is for.
        pub holder: Pubkey,
        /// Chosen by whoever opened it; with the holder, part of the address.
        pub order_id: [u8; 32],
        /// Subscription: shares x 10^decimals. Redemption: raw units.
        pub quantity: u64,
        /// In the quantity's unit; never goes down.
        pub filled: u64,
        /// Unix seconds.
        pub opened_at: i64,
        /// Unix seconds of the last change of status.
        pub status_at: i64,
        /// Unix seconds: a redemption not accepted by then may be withdrawn; 0 for a subscription.
        pub accept_by: i64,
        /// Unix seconds: a subscription settles until then; a redemption accepted and not settled by then may be
        /// withdrawn. 0 for a redemption not yet accepted.
        pub settle_by: i64,
        /// Fills so far.
        pub fills: u32,
        /// Code of the reason it was cancelled for, in the issuer's own table; 0 when it was not.
        pub reason_code: u16,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Order {
    /// What is not filled, in the quantity's unit.
    pub fn open_quantity(&self) -> u64 {
        self.quantity.saturating_sub(self.filled)
    }

    /// Fills `amount`, and settles the order when that was the rest.
    pub fn fill(&mut self, amount: u64, now: i64) -> Result<()> {
        require!(amount <= self.open_quantity(), TallystickError::OrderExceeded);
        self.filled += amount;
        self.fills = self.fills.checked_add(1).ok_or(TallystickError::Overflow)?;
        if self.filled == self.quantity {
            self.set_status(OrderStatus::Settled, now);
        }
        self.invariant()
    }

    pub fn set_status(&mut self, status: OrderStatus, now: i64) {
        self.status = status;
        self.status_at = now;
    }

    pub fn require_kind(&self, kind: OrderKind) -> Result<()> {
        require!(self.kind == kind, TallystickError::OrderOfWrongKind);
        Ok(())
    }

    /// Open, or accepted: something is still to happen.
    pub fn require_live(&self) -> Result<()> {
        require!(
            matches!(self.status, OrderStatus::Open | OrderStatus::Accepted),
            TallystickError::OrderNotOpen
        );
        Ok(())
    }

    /// The deadline that the holder waits for before the rest may be withdrawn.
    pub fn deadline(&self) -> i64 {
        match self.status {
            OrderStatus::Accepted => self.settle_by,
            _ if self.kind == OrderKind::Redemption => self.accept_by,
            _ => self.settle_by,
        }
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            self.quantity > 0
                && self.filled <= self.quantity
                && (self.status == OrderStatus::Settled) == (self.filled == self.quantity)
                && (self.kind == OrderKind::Redemption || self.status != OrderStatus::Accepted),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(kind: OrderKind, quantity: u64) -> Order {
        Order {
            version: 1,
            bump: 255,
            kind,
            status: OrderStatus::Open,
            security: Pubkey::default(),
            holder: Pubkey::default(),
            order_id: [0; 32],
            quantity,
            filled: 0,
            opened_at: 0,
            status_at: 0,
            accept_by: 10,
            settle_by: 20,
            fills: 0,
            reason_code: 0,
            reserved: [0; 64],
        }
    }

    #[test]
    fn fills_add_up_to_the_quantity_and_then_it_is_settled() {
        let mut order = order(OrderKind::Subscription, 10);
        order.fill(4, 1).unwrap();
        assert_eq!(order.status, OrderStatus::Open);
        assert_eq!(
            order.fill(7, 2).unwrap_err(),
            TallystickError::OrderExceeded.into()
        );
        order.fill(6, 3).unwrap();
        assert_eq!(
            (order.status, order.status_at, order.fills),
            (OrderStatus::Settled, 3, 2)
        );
    }

    #[test]
    fn the_deadline_follows_the_status() {
        let mut redemption = order(OrderKind::Redemption, 10);
        assert_eq!(redemption.deadline(), 10);
        redemption.set_status(OrderStatus::Accepted, 5);
        assert_eq!(redemption.deadline(), 20);
        assert_eq!(order(OrderKind::Subscription, 10).deadline(), 20);
    }

    #[test]
    fn a_subscription_is_never_accepted() {
        let mut order = order(OrderKind::Subscription, 10);
        order.set_status(OrderStatus::Accepted, 5);
        assert!(order.invariant().is_err());
    }
}
