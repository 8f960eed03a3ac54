//! What happened, in the past tense; emitted as self-calls so that no log limit can drop one.

use anchor_lang::{
    event::EVENT_IX_TAG_LE,
    prelude::*,
    solana_program::{instruction::Instruction, program::invoke_signed},
    Discriminator,
};

use crate::state::{
    ActionKind, ActionStatus, ActionTerms, AttestationContent, OrderStatus, Policy, RoleKind, VetoSubject,
};

/// Emits an event as Anchor's `emit_cpi!` does, byte for byte, without copying it three times (2,000 compute
/// units in every instruction).
pub fn emit<E: AnchorSerialize + Discriminator>(authority: &AccountInfo, event: E) -> Result<()> {
    let mut data = Vec::with_capacity(512);
    data.extend_from_slice(EVENT_IX_TAG_LE);
    data.extend_from_slice(E::DISCRIMINATOR);
    event.serialize(&mut data)?;
    let accounts = vec![AccountMeta::new_readonly(*authority.key, true)];
    invoke_signed(
        &Instruction {
            program_id: crate::ID,
            accounts,
            data,
        },
        core::slice::from_ref(authority),
        &[&[b"__event_authority", &[crate::EVENT_AUTHORITY_AND_BUMP.1]]],
    )
    .map_err(Into::into)
}

#[event]
pub struct IssuerInitialized {
    pub issuer: Pubkey,
    pub admin: Pubkey,
    pub guardian: Pubkey,
    pub upgrade_authority: Pubkey,
    pub delay: i64,
}

#[event]
pub struct AdminProposed {
    pub issuer: Pubkey,
    pub admin: Pubkey,
    pub pending_admin: Pubkey,
    pub acceptable_from: i64,
}

#[event]
pub struct AdminAccepted {
    pub issuer: Pubkey,
    pub previous_admin: Pubkey,
    pub admin: Pubkey,
}

#[event]
pub struct RoleGranted {
    pub issuer: Pubkey,
    pub role: Pubkey,
    pub kind: RoleKind,
    pub holder: Pubkey,
    pub in_force_from: i64,
    pub attestor_epoch: u32,
}

#[event]
pub struct RoleRevoked {
    pub issuer: Pubkey,
    pub role: Pubkey,
    pub kind: RoleKind,
    pub holder: Pubkey,
    pub ends_at: i64,
    pub attestor_epoch: u32,
}

#[event]
pub struct ChangeVetoed {
    pub issuer: Pubkey,
    pub guardian: Pubkey,
    pub kind: VetoSubject,
    /// The issuer, role, limit or security account whose change was vetoed.
    pub subject: Pubkey,
}

#[event]
pub struct SecurityListed {
    pub issuer: Pubkey,
    pub security: Pubkey,
    pub mint: Pubkey,
    pub security_id: [u8; 32],
    pub isin: [u8; 12],
    pub decimals: u8,
    pub permissioned: bool,
    pub custody_accounts_hash: [u8; 32],
    pub terms_hash: [u8; 32],
}

#[event]
pub struct LimitSet {
    pub security: Pubkey,
    pub limit: Pubkey,
    pub holder: Pubkey,
    pub mint_cap: u64,
    pub burn_cap: u64,
    pub window: i64,
    pub in_force_from: i64,
}

#[event]
pub struct HoldPlaced {
    pub security: Pubkey,
    pub hold: Pubkey,
    pub owner: Pubkey,
    pub owner_kind: RoleKind,
    pub scope: u8,
    pub reason_code: u16,
    pub expires_at: i64,
}

#[event]
pub struct HoldReleased {
    pub security: Pubkey,
    pub hold: Pubkey,
    pub released_by: Pubkey,
    pub scope: u8,
    /// False when its owner, or who acts for it, released it early.
    pub expired: bool,
}

#[event]
pub struct HolderApproved {
    pub issuer: Pubkey,
    pub holder: Pubkey,
    pub wallet: Pubkey,
    pub classes: u64,
    pub approved_until: i64,
}

#[event]
pub struct HolderSuspended {
    pub issuer: Pubkey,
    pub holder: Pubkey,
    pub wallet: Pubkey,
}

#[event]
pub struct AttestationApproved {
    pub security: Pubkey,
    pub attestation: Pubkey,
    pub attestor: Pubkey,
    pub received_hash: [u8; 32],
    pub approvals: u8,
    pub threshold: u8,
    pub epoch: u32,
    pub content: AttestationContent,
}

#[event]
pub struct ReserveAttested {
    pub security: Pubkey,
    pub attestation: Pubkey,
    pub as_of: i64,
    pub shares: u64,
    pub redeemed: u64,
    pub attestations_hash: [u8; 32],
}

