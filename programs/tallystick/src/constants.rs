//! Seeds, and the compiled floors and ceilings that no policy can leave (law 1).

use anchor_lang::prelude::*;

#[constant]
pub const ISSUER_SEED: &[u8] = b"issuer";
#[constant]
pub const ROLE_SEED: &[u8] = b"role";
#[constant]
pub const LIMIT_SEED: &[u8] = b"limit";
#[constant]
pub const SECURITY_SEED: &[u8] = b"security";
#[constant]
pub const MINT_SEED: &[u8] = b"mint";
#[constant]
pub const ATTESTATION_SEED: &[u8] = b"attestation";
#[constant]
pub const ORDER_SEED: &[u8] = b"order";
#[constant]
pub const MOVEMENT_SEED: &[u8] = b"movement";
#[constant]
pub const FILL_SEED: &[u8] = b"fill";
#[constant]
pub const CORRECTION_SEED: &[u8] = b"correction";
#[constant]
pub const HOLDER_SEED: &[u8] = b"holder";
#[constant]
pub const HOLD_SEED: &[u8] = b"hold";
#[constant]
pub const ACTION_SEED: &[u8] = b"action";
#[constant]
pub const DRAW_SEED: &[u8] = b"draw";
#[constant]
pub const REPORT_SEED: &[u8] = b"report";
#[constant]
pub const SEIZURE_SEED: &[u8] = b"seizure";

/// Layout version written into every account; raised when a field is added in reserved space.
pub const VERSION: u8 = 1;

/// A multiplier of one: multipliers are integers with 18 decimal places.
pub const MULTIPLIER_ONE: u128 = 1_000_000_000_000_000_000;

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;

/// Seconds. Every period has a floor of one second so that tests need not wait a day.
pub const MIN_PERIOD: i64 = 1;
pub const MAX_DELAY: i64 = 30 * DAY;
pub const MAX_ATTESTATION_AGE: i64 = 7 * DAY;
pub const MAX_CHANGE_WINDOW: i64 = 7 * DAY;
pub const MAX_NOTICE: i64 = 90 * DAY;
pub const MAX_REDEMPTION_PERIOD: i64 = 30 * DAY;
pub const MAX_SUBSCRIPTION_PERIOD: i64 = 90 * DAY;
pub const MAX_LIMIT_WINDOW: i64 = 30 * DAY;
/// Longest life of a hold placed by a machine role or a guardian (law 6).
pub const MAX_MACHINE_HOLD: i64 = 72 * HOUR;
/// Seconds from its proposal in which a seizure may be executed.
pub const SEIZURE_PERIOD: i64 = 7 * DAY;

pub const MIN_THRESHOLD: u8 = 2;
/// Most approvals an attestation can hold, and so the highest threshold.
pub const MAX_ATTESTORS: u8 = 8;
/// Basis points.
pub const BASIS_POINTS: u64 = 10_000;
pub const MAX_MARGIN: u16 = 5_000;
pub const MAX_DECIMALS: u8 = 9;
/// Most custody accounts one security may declare; each is one line of every attestation.
pub const MAX_CUSTODY_ACCOUNTS: u8 = 16;

/// Bytes. Longer text belongs behind the URI.
pub const MAX_NAME: usize = 64;
pub const MAX_SYMBOL: usize = 16;
pub const MAX_URI: usize = 200;

/// Slots from the request of a draw to the first slot whose hash may decide: about 13 seconds.
pub const DRAW_SLOTS: u64 = 32;
/// Years that a report's period may name.
pub const MIN_YEAR: u32 = 1970;
pub const MAX_YEAR: u32 = 9999;

// ---- distributions ----

#[constant]
pub const DISTRIBUTION_SEED: &[u8] = b"distribution";
/// Most entries of a batch: what one transaction of 64 accounts pays beside the seven that are no recipients.
pub const MAX_ENTRIES: u8 = 57;
/// Most batches: at the full, 11.4 million holders, a bitmap of 1.6 MB, and a hash of it that fits one transaction.
pub const MAX_BATCHES: u32 = 200_000;
/// Longest life of a distribution.
pub const MAX_DISTRIBUTION_PERIOD: i64 = 3_653 * DAY;
