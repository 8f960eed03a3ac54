use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::{day_after, in_place},
};

in_place! {
    /// The legal entity that issues: who administers it, and how long its changes wait.
    account pub struct Issuer {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// SHA-256("tallystick:issuer", first admin, nonce): nobody else can take this address.
        pub issuer_id: [u8; 32],
        /// Grants and revokes roles, lists securities and sets policy; holds no exclusive role.
        pub admin: Pubkey,
        /// Proposed next admin, or the default key.
        pub pending_admin: Pubkey,
        /// Unix seconds from which the pending admin may accept; 0 when none is pending.
        pub pending_admin_from: i64,
        /// Seconds that grants, loosened policies and admin moves wait, open to the guardian's veto.
        pub delay: i64,
        /// Raised by every grant, revocation and veto of an attestor; approvals count within one epoch only.
        pub attestor_epoch: u32,
        /// Securities listed so far.
        pub securities: u32,
        /// UTF-8, zero padded.
        pub name: [u8; 64],
        /// Legal entity identifier, ISO 17442.
        pub lei: [u8; 20],
        /// Running hash of closed days: SHA-256("tallystick:days", the hash before, day, close hash, as-of slot).
        pub days_hash: [u8; 32],
        /// Days closed so far.
        pub days: u32,
        /// The last day closed, counted from 1970-01-01, UTC; 0 while none is.
        pub last_day: u32,
        /// The last reserve report published, or the default key.
        pub last_report: Pubkey,
        /// Its hash; zeros while there is none.
        pub last_report_hash: [u8; 32],
        /// The latest period published, YYYYMM as a number, UTC; 0 while none is.
        pub last_period: u32,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 128],
    }
}

/// A change that waits for the delay or a notice, open to the guardian's veto.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VetoSubject {
    /// The proposed admin.
    Admin,
    /// A role that was granted and is not in force yet, or a guardian's removal.
    Role,
    /// An operator's limit.
    Limit,
    /// A security's policy and custody accounts.
    Policy,
    /// Where seizures move tokens to.
    SeizureAccount,
    /// A security's announced metadata.
    Metadata,
}

impl Issuer {
    /// The id of an issuer, bound to its first admin's key.
    pub fn id(admin: &Pubkey, nonce: u64) -> [u8; 32] {
        hashv(&[b"tallystick:issuer", admin.as_ref(), &nonce.to_le_bytes()]).to_bytes()
    }

    /// The running hash of closed days after one more.
    pub fn days_hash(previous: &[u8; 32], day: u32, close_hash: &[u8; 32], as_of_slot: u64) -> [u8; 32] {
        hashv(&[
            b"tallystick:days",
            previous,
            &day.to_le_bytes(),
            close_hash,
            &as_of_slot.to_le_bytes(),
        ])
        .to_bytes()
    }

    /// Closes a day later than the last.
    pub fn close_day(&mut self, day: u32, close_hash: &[u8; 32], as_of_slot: u64) -> Result<()> {
        require!(day > self.last_day, TallystickError::DayNotLater);
        self.days_hash = Self::days_hash(&self.days_hash, day, close_hash, as_of_slot);
        self.days = self.days.checked_add(1).ok_or(TallystickError::Overflow)?;
        self.last_day = day;
        Ok(())
    }

    /// No day of the period can be closed any more: what a draw will fall on is on record, or left out for good.
    pub fn require_days_final(&self, period: u32) -> Result<()> {
        require!(
            self.last_day.checked_add(1) >= Some(day_after(period)?),
            TallystickError::DaysNotFinal
        );
        Ok(())
    }

    /// Remembers the last publication.
    pub fn publish(&mut self, report: Pubkey, hash: [u8; 32], period: u32) {
        self.last_report = report;
        self.last_report_hash = hash;
        self.last_period = self.last_period.max(period);
    }

