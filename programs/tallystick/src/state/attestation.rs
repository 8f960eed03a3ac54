use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::in_place,
};

/// One custody account's holding, as its custodian stated it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq)]
pub struct StatementLine {
    /// SHA-256("tallystick:custody-account", custodian LEI, account): which account, without naming it.
    pub account: [u8; 32],
    /// Shares x 10^decimals that may back tokens: pledged, lent and collateral balances taken off.
    pub shares: u64,
    /// Hash of the normalised statement.
    pub statement_hash: [u8; 32],
    /// Unix seconds the statement speaks of, by the custodian's clock.
    pub as_of: i64,
}

/// What the attestors claim together. Its hash is the attestation's address.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq)]
pub struct AttestationContent {
    /// Unix seconds: the earliest as-of of the lines.
    pub as_of: i64,
    /// Shares x 10^decimals held for this mint: the sum of the lines.
    pub shares: u64,
    /// Shares x 10^decimals of settled redemptions, in all, that had left custody at the as-of.
    pub redeemed: u64,
    /// The attestation in force that this one replaces at the same as-of, or the default key.
    pub supersedes: Pubkey,
    /// One line for every declared custody account, sorted by account.
    pub lines: Vec<StatementLine>,
}

impl AttestationContent {
    /// SHA-256("tallystick:attestation", security, Borsh bytes of the content).
    pub fn hash(&self, security: &Pubkey) -> Result<[u8; 32]> {
        let mut bytes = Vec::with_capacity(60 + self.lines.len() * 80);
        self.serialize(&mut bytes)?;
        Ok(hashv(&[b"tallystick:attestation", security.as_ref(), &bytes]).to_bytes())
    }

    /// Hash of the set of custody accounts that the lines are of: SHA-256 of the sorted account hashes.
    pub fn custody_accounts_hash(&self) -> [u8; 32] {
        let accounts: Vec<&[u8]> = self.lines.iter().map(|line| &line.account[..]).collect();
        hashv(&accounts).to_bytes()
    }

    /// The content agrees with itself: lines sorted and distinct, sum and earliest as-of as stated.
    pub fn require_consistent(&self) -> Result<()> {
        require!(
            !self.lines.is_empty() && self.lines.len() <= usize::from(MAX_CUSTODY_ACCOUNTS),
            TallystickError::CustodyAccountsOutOfBounds
        );
        require!(
            self.lines
                .windows(2)
                .all(|pair| pair[0].account < pair[1].account),
            TallystickError::LinesNotSorted
        );
        let mut shares: u64 = 0;
        let mut as_of = i64::MAX;
        for line in &self.lines {
            require!(line.statement_hash != [0; 32], TallystickError::HashMissing);
            shares = shares.checked_add(line.shares).ok_or(TallystickError::Overflow)?;
            as_of = as_of.min(line.as_of);
        }
        require!(shares == self.shares, TallystickError::SharesDiffer);
        require!(as_of == self.as_of, TallystickError::AsOfDiffers);
        Ok(())
    }
}

in_place! {
    /// One attestor's approval.
    pub struct Approval {
        /// The attestor.
        pub attestor: Pubkey,
        /// SHA-256 of the statement files as this attestor received them.
        pub received_hash: [u8; 32],
        /// Unix seconds.
        pub approved_at: i64,
    }
}

