use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    state::in_place,
};

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Direction {
    /// Shares came into custody.
    In,
    /// Shares left custody.
    Out,
}

in_place! {
    /// One transfer in the custodian's books, used once. Never closed.
    account pub struct Movement {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The security that moved.
        pub security: Pubkey,
        /// SHA-256("tallystick:movement", custodian LEI, account, reference) in their canonical spelling.
        pub reference_hash: [u8; 32],
        /// Which way the shares went.
        pub direction: Direction,
        /// Shares x 10^decimals that moved.
        pub shares: u64,
        /// Shares x 10^decimals that fills have used; never goes down.
        pub allocated: u64,
        /// Unix seconds at which it was first used.
        pub recorded_at: i64,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Movement {
    /// Uses `shares` of the movement for a fill.
    pub fn allocate(&mut self, shares: u64) -> Result<()> {
        let allocated = self
            .allocated
            .checked_add(shares)
            .ok_or(TallystickError::MovementExceeded)?;
        require!(allocated <= self.shares, TallystickError::MovementExceeded);
        self.allocated = allocated;
        self.invariant()
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            self.shares > 0 && self.allocated <= self.shares && self.reference_hash != [0; 32],
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(shares: u64, allocated: u64) -> Movement {
        Movement {
            version: 1,
            bump: 255,
            security: Pubkey::default(),
            reference_hash: [1; 32],
            direction: Direction::In,
            shares,
            allocated,
            recorded_at: 0,
            reserved: [0; 64],
        }
    }

    #[test]
    fn fills_never_exceed_their_movement() {
        let mut movement = movement(10, 4);
        movement.allocate(6).unwrap();
        assert_eq!(
            movement.allocate(1).unwrap_err(),
            TallystickError::MovementExceeded.into()
        );
        assert_eq!({ movement.allocated }, 10);
    }

    #[test]
    fn an_allocation_that_overflows_is_refused() {
        assert!(movement(u64::MAX, u64::MAX).allocate(1).is_err());
    }
}
