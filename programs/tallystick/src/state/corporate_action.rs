use anchor_lang::prelude::*;

use crate::state::in_place;

/// ISO 20022 event codes.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ActionKind {
    /// DVCA.
    CashDividend,
    /// SPLF.
    ForwardSplit,
    /// SPLR.
    ReverseSplit,
    /// DVSE.
    StockDividend,
    /// DRIP.
    ReinvestedDividend,
    /// MRGR.
    Merger,
    /// SOFF.
    SpinOff,
    /// DELI.
    Delisting,
}

impl ActionKind {
    /// Opens distributions.
    pub fn pays_cash(self) -> bool {
        matches!(self, Self::CashDividend | Self::Merger | Self::SpinOff)
    }
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ActionStatus {
    Announced,
    Approved,
    Executed,
    Cancelled,
    Replaced,
}

in_place! {
    /// A corporate action of a security, in one version.
    account pub struct CorporateAction {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// ISO 20022 event code.
        pub kind: ActionKind,
        /// Announced, approved, executed, cancelled or replaced.
        pub status: ActionStatus,
        /// The security.
        pub security: Pubkey,
        /// SHA-256 of the event id.
        pub event_hash: [u8; 32],
        /// Version of the announcement.
        pub action_version: u16,
        /// The version before, or the default key.
        pub replaces: Pubkey,
        /// Unix seconds; 0 for none.
        pub ex_at: i64,
        /// Unix seconds; 0 for none.
        pub record_at: i64,
        /// Unix seconds; 0 for none.
        pub pay_at: i64,
        /// Unix seconds; 0 for none.
        pub effective_at: i64,
        /// Of the ratio.
        pub numerator: u64,
        /// Of the ratio.
        pub denominator: u64,
        /// 18 places of the currency.
        pub gross_per_share: u128,
        /// ISO 4217; zeros when no cash.
        pub currency: [u8; 3],
        /// Basis points.
        pub withholding: u16,
        /// Hash of the evidence.
        pub evidence_hash: [u8; 32],
        /// Who announced it.
        pub announcer: Pubkey,
        /// Who approved it.
        pub approver: Pubkey,
        /// Unix seconds.
        pub announced_at: i64,
        /// Unix seconds.
        pub approved_at: i64,
        /// Unix seconds of the last change of status.
        pub status_at: i64,
        /// 18 places; 0 until executed.
        pub multiplier_before: u128,
        /// 18 places; 0 until executed.
        pub multiplier_after: u128,
        /// Distributions opened so far.
        pub distributions: u16,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}