#[event]
pub struct SubscriptionOpened {
    pub security: Pubkey,
    pub order: Pubkey,
    pub holder: Pubkey,
    pub order_id: [u8; 32],
    pub shares: u64,
    pub settle_by: i64,
}

#[event]
pub struct SubscriptionSettled {
    pub security: Pubkey,
    pub order: Pubkey,
    pub holder: Pubkey,
    pub movement: Pubkey,
    pub fill: Pubkey,
    pub shares: u64,
    pub raw: u64,
    pub multiplier: u128,
    pub status: OrderStatus,
}

#[event]
pub struct SubscriptionCancelled {
    pub security: Pubkey,
    pub order: Pubkey,
    pub holder: Pubkey,
    pub cancelled_by: Pubkey,
    pub shares: u64,
    pub reason_code: u16,
}

#[event]
pub struct RedemptionRequested {
    pub security: Pubkey,
    pub order: Pubkey,
    pub holder: Pubkey,
    pub order_id: [u8; 32],
    pub raw: u64,
    pub accept_by: i64,
}

#[event]
pub struct RedemptionAccepted {
    pub security: Pubkey,
    pub order: Pubkey,
    pub holder: Pubkey,
    pub raw: u64,
    pub settle_by: i64,
}

#[event]
pub struct RedemptionSettled {
    pub security: Pubkey,
    pub order: Pubkey,
    pub holder: Pubkey,
    pub movement: Pubkey,
    pub fill: Pubkey,
    pub raw: u64,
    pub shares: u64,
    pub multiplier: u128,
    pub status: OrderStatus,
}

#[event]
pub struct RedemptionReturned {
    pub security: Pubkey,
    pub order: Pubkey,
    pub holder: Pubkey,
    /// The key that asked for the return: the holder or an operator.
    pub returned_by: Pubkey,
    pub raw: u64,
    pub status: OrderStatus,
    pub reason_code: u16,
}

#[event]
pub struct FillCorrected {
    pub security: Pubkey,
    pub fill: Pubkey,
    pub correction: Pubkey,
    pub inventory: Pubkey,
    pub raw: u64,
    pub shares: u64,
}

#[event]
pub struct ActionAnnounced {
    pub security: Pubkey,
    pub action: Pubkey,
    pub event_hash: [u8; 32],
    pub action_version: u16,
    /// The version that was replaced, or the default key.
    pub replaces: Pubkey,
    pub kind: ActionKind,
    pub terms: ActionTerms,
    pub announcer: Pubkey,
}

#[event]
pub struct ActionApproved {
    pub security: Pubkey,
    pub action: Pubkey,
    pub approver: Pubkey,
}

#[event]
pub struct ActionCancelled {
    pub security: Pubkey,
    pub action: Pubkey,
    pub cancelled_by: Pubkey,
    /// How far it was; a pending multiplier of an executed one was taken back.
    pub previous_status: ActionStatus,
    pub reason_code: u16,
    pub reason_hash: [u8; 32],
}

#[event]
pub struct ActionExecuted {
    pub security: Pubkey,
    pub action: Pubkey,
    pub executed_by: Pubkey,
    pub multiplier_before: u128,
    pub multiplier_after: u128,
    pub effective_at: i64,
}

#[event]
pub struct SecurityRetired {
    pub security: Pubkey,
    pub action: Pubkey,
    pub retired_by: Pubkey,
}

#[event]
pub struct DayClosed {
    pub issuer: Pubkey,
    /// Counted from 1970-01-01, UTC.
    pub day: u32,
    pub close_hash: [u8; 32],
    pub as_of_slot: u64,
    /// The running hash before this day.
    pub previous_hash: [u8; 32],
    pub days_hash: [u8; 32],
    pub days: u32,
    pub closed_by: Pubkey,
    pub closed_at: i64,
}

#[event]
pub struct DrawRequested {
    pub issuer: Pubkey,
    pub draw: Pubkey,
    pub period: u32,
    pub attempts: u32,
    pub target_slot: u64,
    pub days_hash: [u8; 32],
    pub requested_by: Pubkey,
}

#[event]
pub struct DayDrawn {
    pub issuer: Pubkey,
    pub draw: Pubkey,
    pub period: u32,
    pub attempts: u32,
    pub drawn_slot: u64,
    pub slot_hash: [u8; 32],
    /// Day of the month, from 1.
    pub drawn_day: u8,
}

