use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::in_place,
};

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DistributionStatus {
    /// Opened; waits for growth and for the second key.
    Open,
    /// Its root was approved; it may be funded and pays.
    Approved,
    /// Over: what was left was refunded. The account stays, so that its address is never used again.
    Closed,
}

in_place! {
    /// One payment of cash for a corporate action. Behind these fields lies one little-endian u64 for each batch, a bit
    /// for each of its entries, set by the transaction that pays it and never cleared; closing leaves their hash.
    account pub struct Distribution {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address, which signs for the escrow.
        pub bump: u8,
        /// Open, approved or closed.
        pub status: DistributionStatus,
        /// The issuer that pays.
        pub issuer: Pubkey,
        /// The security whose holders are paid.
        pub security: Pubkey,
        /// The corporate action.
        pub action: Pubkey,
        /// How many distributions of the action came before; part of this account's address.
        pub number: u16,
        /// The token that is paid.
        pub payment_mint: Pubkey,
        /// SPL Token or Token-2022, whichever the mint belongs to.
        pub token_program: Pubkey,
        /// Decimals of the payment mint.
        pub payment_decimals: u8,
        /// The associated token account of this account, from which is paid.
        pub escrow: Pubkey,
        /// The token account to which closing sends the rest.
        pub refund: Pubkey,
        /// Root of the tree of batches (docs/merkle.md).
        pub root: [u8; 32],
        /// Leaves of that tree.
        pub batches: u32,
        /// Entries in all batches.
        pub entries: u64,
        /// What all entries come to, in raw units of the payment mint.
        pub total: u64,
        /// Raw units funded so far, as they arrived.
        pub funded: u64,
        /// Raw units paid so far.
        pub paid: u64,
        /// Entries paid so far.
        pub paid_entries: u64,
        /// The key that sends payments, and can do nothing else.
        pub payout_key: Pubkey,
        /// The distributor that opened it.
        pub opener: Pubkey,
        /// The corporate actions key that approved the root; the default key until then.
        pub root_approver: Pubkey,
        /// Who paid the rent when it was opened, and gets what closing frees.
        pub payer: Pubkey,
        /// An earlier distribution of the same action that this one completes or corrects, or the default key.
        pub linked_to: Pubkey,
        /// Unix seconds by the chain's clock.
        pub opened_at: i64,
        /// Unix seconds by the chain's clock; 0 until approved.
        pub approved_at: i64,
        /// Unix seconds from which it may be closed though not everybody was paid.
        pub expires_at: i64,
        /// Unix seconds by the chain's clock; 0 until closed.
        pub closed_at: i64,
        /// SHA-256 of the bits at the close; zeros until then.
        pub bits_hash: [u8; 32],
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Distribution {
    /// Where the word of the first batch lies in the account's data.
    pub const BITS: usize = 8 + Self::INIT_SPACE;

    /// Bytes of the account when it has a word for every batch.
    pub fn full_length(batches: u32) -> usize {
        Self::BITS + 8 * batches as usize
    }

    /// Bytes after one more step of growth; the runtime allows so much for one instruction.
    pub fn next_length(batches: u32, length: usize) -> usize {
        Self::full_length(batches).min(length.saturating_add(MAX_GROWTH))
    }

    pub fn require_open(&self) -> Result<()> {
        require!(
            self.status == DistributionStatus::Open,
            TallystickError::DistributionNotOpen
        );
        Ok(())
    }

    pub fn require_approved(&self) -> Result<()> {
        require!(
            self.status == DistributionStatus::Approved,
            TallystickError::DistributionNotApproved
        );
        Ok(())
    }

    /// One that was never approved holds no money and may be closed at once.
    pub fn require_over(&self, now: i64) -> Result<()> {
        require!(
            self.status == DistributionStatus::Open
                || self.status == DistributionStatus::Approved
                    && (now >= self.expires_at || self.paid_entries == self.entries),
            TallystickError::DistributionNotOver
        );
        Ok(())
    }

    /// Counts what arrived in escrow.
    pub fn fund(&mut self, raw: u64) -> Result<()> {
        let funded = self
            .funded
            .checked_add(raw)
            .filter(|funded| *funded <= self.total);
        self.funded = funded.ok_or(TallystickError::FundedTooMuch)?;
        Ok(())
    }

    /// Counts payments that are about to be made; refuses more than was funded, or more entries than there are.
    pub fn pay(&mut self, raw: u64, entries: u64) -> Result<()> {
        let paid = self.paid.checked_add(raw).filter(|paid| *paid <= self.funded);
        let entries = self
            .paid_entries
            .checked_add(entries)
            .filter(|entries| *entries <= self.entries);
        self.paid = paid.ok_or(TallystickError::NotFunded)?;
        self.paid_entries = entries.ok_or(TallystickError::NotFunded)?;
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            (1..=MAX_BATCHES).contains(&{ self.batches })
                && self.entries >= u64::from(self.batches)
                && self.entries <= u64::from(self.batches) * u64::from(MAX_ENTRIES)
                && self.total > 0,
            TallystickError::DistributionOutOfBounds
        );
        require!(self.root != [0; 32], TallystickError::HashMissing);
        let was_approved = self.root_approver != Pubkey::default();
        require!(
            self.funded <= self.total
                && self.paid <= self.funded
                && self.paid_entries <= self.entries
                && (was_approved || self.funded == 0)
                && was_approved == (self.approved_at != 0)
                && self.root_approver != self.opener
                && match self.status {
                    DistributionStatus::Open => !was_approved,
                    DistributionStatus::Approved => was_approved,
                    DistributionStatus::Closed => true,
                }
                && (self.status == DistributionStatus::Closed) == (self.closed_at != 0),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

/// Bytes by which one instruction may grow an account.
const MAX_GROWTH: usize = 10_240;

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution() -> Distribution {
        Distribution {
            version: VERSION,
            bump: 255,
            status: DistributionStatus::Approved,
            issuer: Pubkey::default(),
            security: Pubkey::default(),
            action: Pubkey::default(),
            number: 0,
            payment_mint: Pubkey::default(),
            token_program: Pubkey::default(),
            payment_decimals: 6,
            escrow: Pubkey::default(),
            refund: Pubkey::default(),
            root: [1; 32],
            batches: 2,
            entries: 60,
            total: 100,
            funded: 0,
            paid: 0,
            paid_entries: 0,
            payout_key: Pubkey::default(),
            opener: Pubkey::new_from_array([1; 32]),
            root_approver: Pubkey::new_from_array([2; 32]),
            payer: Pubkey::default(),
            linked_to: Pubkey::default(),
            opened_at: 10,
            approved_at: 20,
            expires_at: 100,
            closed_at: 0,
            bits_hash: [0; 32],
            reserved: [0; 64],
        }
    }

    #[test]
    fn never_more_is_paid_than_was_funded() {
        let mut distribution = distribution();
        distribution.fund(50).unwrap();
        distribution.pay(50, 1).unwrap();
        assert_eq!(
            distribution.pay(1, 1).unwrap_err(),
            TallystickError::NotFunded.into()
        );
        assert_eq!(
            distribution.pay(u64::MAX, 1).unwrap_err(),
            TallystickError::NotFunded.into()
        );
        assert_eq!(({ distribution.paid }, { distribution.paid_entries }), (50, 1));
    }

    #[test]
    fn never_more_entries_are_paid_than_there_are() {
        let mut distribution = distribution();
        distribution.fund(100).unwrap();
        assert!(distribution.pay(1, 61).is_err());
        assert!(distribution.pay(1, 60).is_ok());
        assert!(distribution.pay(0, 1).is_err());
    }

    #[test]
    fn never_more_is_funded_than_the_total() {
        let mut distribution = distribution();
        assert!(distribution.fund(101).is_err());
        assert!(distribution.fund(100).is_ok());
        assert!(distribution.fund(1).is_err());
        assert!(distribution.fund(u64::MAX).is_err());
    }

    #[test]
    fn it_is_over_when_expired_or_paid_or_never_approved() {
        assert!(distribution().require_over(99).is_err());
        assert!(distribution().require_over(100).is_ok());
        let paid = Distribution {
            paid_entries: 60,
            ..distribution()
        };
        assert!(paid.require_over(50).is_ok());
        let status = |status| Distribution {
            status,
            ..distribution()
        };
        assert!(status(DistributionStatus::Open).require_over(50).is_ok());
        assert!(status(DistributionStatus::Closed).require_over(200).is_err());
    }

    #[test]
    fn it_grows_in_steps_to_a_word_for_each_batch() {
        let full = Distribution::full_length(17_544);
        assert_eq!(full, Distribution::BITS + 140_352);
        let mut length = 0;
        let mut steps = 0;
        while length < full {
            length = Distribution::next_length(17_544, length);
            steps += 1;
        }
        assert_eq!((length, steps), (full, 14));
        assert_eq!(Distribution::next_length(1, 0), Distribution::BITS + 8);
    }

    #[test]
    fn the_approver_is_never_the_opener() {
        assert!(distribution().invariant().is_ok());
        let same = Distribution {
            root_approver: distribution().opener,
            ..distribution()
        };
        assert!(same.invariant().is_err());
    }

    #[test]
    fn batches_and_entries_fit_each_other() {
        for (batches, entries) in [
            (0, 0),
            (1, 58),
            (2, 1),
            (MAX_BATCHES + 1, u64::from(MAX_BATCHES) + 1),
        ] {
            let odd = Distribution {
                batches,
                entries,
                ..distribution()
            };
            assert!(odd.invariant().is_err());
        }
    }
}
