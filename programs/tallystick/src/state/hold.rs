use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::{in_place, RoleKind},
};

/// Bits of a hold's scope.
pub const SCOPE_MINT: u8 = 1;
pub const SCOPE_REDEEM: u8 = 2;
/// Covers mint and redeem too, since Token-2022's pause stops all three.
pub const SCOPE_TRANSFER: u8 = 4;

in_place! {
    /// A reason, with an owner, why a security may not mint, redeem or transfer. Never closed.
    account pub struct Hold {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The security held.
        pub security: Pubkey,
        /// The key that placed it.
        pub owner: Pubkey,
        /// The kind of role it was placed under.
        pub owner_kind: RoleKind,
        /// Chosen by the owner; with it, part of the address.
        pub hold_id: u64,
        /// SCOPE_ bits.
        pub scope: u8,
        /// The issuer's own table of reasons.
        pub reason_code: u16,
        /// Hash of the text or evidence behind the reason.
        pub reason_hash: [u8; 32],
        /// Unix seconds.
        pub placed_at: i64,
        /// Unix seconds from which anyone may release it; i64::MAX when it does not expire.
        pub expires_at: i64,
        /// Unix seconds; 0 while it holds.
        pub released_at: i64,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Hold {
    pub fn has_expired(&self, now: i64) -> bool {
        now >= self.expires_at
    }

    pub fn require_not_released(&self) -> Result<()> {
        require!(self.released_at == 0, TallystickError::HoldReleased);
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            self.scope != 0 && self.scope & !(SCOPE_MINT | SCOPE_REDEEM | SCOPE_TRANSFER) == 0,
            TallystickError::BadScope
        );
        require!(self.owner_kind.may_hold(), TallystickError::RoleCannotHold);
        let longest = if self.owner_kind.holds_expire() {
            MAX_MACHINE_HOLD
        } else {
            i64::MAX
        };
        require!(
            self.expires_at > self.placed_at && self.expires_at.saturating_sub(self.placed_at) <= longest,
            TallystickError::BadExpiry
        );
        require!(self.reason_hash != [0; 32], TallystickError::HashMissing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(owner_kind: RoleKind, scope: u8, expires_at: i64) -> Hold {
        Hold {
            version: VERSION,
            bump: 255,
            security: Pubkey::default(),
            owner: Pubkey::default(),
            owner_kind,
            hold_id: 0,
            scope,
            reason_code: 1,
            reason_hash: [1; 32],
            placed_at: 1_000,
            expires_at,
            released_at: 0,
            reserved: [0; 64],
        }
    }

    #[test]
    fn a_hold_of_a_machine_or_a_guardian_expires_within_72_hours() {
        for kind in [RoleKind::Operator, RoleKind::Reconciliation, RoleKind::Guardian] {
            assert!(hold(kind, SCOPE_MINT, 1_000 + MAX_MACHINE_HOLD)
                .invariant()
                .is_ok());
            assert!(hold(kind, SCOPE_MINT, 1_001 + MAX_MACHINE_HOLD)
                .invariant()
                .is_err());
            assert!(hold(kind, SCOPE_MINT, i64::MAX).invariant().is_err());
        }
        assert!(hold(RoleKind::Compliance, SCOPE_MINT, i64::MAX)
            .invariant()
            .is_ok());
    }

    #[test]
    fn a_scope_is_one_to_three_known_bits() {
        for scope in [0, 8, 255] {
            assert!(hold(RoleKind::Guardian, scope, 2_000).invariant().is_err());
        }
        for scope in 1..8 {
            assert!(hold(RoleKind::Guardian, scope, 2_000).invariant().is_ok());
        }
    }

    #[test]
    fn roles_that_cannot_hold_are_refused() {
        for kind in [RoleKind::Attestor, RoleKind::Distributor, RoleKind::Publisher] {
            assert!(hold(kind, SCOPE_MINT, 2_000).invariant().is_err());
        }
    }
}
