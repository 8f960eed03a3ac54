use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    state::in_place,
};

in_place! {
    /// A wallet that compliance approved. Holds nothing that identifies a person.
    account pub struct Holder {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The issuer that approved it.
        pub issuer: Pubkey,
        /// The wallet that orders.
        pub wallet: Pubkey,
        /// Salted hash of the investor's record; one investor may have several wallets.
        pub investor_id: [u8; 32],
        /// Permission classes, one bit each, in the issuer's own table.
        pub classes: u64,
        /// Unix seconds at which the approval lapses.
        pub approved_until: i64,
        /// Unix seconds of the suspension; 0 when not suspended.
        pub suspended_at: i64,
        /// Hash of the evidence that the last decision rests on.
        pub evidence_hash: [u8; 32],
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Holder {
    /// Refuses a holder that may not order a security open to `allowed_classes`.
    pub fn require_may_order(&self, allowed_classes: u64, now: i64) -> Result<()> {
        self.require_approved(now)?;
        require!(
            self.classes & allowed_classes != 0,
            TallystickError::HolderOfWrongClass
        );
        Ok(())
    }

    /// Refuses a holder that is suspended or whose approval has lapsed.
    pub fn require_approved(&self, now: i64) -> Result<()> {
        require!(self.suspended_at == 0, TallystickError::HolderSuspended);
        require!(now < self.approved_until, TallystickError::HolderApprovalLapsed);
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            self.investor_id != [0; 32] && self.evidence_hash != [0; 32],
            TallystickError::HashMissing
        );
        require!(self.classes != 0, TallystickError::NoPermissionClass);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::VERSION;

    fn holder() -> Holder {
        Holder {
            version: VERSION,
            bump: 255,
            issuer: Pubkey::default(),
            wallet: Pubkey::default(),
            investor_id: [1; 32],
            classes: 0b10,
            approved_until: 100,
            suspended_at: 0,
            evidence_hash: [2; 32],
            reserved: [0; 64],
        }
    }

    #[test]
    fn an_approved_holder_of_an_allowed_class_may_order() {
        assert!(holder().require_may_order(0b110, 99).is_ok());
    }

    #[test]
    fn each_missing_condition_has_its_own_error() {
        let refused = |holder: Holder, now| holder.require_may_order(0b10, now).unwrap_err();
        assert_eq!(
            refused(holder(), 100),
            TallystickError::HolderApprovalLapsed.into()
        );
        assert_eq!(
            refused(
                Holder {
                    suspended_at: 5,
                    ..holder()
                },
                10
            ),
            TallystickError::HolderSuspended.into()
        );
        assert_eq!(
            refused(
                Holder {
                    classes: 1,
                    ..holder()
                },
                10
            ),
            TallystickError::HolderOfWrongClass.into()
        );
    }
}