#[event]
pub struct ReportPublished {
    pub issuer: Pubkey,
    pub report: Pubkey,
    pub period: u32,
    pub report_version: u16,
    pub hash: [u8; 32],
    pub as_of_slot: u64,
    pub previous: Pubkey,
    pub previous_hash: [u8; 32],
    /// The default key for version 1.
    pub corrects: Pubkey,
    pub days_hash: [u8; 32],
    pub published_by: Pubkey,
}

#[event]
pub struct PolicyUpdated {
    pub security: Pubkey,
    pub policy: Policy,
    pub custody_accounts_hash: [u8; 32],
    pub custody_accounts: u8,
    /// Unix seconds; in the future where it loosens something.
    pub in_force_from: i64,
}

#[event]
pub struct SeizureAccountNamed {
    pub security: Pubkey,
    /// The default key where none is named any more.
    pub seizure_account: Pubkey,
    pub in_force_from: i64,
}

#[event]
pub struct MetadataAnnounced {
    pub security: Pubkey,
    pub name: String,
    pub ticker: [u8; 16],
    pub uri: String,
    pub isin: [u8; 12],
    pub terms_hash: [u8; 32],
    pub content_hash: [u8; 32],
    pub writable_from: i64,
}

#[event]
pub struct MetadataUpdated {
    pub security: Pubkey,
    pub content_hash: [u8; 32],
    pub isin: [u8; 12],
    pub previous_isin: [u8; 12],
    pub terms_hash: [u8; 32],
}

#[event]
pub struct AccountFrozen {
    pub security: Pubkey,
    pub token_account: Pubkey,
    pub wallet: Pubkey,
    pub frozen_by: Pubkey,
    pub reason_code: u16,
    pub reason_hash: [u8; 32],
}

#[event]
pub struct AccountThawed {
    pub security: Pubkey,
    pub token_account: Pubkey,
    pub wallet: Pubkey,
    pub thawed_by: Pubkey,
    pub reason_code: u16,
    pub reason_hash: [u8; 32],
}

#[event]
pub struct SeizureProposed {
    pub security: Pubkey,
    pub seizure: Pubkey,
    pub source: Pubkey,
    pub wallet: Pubkey,
    pub raw: u64,
    pub reason_code: u16,
    pub reason_hash: [u8; 32],
    pub proposer: Pubkey,
    pub expires_at: i64,
}

#[event]
pub struct HoldingSeized {
    pub security: Pubkey,
    pub seizure: Pubkey,
    pub source: Pubkey,
    pub wallet: Pubkey,
    pub destination: Pubkey,
    pub raw: u64,
    pub seized_by: Pubkey,
}

#[event]
pub struct HoldingReissued {
    pub security: Pubkey,
    pub source: Pubkey,
    pub old_wallet: Pubkey,
    pub destination: Pubkey,
    pub new_wallet: Pubkey,
    pub investor_id: [u8; 32],
    pub raw: u64,
    pub evidence_hash: [u8; 32],
}

#[event]
pub struct DistributionOpened {
    pub distribution: Pubkey,
    pub security: Pubkey,
    pub action: Pubkey,
    pub number: u16,
    pub payment_mint: Pubkey,
    pub root: [u8; 32],
    pub batches: u32,
    pub entries: u64,
    pub total: u64,
    pub payout_key: Pubkey,
    pub linked_to: Pubkey,
    pub expires_at: i64,
}

#[event]
pub struct DistributionGrew {
    pub distribution: Pubkey,
    /// Bytes the account has now, and will have when it is full.
    pub length: u32,
    pub full_length: u32,
}

#[event]
pub struct DistributionApproved {
    pub distribution: Pubkey,
    pub action: Pubkey,
    pub root_approver: Pubkey,
    pub root: [u8; 32],
    pub total: u64,
}

#[event]
pub struct DistributionFunded {
    pub distribution: Pubkey,
    pub funder: Pubkey,
    /// What arrived, and what arrived in all.
    pub raw: u64,
    pub funded: u64,
}

#[event]
pub struct BatchPaid {
    pub distribution: Pubkey,
    pub batch: u32,
    /// A bit for each entry that this call paid.
    pub paid: u64,
    pub raw: u64,
}

#[event]
pub struct EntitlementPaid {
    pub distribution: Pubkey,
    pub batch: u32,
    pub index: u8,
    pub owner: Pubkey,
    pub destination: Pubkey,
    pub raw: u64,
}

#[event]
pub struct DistributionClosed {
    pub distribution: Pubkey,
    pub closed_by: Pubkey,
    pub paid: u64,
    pub paid_entries: u64,
    /// Everything the escrow still held, what was sent to it unasked included.
    pub refunded: u64,
    pub bits_hash: [u8; 32],
}
