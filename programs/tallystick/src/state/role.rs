use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    state::{in_place, InPlace},
};

/// What a key may do for an issuer. The numbers are part of a role's address.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RoleKind {
    /// Approves attestations of the reserve.
    Attestor,
    /// Settles orders within its limit.
    Operator,
    /// Approves and suspends holders.
    Compliance,
    /// Announces and approves corporate actions.
    CorporateActions,
    /// Opens distributions.
    Distributor,
    /// Places holds when the books differ.
    Reconciliation,
    /// Publishes reports.
    Publisher,
    /// Vetoes what waits.
    Guardian,
}

impl RoleKind {
    pub fn seed(self) -> [u8; 1] {
        [self as u8]
    }

    /// No key holds two of these, nor one of these and admin (law 7). The guardian is among them because
    /// a veto by the key it should stop is none.
    pub fn is_exclusive(self) -> bool {
        matches!(
            self,
            Self::Attestor | Self::Operator | Self::Compliance | Self::CorporateActions | Self::Guardian
        )
    }

    /// Kinds whose keys sit on machines.
    pub fn is_machine(self) -> bool {
        matches!(
            self,
            Self::Operator | Self::Distributor | Self::Reconciliation | Self::Publisher
        )
    }

    /// Kinds whose holds must expire: those of machines, and the guardian's, whose key may be stolen and cannot be
    /// removed within less (law 6).
    pub fn holds_expire(self) -> bool {
        self.is_machine() || self == Self::Guardian
    }

    pub fn may_hold(self) -> bool {
        matches!(
            self,
            Self::Operator
                | Self::Compliance
                | Self::CorporateActions
                | Self::Reconciliation
                | Self::Guardian
        )
    }
}

in_place! {
    /// One kind of power of one key. Never closed: a role that ended says so.
    account pub struct Role {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The issuer it acts for.
        pub issuer: Pubkey,
        /// What it may do.
        pub kind: RoleKind,
        /// The key that signs.
        pub holder: Pubkey,
        /// Unix seconds of the last grant.
        pub granted_at: i64,
        /// Unix seconds from which it is in force.
        pub in_force_from: i64,
        /// Unix seconds from which it is no longer in force; i64::MAX while nobody has ended it.
        pub ends_at: i64,
        /// Unix seconds at which the last grant that had come in force ended, before the present one; 0 when none had.
        pub served_until: i64,
        /// How often it was granted.
        pub grants: u32,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Role {
    pub fn is_in_force(&self, now: i64) -> bool {
        self.in_force_from <= now && now < self.ends_at
    }

    /// Unix seconds until which it was in force last, as of `now`; 0 when it never was. A grant that was vetoed, or
    /// still waits, does not hide the one before it.
    pub fn last_in_force(&self, now: i64) -> i64 {
        let end = self.ends_at.min(now);
        if self.grants > 0 && self.in_force_from <= now && self.in_force_from < self.ends_at {
            end
        } else {
            self.served_until
        }
    }

    /// In force at `now`, or at some moment after `since`.
    pub fn was_in_force_after(&self, since: i64, now: i64) -> bool {
        self.last_in_force(now) > since
    }

    /// In force, or waiting to be.
    pub fn has_not_ended(&self, now: i64) -> bool {
        self.grants > 0 && now < self.ends_at
    }

    pub fn require_in_force(&self, now: i64) -> Result<()> {
        require!(self.is_in_force(now), TallystickError::RoleNotInForce);
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            self.grants > 0 && self.granted_at <= self.in_force_from && self.granted_at <= self.ends_at,
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

/// Refuses when a key holds, or is about to hold, an exclusive role other than the one at `granting` (law 7).
///
/// `siblings` are the key's role accounts of the five exclusive kinds; the caller's constraints have checked
/// their addresses. An account that does not exist is no role. The one being granted is among them, and may
/// just have been created, without content yet.
pub fn require_no_exclusive_role(
    siblings: [&UncheckedAccount; 5],
    granting: Option<Pubkey>,
    now: i64,
) -> Result<()> {
    for sibling in siblings {
        if sibling.owner != &crate::ID || Some(sibling.key()) == granting {
            continue;
        }
        let role = InPlace::<Role>::try_deserialize(&mut &sibling.try_borrow_data()?[..])?;
        require!(!role.has_not_ended(now), TallystickError::KeyHoldsAnotherRole);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::VERSION;

    fn role() -> Role {
        Role {
            version: VERSION,
            bump: 255,
            issuer: Pubkey::new_from_array([1; 32]),
            kind: RoleKind::Operator,
            holder: Pubkey::new_from_array([2; 32]),
            granted_at: 100,
            in_force_from: 200,
            ends_at: i64::MAX,
            served_until: 0,
            grants: 1,
            reserved: [0; 64],
        }
    }

    #[test]
    fn a_role_is_in_force_from_its_start_until_its_end() {
        let role = Role {
            ends_at: 300,
            ..role()
        };
        assert!(!role.is_in_force(199));
        assert!(role.is_in_force(200));
        assert!(role.is_in_force(299));
        assert!(!role.is_in_force(300));
    }

    #[test]
    fn a_role_that_ended_served_until_then_even_where_it_was_granted_again() {
        let role = Role {
            ends_at: 300,
            ..role()
        };
        assert_eq!(role.last_in_force(199), 0);
        assert_eq!(role.last_in_force(250), 250);
        assert_eq!(role.last_in_force(400), 300);
        let granted_again = Role {
            in_force_from: 500,
            ends_at: i64::MAX,
            served_until: role.last_in_force(400),
            ..role
        };
        assert_eq!(granted_again.last_in_force(450), 300);
        assert_eq!(granted_again.last_in_force(550), 550);
        let vetoed = Role {
            ends_at: 450,
            ..granted_again
        };
        assert_eq!(vetoed.last_in_force(600), 300);
        assert!(vetoed.was_in_force_after(299, 600));
        assert!(!vetoed.was_in_force_after(300, 600));
    }

    #[test]
    fn a_role_that_waits_has_not_ended() {
        assert!(role().has_not_ended(100));
        assert!(!Role {
            ends_at: 100,
            ..role()
        }
        .has_not_ended(100));
        assert!(!Role { grants: 0, ..role() }.has_not_ended(100));
    }

    #[test]
    fn exclusive_kinds_are_the_five_of_law_seven() {
        use RoleKind::*;
        let exclusive = [Attestor, Operator, Compliance, CorporateActions, Guardian];
        for kind in [
            Attestor,
            Operator,
            Compliance,
            CorporateActions,
            Distributor,
            Reconciliation,
            Publisher,
            Guardian,
        ] {
            assert_eq!(kind.is_exclusive(), exclusive.contains(&kind));
        }
    }

    #[test]
    fn a_role_cannot_end_before_it_was_granted() {
        assert!(role().invariant().is_ok());
        assert!(Role {
            ends_at: 99,
            ..role()
        }
        .invariant()
        .is_err());
    }
}
