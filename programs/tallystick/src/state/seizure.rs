use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::in_place,
};

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SeizureStatus {
    /// One compliance key proposed it.
    Proposed,
    /// A second one moved the tokens.
    Executed,
}

in_place! {
    /// Tokens taken from a wallet, by two compliance keys. Never closed.
    account pub struct Seizure {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// Proposed or executed.
        pub status: SeizureStatus,
        /// The security.
        pub security: Pubkey,
        /// The wallet that owned the source when it was proposed.
        pub wallet: Pubkey,
        /// The token account taken from.
        pub source: Pubkey,
        /// Chosen by the proposer; with the source, part of the address.
        pub seizure_id: u64,
        /// Raw units.
        pub raw: u64,
        /// The issuer's own table of reasons.
        pub reason_code: u16,
        /// Hash of the order or text that the seizure rests on.
        pub reason_hash: [u8; 32],
        /// The first compliance key.
        pub proposer: Pubkey,
        /// Unix seconds.
        pub proposed_at: i64,
        /// Unix seconds from which it may no longer be executed.
        pub expires_at: i64,
        /// The second compliance key; the default key until it is executed.
        pub seized_by: Pubkey,
        /// The token account moved to; the default key until it is executed.
        pub destination: Pubkey,
        /// Unix seconds; 0 until it is executed.
        pub executed_at: i64,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Seizure {
    /// Refuses what was executed or has expired.
    pub fn require_proposed(&self, now: i64) -> Result<()> {
        require!(
            self.status == SeizureStatus::Proposed,
            TallystickError::SeizureExecuted
        );
        require!(now < self.expires_at, TallystickError::SeizureExpired);
        Ok(())
    }

    pub fn execute(&mut self, seized_by: Pubkey, destination: Pubkey, now: i64) {
        self.status = SeizureStatus::Executed;
        self.seized_by = seized_by;
        self.destination = destination;
        self.executed_at = now;
    }

    pub fn invariant(&self) -> Result<()> {
        require!(self.raw > 0, TallystickError::ZeroQuantity);
        require!(self.reason_hash != [0; 32], TallystickError::HashMissing);
        let executed = self.status == SeizureStatus::Executed;
        require!(
            self.expires_at.checked_sub(self.proposed_at) == Some(SEIZURE_PERIOD)
                && executed == (self.executed_at != 0)
                && executed == (self.seized_by != Pubkey::default())
                && executed == (self.destination != Pubkey::default())
                && self.seized_by != self.proposer
                && self.destination != self.source,
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seizure() -> Seizure {
        Seizure {
            version: VERSION,
            bump: 255,
            status: SeizureStatus::Proposed,
            security: Pubkey::default(),
            wallet: Pubkey::new_from_array([1; 32]),
            source: Pubkey::new_from_array([2; 32]),
            seizure_id: 0,
            raw: 10,
            reason_code: 1,
            reason_hash: [1; 32],
            proposer: Pubkey::new_from_array([3; 32]),
            proposed_at: 100,
            expires_at: 100 + SEIZURE_PERIOD,
            seized_by: Pubkey::default(),
            destination: Pubkey::default(),
            executed_at: 0,
            reserved: [0; 64],
        }
    }

    #[test]
    fn a_seizure_is_executed_once_and_within_its_period() {
        let mut seizure = seizure();
        assert!(seizure.invariant().is_ok());
        assert!(seizure.require_proposed(99 + SEIZURE_PERIOD).is_ok());
        assert_eq!(
            seizure.require_proposed(100 + SEIZURE_PERIOD).unwrap_err(),
            TallystickError::SeizureExpired.into()
        );
        seizure.execute(
            Pubkey::new_from_array([4; 32]),
            Pubkey::new_from_array([5; 32]),
            200,
        );
        assert!(seizure.invariant().is_ok());
        assert_eq!(
            seizure.require_proposed(300).unwrap_err(),
            TallystickError::SeizureExecuted.into()
        );
    }

    #[test]
    fn one_key_alone_or_no_quantity_breaks_the_invariant() {
        let mut alone = seizure();
        alone.execute(alone.proposer, Pubkey::new_from_array([5; 32]), 200);
        assert!(alone.invariant().is_err());
        let mut to_itself = seizure();
        to_itself.execute(Pubkey::new_from_array([4; 32]), to_itself.source, 200);
        assert!(to_itself.invariant().is_err());
        assert!(Seizure { raw: 0, ..seizure() }.invariant().is_err());
        assert!(Seizure {
            reason_hash: [0; 32],
            ..seizure()
        }
        .invariant()
        .is_err());
    }
}
