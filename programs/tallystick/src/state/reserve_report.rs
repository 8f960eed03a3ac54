use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    state::{first_day, in_place},
};

in_place! {
    /// One version of one period's reserve report, as published. Never changed, never closed: a correction is the next
    /// version.
    account pub struct ReserveReport {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The issuer.
        pub issuer: Pubkey,
        /// The period, YYYYMM as a number, UTC.
        pub period: u32,
        /// 1 for the first publication of the period, one more for each correction.
        pub report_version: u16,
        /// SHA-256 of the report's canonical JSON.
        pub hash: [u8; 32],
        /// Where the report is, UTF-8, zero padded.
        pub uri: [u8; 200],
        /// The slot at which the report's figures were read.
        pub as_of_slot: u64,
        /// The issuer's publication before this one, of whatever period; the default key for its first.
        pub previous: Pubkey,
        /// The hash of that publication; zeros for the first.
        pub previous_hash: [u8; 32],
        /// The version before this one; the default key for version 1.
        pub corrects: Pubkey,
        /// The issuer's running hash of closed days at publication.
        pub days_hash: [u8; 32],
        /// The publisher's key.
        pub published_by: Pubkey,
        /// Unix seconds of publication.
        pub published_at: i64,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl ReserveReport {
    pub fn invariant(&self) -> Result<()> {
        first_day(self.period)?;
        require!(self.hash != [0; 32], TallystickError::HashMissing);
        require!(
            self.report_version > 0
                && (self.report_version == 1) == (self.corrects == Pubkey::default())
                && (self.previous == Pubkey::default()) == (self.previous_hash == [0; 32]),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> ReserveReport {
        ReserveReport {
            version: 1,
            bump: 255,
            issuer: Pubkey::new_from_array([1; 32]),
            period: 202_601,
            report_version: 1,
            hash: [2; 32],
            uri: [0; 200],
            as_of_slot: 5,
            previous: Pubkey::default(),
            previous_hash: [0; 32],
            corrects: Pubkey::default(),
            days_hash: [0; 32],
            published_by: Pubkey::new_from_array([3; 32]),
            published_at: 7,
            reserved: [0; 64],
        }
    }

    #[test]
    fn only_a_later_version_corrects() {
        let another = Pubkey::new_from_array([9; 32]);
        assert!(first().invariant().is_ok());
        for (report_version, corrects) in [(0, Pubkey::default()), (1, another), (2, Pubkey::default())] {
            assert!(ReserveReport {
                report_version,
                corrects,
                ..first()
            }
            .invariant()
            .is_err());
        }
        assert!(ReserveReport {
            report_version: 2,
            corrects: another,
            ..first()
        }
        .invariant()
        .is_ok());
    }

    #[test]
    fn a_publication_before_has_a_hash() {
        assert!(ReserveReport {
            previous: Pubkey::new_from_array([9; 32]),
            ..first()
        }
        .invariant()
        .is_err());
    }

    #[test]
    fn a_report_has_a_hash_and_a_period() {
        assert!(ReserveReport {
            hash: [0; 32],
            ..first()
        }
        .invariant()
        .is_err());
        assert!(ReserveReport {
            period: 202_613,
            ..first()
        }
        .invariant()
        .is_err());
    }
}