    pub fn invariant(&self) -> Result<()> {
        require!(self.admin != Pubkey::default(), TallystickError::DefaultKey);
        require!(
            (MIN_PERIOD..=MAX_DELAY).contains(&{ self.delay }),
            TallystickError::PeriodOutOfBounds
        );
        require!(
            (self.pending_admin == Pubkey::default()) == (self.pending_admin_from == 0)
                && self.pending_admin != self.admin,
            TallystickError::InvariantBroken
        );
        require!(
            (self.days == 0) == (self.last_day == 0)
                && (self.days == 0) == (self.days_hash == [0; 32])
                && (self.last_period == 0) == (self.last_report == Pubkey::default())
                && (self.last_period == 0) == (self.last_report_hash == [0; 32]),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        Issuer {
            version: VERSION,
            bump: 255,
            issuer_id: [1; 32],
            admin: Pubkey::new_from_array([2; 32]),
            pending_admin: Pubkey::default(),
            pending_admin_from: 0,
            delay: DAY,
            attestor_epoch: 0,
            securities: 0,
            name: [0; 64],
            lei: [0; 20],
            days_hash: [0; 32],
            days: 0,
            last_day: 0,
            last_report: Pubkey::default(),
            last_report_hash: [0; 32],
            last_period: 0,
            reserved: [0; 128],
        }
    }

    #[test]
    fn the_id_depends_on_the_admin_and_the_nonce() {
        let admin = Pubkey::new_from_array([7; 32]);
        assert_ne!(Issuer::id(&admin, 0), Issuer::id(&admin, 1));
        assert_ne!(Issuer::id(&admin, 0), Issuer::id(&Pubkey::default(), 0));
    }

    #[test]
    fn a_delay_of_zero_breaks_the_invariant() {
        assert!(issuer().invariant().is_ok());
        assert!(Issuer { delay: 0, ..issuer() }.invariant().is_err());
        assert!(Issuer {
            delay: MAX_DELAY + 1,
            ..issuer()
        }
        .invariant()
        .is_err());
    }

    #[test]
    fn a_pending_admin_needs_a_time() {
        let pending = Pubkey::new_from_array([3; 32]);
        assert!(Issuer {
            pending_admin: pending,
            ..issuer()
        }
        .invariant()
        .is_err());
        assert!(Issuer {
            pending_admin: pending,
            pending_admin_from: 9,
            ..issuer()
        }
        .invariant()
        .is_ok());
    }
    /// tests/unit/domain/test_report_anchors.py has the same.
    #[test]
    fn closed_days_are_chained() {
        let mut issuer = issuer();
        issuer.close_day(20_454, &[1; 32], 5).unwrap();
        issuer.close_day(20_456, &[2; 32], 9).unwrap();
        assert_eq!(({ issuer.days }, { issuer.last_day }), (2, 20_456));
        assert_eq!(issuer.days_hash, DAYS_HASH);
        assert!(issuer.invariant().is_ok());
    }

    const DAYS_HASH: [u8; 32] = [
        221, 82, 79, 149, 50, 64, 57, 160, 55, 0, 35, 114, 252, 233, 203, 231, 194, 125, 142, 197, 83, 137,
        77, 140, 115, 75, 170, 82, 204, 120, 81, 148,
    ];

    #[test]
    fn a_day_is_closed_once_and_in_order() {
        let mut issuer = issuer();
        issuer.close_day(20_454, &[1; 32], 5).unwrap();
        for day in [0, 20_453, 20_454] {
            assert_eq!(
                issuer.close_day(day, &[2; 32], 9).unwrap_err(),
                TallystickError::DayNotLater.into()
            );
        }
    }

    #[test]
    fn the_days_of_a_period_are_final_once_its_last_or_a_later_one_is_closed() {
        for (last_day, is_final) in [
            (0, false),
            (20_452, false),
            (20_453, true),
            (20_500, true),
            (u32::MAX, false),
        ] {
            let issuer = Issuer { last_day, ..issuer() };
            assert_eq!(issuer.require_days_final(202_512).is_ok(), is_final, "{last_day}");
        }
    }

    #[test]
    fn the_latest_period_stays_when_an_earlier_one_is_corrected() {
        let mut issuer = issuer();
        issuer.publish(Pubkey::new_from_array([5; 32]), [6; 32], 202_602);
        issuer.publish(Pubkey::new_from_array([7; 32]), [8; 32], 202_601);
        assert_eq!(
            (issuer.last_report_hash, { issuer.last_period }),
            ([8; 32], 202_602)
        );
        assert!(issuer.invariant().is_ok());
    }
}
