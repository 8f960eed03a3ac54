//! The one error enum. Append only: a code, once published, keeps its meaning.

use anchor_lang::prelude::*;

/// What Anchor's `#[error_code]` writes, with one difference: making an error is a cold call. Anchor's is inlined
/// into every check, which made this program twice as large; docs/decisions/0021 has the figures. The IDL is built by
/// Anchor's own.
macro_rules! error_codes {
    ($(#[msg($message:literal)] $name:ident,)*) => {
        #[cfg(feature = "idl-build")]
        #[error_code]
        pub enum TallystickError {
            $(#[msg($message)] $name,)*
        }

        #[cfg(not(feature = "idl-build"))]
        #[derive(Clone, Copy, Debug)]
        #[repr(u32)]
        pub enum TallystickError {
            $($name,)*
        }

        #[cfg(not(feature = "idl-build"))]
        impl TallystickError {
            pub fn name(&self) -> String {
                const NAMES: &[&str] = &[$(stringify!($name),)*];
                NAMES[*self as usize].to_string()
            }
        }

        #[cfg(not(feature = "idl-build"))]
        impl core::fmt::Display for TallystickError {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                const MESSAGES: &[&str] = &[$($message,)*];
                formatter.write_str(MESSAGES[*self as usize])
            }
        }
    };
}

#[cfg(not(feature = "idl-build"))]
impl From<TallystickError> for u32 {
    fn from(error: TallystickError) -> Self {
        error as u32 + anchor_lang::error::ERROR_CODE_OFFSET
    }
}

#[cfg(not(feature = "idl-build"))]
impl From<TallystickError> for Error {
    #[cold]
    #[inline(never)]
    fn from(error: TallystickError) -> Self {
        Error::from(anchor_lang::error::AnchorError {
            error_name: error.name(),
            error_code_number: error.into(),
            error_msg: error.to_string(),
            error_origin: None,
            compared_values: None,
        })
    }
}

/// Anchor's `require!` builds the whole error, text and all, at every place that can refuse. This one calls the function
/// above. A file that imports it has it in place of the prelude's.
macro_rules! require {
    ($condition:expr, $error:expr $(,)?) => {
        if !$condition {
            return Err($error.into());
        }
    };
}
pub(crate) use require;

error_codes! {
    // ---- who may act ----
    #[msg("Expected the issuer's admin to sign; use the key that the issuer account names as admin")]
    NotAdmin,
    #[msg("Expected the issuer's pending admin to sign; propose this key with propose_admin first")]
    NotPendingAdmin,
    #[msg("Expected the program's upgrade authority to sign; it is named in the program data account")]
    NotUpgradeAuthority,
    #[msg("Expected a role of this issuer; the role account belongs to another issuer")]
    RoleOfAnotherIssuer,
    #[msg("Expected a role of the kind this instruction needs; pass the role account of that kind")]
    RoleOfAnotherKind,
    #[msg("Expected the signer's own role; the role account names another holder")]
    RoleOfAnotherHolder,
    #[msg("Expected a role in force; it has not started yet, or it was revoked or vetoed")]
    RoleNotInForce,
    #[msg("Expected a key that holds neither admin nor another exclusive role; use a separate key for each role")]
    KeyHoldsAnotherRole,
    #[msg("Expected a key that does not hold this role; revoke it before granting it again")]
    RoleAlreadyGranted,
    #[msg("Expected a role that is granted or about to be; this one has ended")]
    RoleEnded,
    #[msg("Expected a change that still waits; it is in force already, or there is none, so revoke or tighten it instead")]
    NothingToVeto,
    #[msg("Expected the accounts of the one change that is vetoed and no others; pass those that the subject names")]
    AmbiguousVeto,
    #[msg("Expected the delay to have passed; wait until the pending change may be accepted")]
    DelayNotOver,
    #[msg("Expected the holder of the order or an operator in force to sign, and an operator's role beside an operator's signature")]
    NotHolderNorOperator,

    // ---- settings ----
    #[msg("Expected the default key to be refused; pass a real public key")]
    DefaultKey,
    #[msg("Expected a period within its compiled bounds; see the program's constants")]
    PeriodOutOfBounds,
    #[msg("Expected a threshold of at least 2 and at most 8 attestors")]
    ThresholdOutOfBounds,
    #[msg("Expected a margin of at most 5000 basis points")]
    MarginOutOfBounds,
    #[msg("Expected a supply cap above zero")]
    SupplyCapMissing,
    #[msg("Expected a largest change of at least one to one, with a denominator above zero")]
    ChangeBoundOutOfBounds,
    #[msg("Expected at least one permission class that may order this security")]
    NoPermissionClass,
    #[msg("Expected a limit above zero for mint and for burn, and a window of 1 second to 30 days")]
    LimitOutOfBounds,
    #[msg("Expected at most 9 decimals")]
    TooManyDecimals,
    #[msg("Expected between 1 and 16 declared custody accounts")]
    CustodyAccountsOutOfBounds,
    #[msg("Expected an ISIN with a correct check digit")]
    BadIsin,
    #[msg("Expected an LEI with correct check digits")]
    BadLei,
    #[msg("Expected printable text without gaps, zero padded on the right, within its length")]
    BadText,
    #[msg("Expected a hash that is not all zeros; hash the document that this field commits to")]
    HashMissing,

    // ---- accounts that belong together ----
    #[msg("Expected a security of this issuer")]
    SecurityOfAnotherIssuer,
    #[msg("Expected an account of this security; pass the one derived from the same mint")]
    AccountOfAnotherSecurity,
    #[msg("Expected the mint of this security")]
    MintOfAnotherSecurity,
    #[msg("Expected the escrow of this security")]
    WrongEscrow,
    #[msg("Expected a token account of this mint owned by the holder of the order")]
    WrongTokenAccount,
    #[msg("Expected the holder record of the wallet that owns the order")]
    WrongHolderRecord,
    #[msg("Expected the fill of this security that is to be corrected, and one that minted")]
    WrongFill,

    // ---- holders ----
    #[msg("Expected a holder whose approval has not lapsed; compliance has to approve it again")]
    HolderApprovalLapsed,
    #[msg("Expected a holder that is not suspended")]
    HolderSuspended,
    #[msg("Expected a holder of a permission class that may order this security")]
    HolderOfWrongClass,
    #[msg("Expected an approval that ends in the future")]
    ApprovalInThePast,
    #[msg("Expected a holder that is not yet suspended; nothing to do")]
    HolderAlreadySuspended,

    // ---- reserve ----
    #[msg("Expected the lines sorted by account, each account once")]
    LinesNotSorted,
    #[msg("Expected one line for every custody account that the security declares, and no other")]
    CustodyAccountsDiffer,
    #[msg("Expected the lines to add up to the shares attested")]
    SharesDiffer,
    #[msg("Expected the attestation's as-of to be the earliest of its lines")]
    AsOfDiffers,
    #[msg("Expected an as-of that is not in the future")]
    AsOfInTheFuture,
    #[msg("Expected a statement younger than the security's maximum age; ask the custodian for a newer one")]
    AttestationTooOld,
    #[msg("Expected an as-of after the one in force; at the same as-of, name the attestation in force as superseded")]
    AttestationNotNewer,
    #[msg(
        "Expected redeemed shares no higher than what settled redemptions took out so far; settle them first"
    )]
    RedeemedTooHigh,
    #[msg("Expected the content hash of exactly these parameters")]
    ContentHashDiffers,
    #[msg("Expected an attestor that has not approved this attestation yet; nothing to do")]
    AlreadyApproved,
    #[msg("Expected an attestation that is still open; it reached its threshold already")]
    AttestationClosed,
    #[msg("Expected a reserve in force; the attestors have to attest a statement first")]
    NoReserve,
    #[msg("Expected a reserve younger than the security's maximum age; attest a newer statement")]
    ReserveTooOld,
    #[msg("Expected a reserve attested after the last multiplier change; attest a statement from after it")]
    ReserveBeforeMultiplierChange,
    #[msg("Expected no multiplier change inside its window; mint before it, or attest a statement from after it")]
    MultiplierChangeWindow,
    #[msg("Expected the reserve to cover the supply after this mint; attest a newer statement or mint less")]
    ReserveExceeded,
    #[msg("Expected the supply after this mint to stay within the security's supply cap")]
    SupplyCapExceeded,
    #[msg("Expected the mint's supply to equal what was minted less what was burnt; stop and reconcile")]
    SupplyDiverged,

    // ---- limits and holds ----
    #[msg("Expected the amount to fit what is left of this operator's limit; wait for it to recover or raise it")]
    LimitExceeded,
    #[msg("Expected a limit in force; the admin sets one with set_limit, and it starts after the issuer's delay")]
    LimitNotInForce,
    #[msg("Expected no hold that covers minting; release it or wait for its owner to")]
    MintHeld,
    #[msg("Expected no hold that covers redeeming; release it or wait for its owner to")]
    RedeemHeld,
    #[msg("Expected a scope of mint, redeem or transfer, alone or together")]
    BadScope,
    #[msg("Expected a role that may place holds: operator, compliance, corporate actions, reconciliation or guardian")]
    RoleCannotHold,
    #[msg("Expected an expiry in the future, which machine roles and guardians must set to 72 hours or less")]
    BadExpiry,
    #[msg("Expected a hold that has not been released; nothing to do")]
    HoldReleased,
    #[msg("Expected the hold's owner to sign, or the hold to have expired, or admin and guardian together where the owner's role has ended")]
    NotHoldOwner,
    #[msg("Expected compliance to sign beside the owner to release a reconciliation hold before it expires")]
    ComplianceMissing,
    #[msg("Expected the hold counts to match the holds; stop and reconcile")]
    HoldCountDiverged,

    // ---- orders, movements, fills ----
    #[msg("Expected a quantity above zero")]
    ZeroQuantity,
    #[msg("Expected an order of the kind this instruction settles")]
    OrderOfWrongKind,
    #[msg("Expected an open order; it was settled, cancelled or withdrawn")]
    OrderNotOpen,
    #[msg("Expected an accepted redemption; accept it before the custodian is instructed")]
    OrderNotAccepted,
    #[msg("Expected the order's deadline not to have passed; open a new order")]
    DeadlinePassed,
    #[msg("Expected the order's deadline to have passed; until then only an operator may cancel")]
    DeadlineNotPassed,
    #[msg("Expected a deadline in the future and within the longest period allowed")]
    DeadlineOutOfBounds,
    #[msg("Expected the fill to fit what is still open of the order")]
    OrderExceeded,
    #[msg("Expected the fill to fit what is still unallocated of the custody movement")]
    MovementExceeded,
    #[msg("Expected the same direction and shares as this movement was first recorded with")]
    MovementDiffers,
    #[msg(
        "Expected a movement that has not settled this order yet; the fill exists, so this was done before"
    )]
    FillExists,
    #[msg("Expected shares that come to at least one token unit at this multiplier")]
    TooSmall,
    #[msg("Expected the correction to fit what is still uncorrected of the fill")]
    CorrectionExceeded,
    #[msg("Expected arithmetic within 128 bits; the amounts are out of range")]
    Overflow,
    #[msg("Expected the account to satisfy its invariant after this instruction; nothing was changed")]
    InvariantBroken,
    #[msg("Expected a security that is active; it was retired")]
    SecurityRetired,

    // ---- corporate actions ----
    #[msg("Expected a corporate action of the kind that this instruction carries out")]
    ActionOfWrongKind,
    #[msg("Expected version 1 of a new event, or the version that follows the one passed as replaced, of the same event")]
    WrongActionVersion,
    #[msg("Expected a version that was announced, approved or cancelled; an executed or replaced one is not replaced")]
    ActionNotReplaceable,
    #[msg("Expected an action that is announced and not yet approved; announce a new version of what has ended")]
    ActionNotAnnounced,
    #[msg("Expected another key to approve than the one that announced; use a second corporate actions key")]
    ApprovedByAnnouncer,
    #[msg("Expected an approved action; a second corporate actions key approves it first")]
    ActionNotApproved,
    #[msg("Expected the role of the key that approved this action, in force ever since; announce a new version otherwise")]
    ApprovalNotLive,
    #[msg("Expected an action that has not taken effect and has not ended; announce a corrected event instead")]
    ActionNotCancellable,
    #[msg("Expected at least the policy's notice between now and the effective time; choose a later one")]
    NoticeTooShort,
    #[msg("Expected the effective time to be ahead; announce a new version with a later one")]
    EffectiveTimePassed,
    #[msg("Expected the effective time to have come; wait for it")]
    EffectiveTimeAhead,
    #[msg("Expected times of zero or later, and for cash a record time with the pay time not before it")]
    BadActionTimes,
    #[msg("Expected a ratio of new to old shares that goes the way of the kind, and none for kinds that leave the multiplier")]
    BadRatio,
    #[msg("Expected a ratio within the security's largest change; split it into several actions or loosen the policy")]
    ChangeTooLarge,
    #[msg("Expected a gross amount and a currency of three capital letters for kinds that pay cash, and neither for others")]
    BadCash,
    #[msg("Expected at most 10000 basis points of tax withheld")]
    WithholdingOutOfBounds,
    #[msg("Expected no other multiplier change pending; wait until it has taken effect or cancel it")]
    ChangePending,
    #[msg("Expected a multiplier above zero at which the shares of the whole supply fit 64 bits; use a smaller ratio")]
    MultiplierOutOfRange,

    // ---- reports ----
    #[msg("Expected a period as a number YYYYMM with a month from 01 to 12, in 1970 or later")]
    NoPeriod,
    #[msg("Expected the period to have ended by the chain's clock, in UTC; wait for the month's last midnight")]
    PeriodNotEnded,
    #[msg("Expected the day to have ended by the chain's clock, in UTC; wait for its midnight")]
    DayNotEnded,
    #[msg("Expected a day later than the last one closed; a day that was left out stays out")]
    DayNotLater,
    #[msg("Expected a slot that the chain has reached; name the slot at which the figures were read")]
    SlotInTheFuture,
    #[msg("Expected every day of the period to be closed or left out for good; close the period's last day, or a later one, first")]
    DaysNotFinal,
    #[msg("Expected the chain's record of slot hashes; pass SysvarS1otHashes111111111111111111111111111")]
    NotSlotHashes,
    #[msg("Expected no draw under way; draw with draw_day, and request anew only once the chain no longer has the target slot's hash")]
    DrawPending,
    #[msg("Expected a period whose day is not drawn yet; what was drawn is final")]
    DrawFinal,
    #[msg("Expected a slot at or after the draw's target to have a hash; wait a few seconds")]
    DrawTooEarly,
    #[msg("Expected the chain still to have the target slot's hash; request the draw anew")]
    DrawMissed,
    #[msg("Expected the issuer's last publication as the previous report, and none before its first; read the issuer again")]
    NotLastReport,
    #[msg("Expected version 1 without a report that it corrects, or the version after the report of this issuer and period that it corrects")]
    ReportNotNext,
    #[msg("Expected a period later than the last one published; correct that one with its next version")]
    PeriodPublished,

    // ---- control of holdings, policy and metadata ----
    #[msg("Expected compliance to sign beside a guardian that vetoes its own removal; another guardian may veto alone")]
    GuardianNeedsCompliance,
    #[msg("Expected an account of a wallet; what an account of this program owns is never frozen, thawed or seized")]
    OwnedByProgram,
    #[msg("Expected the wallet that owns the token account; pass the owner that the token account names")]
    WrongWallet,
    #[msg("Expected a token account that is not frozen; nothing to do")]
    AlreadyFrozen,
    #[msg("Expected a frozen token account; nothing to do")]
    NotFrozen,
    #[msg("Expected a destination that is not frozen; compliance thaws it with thaw_account first")]
    DestinationFrozen,
    #[msg("Expected no hold that covers transfers; release it or wait for its owner to")]
    TransferHeld,
    #[msg("Expected the seizure account in force of this security; the admin names one, and it counts after the delay")]
    WrongSeizureAccount,
    #[msg("Expected a second compliance key; another key has to sign than the one that proposed or signs first")]
    SecondKeyMissing,
    #[msg("Expected a seizure that was not executed yet; propose a new one")]
    SeizureExecuted,
    #[msg("Expected a seizure within 7 days of its proposal; propose a new one")]
    SeizureExpired,
    #[msg("Expected no more than the token account holds")]
    BalanceExceeded,
    #[msg("Expected the old and the new wallet of one investor; their records name different investors or one wallet")]
    NotTheSameInvestor,
    #[msg("Expected the holder record of the token account's owner; approve the wallet first")]
    HolderRecordMissing,
    #[msg("Expected exactly the metadata that was announced; announce this content first")]
    MetadataNotAnnounced,
    #[msg("Expected the notice since the announcement to have passed; wait until then")]
    NoticeNotOver,

    // ---- distributions ----
    #[msg("Expected the action that this distribution pays")]
    DistributionOfAnotherAction,
    #[msg("Expected the number of distributions that the action has opened so far")]
    DistributionNumberDiffers,
    #[msg("Expected 1 to 200,000 batches, 1 to 57 entries for each, and a total above zero")]
    DistributionOutOfBounds,
    #[msg("Expected an expiry in the future and within ten years")]
    ExpiryOutOfBounds,
    #[msg("Expected a payment mint without transfer hook and transfer fee, whose tokens can be transferred; name another, or wait until its issuer has removed it")]
    PaymentMintRefused,
    #[msg("Expected a payment mint that is not a security of this program; shares are not paid out as cash")]
    PaymentMintIsSecurity,
    #[msg("Expected the payment mint that the distribution names")]
    WrongPaymentMint,
    #[msg("Expected the distribution's own escrow")]
    WrongPaymentEscrow,
    #[msg("Expected a token account of the payment mint, other than the escrow, to refund to; the same one from open to close")]
    WrongRefund,
    #[msg("Expected the account that paid the distribution's rent, which gets it back")]
    WrongRentRecipient,
    #[msg("Expected an open distribution, one not yet approved; open another")]
    DistributionNotOpen,
    #[msg("Expected a distribution that still has to grow; nothing to do")]
    DistributionGrown,
    #[msg("Expected a distribution grown to its full size; call grow_distribution until it is")]
    DistributionNotGrown,
    #[msg("Expected a key other than the one that opened the distribution to approve it")]
    OpenerCannotApprove,
    #[msg("Expected the root, entries, total, refund account and expiry that the distribution holds; compare it with what was prepared")]
    DistributionDiffers,
    #[msg("Expected an approved distribution; it still waits for approval, or it was closed")]
    DistributionNotApproved,
    #[msg("Expected no more than the distribution's total still lacks; fund less")]
    FundedTooMuch,
    #[msg("Expected the payments to stay within what was funded and what was approved; fund the distribution first")]
    NotFunded,
    #[msg("Expected the payout key that the distribution names to sign")]
    NotPayoutKey,
    #[msg("Expected a batch of the distribution, with 1 to 57 recipients and one bump and one amount for each")]
    BatchOutOfBounds,
    #[msg("Expected exactly what the approved root commits to, in its order, with its proof; build the call from the approved list")]
    ProofDiffers,
    #[msg("Expected an entry that was not paid yet; nothing to do")]
    EntryPaid,
    #[msg("Expected a token account of the payment mint at the entry's address; its owner has to open it again")]
    RecipientNotThere,
    #[msg("Expected a recipient that is not frozen; the payment token's issuer has to thaw it")]
    RecipientFrozen,
    #[msg("Expected a recipient that is still its owner's associated account; it was given to another owner")]
    RecipientReowned,
    #[msg("Expected a recipient that takes plain transfers; its owner has to stop asking for memos, or allow public credits again")]
    RecipientRefuses,
    #[msg("Expected a recipient other than the distribution's escrow")]
    RecipientIsEscrow,
    #[msg("Expected a distribution that has expired, is paid in full, or was never approved")]
    DistributionNotOver,
}