in_place! {
    /// The attestors' claim about one set of statements.
    account pub struct Attestation {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The security attested.
        pub security: Pubkey,
        /// SHA-256 of the content.
        pub content_hash: [u8; 32],
        /// Unix seconds.
        pub as_of: i64,
        /// Shares x 10^decimals.
        pub shares: u64,
        /// Shares x 10^decimals redeemed in all at the as-of.
        pub redeemed: u64,
        /// The attestation it replaces at the same as-of, or the default key.
        pub supersedes: Pubkey,
        /// Attestor epoch that the approvals below were given in.
        pub epoch: u32,
        /// Unix seconds at which it reached its threshold; 0 while open.
        pub in_force_at: i64,
        /// How many of `approvals` are given.
        pub approval_count: u8,
        /// By distinct attestors, in order of arrival; zeros behind the last.
        pub approvals: [Approval; MAX_ATTESTORS as usize],
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Approval {
    pub const NONE: Self = Self {
        attestor: Pubkey::new_from_array([0; 32]),
        received_hash: [0; 32],
        approved_at: 0,
    };
}

impl Attestation {
    /// Adds an approval given in `epoch`; approvals of an earlier epoch no longer count.
    pub fn approve(&mut self, approval: Approval, epoch: u32) -> Result<()> {
        require!(self.in_force_at == 0, TallystickError::AttestationClosed);
        if self.epoch != epoch {
            self.epoch = epoch;
            self.approval_count = 0;
            self.approvals = [Approval::NONE; MAX_ATTESTORS as usize];
        }
        let given = usize::from(self.approval_count);
        require!(given < self.approvals.len(), TallystickError::AttestationClosed);
        require!(
            self.approvals[..given]
                .iter()
                .all(|earlier| earlier.attestor != approval.attestor),
            TallystickError::AlreadyApproved
        );
        self.approvals[given] = approval;
        self.approval_count += 1;
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            self.approval_count > 0 && self.as_of > 0,
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(account: u8, shares: u64, as_of: i64) -> StatementLine {
        StatementLine {
            account: [account; 32],
            shares,
            statement_hash: [9; 32],
            as_of,
        }
    }

    fn content(lines: Vec<StatementLine>) -> AttestationContent {
        AttestationContent {
            as_of: lines.iter().map(|line| line.as_of).min().unwrap_or(0),
            shares: lines.iter().map(|line| line.shares).sum(),
            redeemed: 0,
            supersedes: Pubkey::default(),
            lines,
        }
    }

    fn attestation() -> Attestation {
        Attestation {
            version: VERSION,
            bump: 255,
            security: Pubkey::default(),
            content_hash: [1; 32],
            as_of: 1,
            shares: 1,
            redeemed: 0,
            supersedes: Pubkey::default(),
            epoch: 0,
            in_force_at: 0,
            approval_count: 0,
            approvals: [Approval::NONE; MAX_ATTESTORS as usize],
            reserved: [0; 64],
        }
    }

    fn approval(attestor: u8) -> Approval {
        Approval {
            attestor: Pubkey::new_from_array([attestor; 32]),
            received_hash: [1; 32],
            approved_at: 5,
        }
    }

    #[test]
    fn lines_must_be_sorted_and_distinct() {
        assert!(content(vec![line(1, 5, 10), line(2, 6, 9)])
            .require_consistent()
            .is_ok());
        assert!(content(vec![line(2, 5, 10), line(1, 6, 9)])
            .require_consistent()
            .is_err());
        assert!(content(vec![line(1, 5, 10), line(1, 6, 9)])
            .require_consistent()
            .is_err());
        assert!(content(vec![]).require_consistent().is_err());
    }

    #[test]
    fn the_sum_and_the_earliest_as_of_are_checked() {
        let good = content(vec![line(1, 5, 10), line(2, 6, 9)]);
        let wrong_sum = AttestationContent {
            shares: 12,
            ..good.clone()
        };
        assert_eq!(
            wrong_sum.require_consistent().unwrap_err(),
            TallystickError::SharesDiffer.into()
        );
        let wrong_time = AttestationContent { as_of: 10, ..good };
        assert_eq!(
            wrong_time.require_consistent().unwrap_err(),
            TallystickError::AsOfDiffers.into()
        );
    }

    #[test]
    fn a_sum_that_overflows_is_refused() {
        let lines = vec![line(1, u64::MAX, 1), line(2, 1, 1)];
        let content = AttestationContent {
            as_of: 1,
            shares: 0,
            redeemed: 0,
            supersedes: Pubkey::default(),
            lines,
        };
        assert_eq!(
            content.require_consistent().unwrap_err(),
            TallystickError::Overflow.into()
        );
    }

    #[test]
    fn an_attestor_counts_once() {
        let mut attestation = attestation();
        attestation.approve(approval(1), 0).unwrap();
        assert_eq!(
            attestation.approve(approval(1), 0).unwrap_err(),
            TallystickError::AlreadyApproved.into()
        );
    }

    #[test]
    fn a_new_epoch_forgets_earlier_approvals() {
        let mut attestation = attestation();
        attestation.approve(approval(1), 0).unwrap();
        attestation.approve(approval(2), 1).unwrap();
        assert_eq!((attestation.approval_count, attestation.epoch), (1, 1));
    }

    #[test]
    fn the_hash_depends_on_every_part() {
        let security = Pubkey::new_from_array([4; 32]);
        let base = content(vec![line(1, 5, 10)]);
        let hash = base.hash(&security).unwrap();
        assert_ne!(hash, base.hash(&Pubkey::default()).unwrap());
        assert_ne!(
            hash,
            AttestationContent {
                redeemed: 1,
                ..base.clone()
            }
            .hash(&security)
            .unwrap()
        );
        assert_ne!(hash, content(vec![line(1, 6, 10)]).hash(&security).unwrap());
    }
}
