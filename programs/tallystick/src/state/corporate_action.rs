use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::{in_place, Policy},
};

/// What happens to the shares, by its ISO 20022 event code. The numbers are part of the layout.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ActionKind {
    /// DVCA: pays cash.
    CashDividend,
    /// SPLF: more shares for each.
    ForwardSplit,
    /// SPLR: fewer shares for each.
    ReverseSplit,
    /// DVSE: a dividend in shares.
    StockDividend,
    /// DRIP: a cash dividend that the custodian put into shares.
    ReinvestedDividend,
    /// MRGR: pays the cash part of a merger.
    Merger,
    /// SOFF: pays the cash that the spun off shares were sold for.
    SpinOff,
    /// DELI: the security is retired.
    Delisting,
}

impl ActionKind {
    pub fn changes_multiplier(self) -> bool {
        matches!(
            self,
            Self::ForwardSplit | Self::ReverseSplit | Self::StockDividend | Self::ReinvestedDividend
        )
    }

    /// Whether it opens distributions.
    pub fn pays_cash(self) -> bool {
        matches!(self, Self::CashDividend | Self::Merger | Self::SpinOff)
    }

    pub fn retires(self) -> bool {
        self == Self::Delisting
    }
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ActionStatus {
    Announced,
    /// By a second key.
    Approved,
    /// The multiplier is set or pending, the security retired, or the first distribution approved.
    Executed,
    Cancelled,
    /// A later version took its place.
    Replaced,
}

in_place! {
    /// What a corporate action brings, and when. Which fields a kind fills is in `require_fit`.
    plain pub struct ActionTerms {
        /// Unix seconds from which the share trades without it; 0 when there is none.
        pub ex_at: i64,
        /// Unix seconds at which holders are counted; 0 when there is none.
        pub record_at: i64,
        /// Unix seconds from which it is paid; 0 when there is none.
        pub pay_at: i64,
        /// Unix seconds at which it takes effect; 0 when there is none.
        pub effective_at: i64,
        /// New shares; 0 for kinds that leave the multiplier.
        pub numerator: u64,
        /// For so many old ones; 0 for kinds that leave the multiplier.
        pub denominator: u64,
        /// Cash for one share before tax, in units of the currency x 10^18; 0 when none is paid.
        pub gross_per_share: u128,
        /// ISO 4217; zeros when no cash is paid.
        pub currency: [u8; 3],
        /// Basis points of tax withheld.
        pub withholding: u16,
        /// SHA-256 of the custodian's notice.
        pub evidence_hash: [u8; 32],
    }
}

impl ActionTerms {
    /// Refuses terms that are not of this kind, or that the policy does not allow to be announced now (law 5).
    pub fn require_fit(&self, kind: ActionKind, policy: &Policy, now: i64) -> Result<()> {
        require!(self.evidence_hash != [0; 32], TallystickError::HashMissing);
        require!(
            u64::from(self.withholding) <= BASIS_POINTS,
            TallystickError::WithholdingOutOfBounds
        );
        self.require_times(kind)?;
        self.require_ratio(kind)?;
        self.require_cash(kind)?;
        if kind.changes_multiplier() {
            self.require_within_bound(policy)?;
        }
        if !kind.pays_cash() {
            // Saturating: a time before 1970 was refused above, so it cannot pass for one that is far ahead.
            require!(
                self.effective_at.saturating_sub(now) >= policy.notice,
                TallystickError::NoticeTooShort
            );
        }
        Ok(())
    }

    fn require_times(&self, kind: ActionKind) -> Result<()> {
        let (ex_at, record_at, pay_at) = (self.ex_at, self.record_at, self.pay_at);
        let counted = !kind.pays_cash() || (record_at > 0 && pay_at >= record_at);
        require!(
            counted && ex_at.min(record_at).min(pay_at).min(self.effective_at) >= 0,
            TallystickError::BadActionTimes
        );
        Ok(())
    }

    fn require_ratio(&self, kind: ActionKind) -> Result<()> {
        let (new, old) = (self.numerator, self.denominator);
        let fits = match kind {
            ActionKind::ForwardSplit | ActionKind::StockDividend => old > 0 && new > old,
            ActionKind::ReverseSplit => new > 0 && new < old,
            ActionKind::ReinvestedDividend => old > 0 && new >= old,
            _ => new == 0 && old == 0,
        };
        require!(fits, TallystickError::BadRatio);
        Ok(())
    }

    fn require_cash(&self, kind: ActionKind) -> Result<()> {
        let fits = if kind.pays_cash() {
            self.gross_per_share > 0 && self.currency.iter().all(u8::is_ascii_uppercase)
        } else {
            self.gross_per_share == 0 && self.currency == [0; 3]
        };
        require!(fits, TallystickError::BadCash);
        Ok(())
    }

    /// Refuses a ratio outside the policy's largest change, up or down.
    pub fn require_within_bound(&self, policy: &Policy) -> Result<()> {
        let (new, old) = (u128::from(self.numerator), u128::from(self.denominator));
        let most = u128::from(policy.max_change_numerator);
        let least = u128::from(policy.max_change_denominator);
        // Products of two u64 fit u128.
        require!(
            new * least <= old * most && old * least <= new * most,
            TallystickError::ChangeTooLarge
        );
        Ok(())
    }
}

in_place! {
    /// One version of one corporate action. Never closed: what replaced or cancelled it says so.
    account pub struct CorporateAction {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// What happens.
        pub kind: ActionKind,
        /// How far it is.
        pub status: ActionStatus,
        /// The security it happens to.
        pub security: Pubkey,
        /// SHA-256 of the custodian's event id.
        pub event_hash: [u8; 32],
        /// From 1; part of the address.
        pub action_version: u16,
        /// The version before, or the default key.
        pub replaces: Pubkey,
        /// What it brings, and when.
        pub terms: ActionTerms,
        /// The key that announced it.
        pub announcer: Pubkey,
        /// The key that approved it, or the default key.
        pub approver: Pubkey,
        /// Unix seconds by the chain's clock.
        pub announced_at: i64,
        /// Unix seconds by the chain's clock; 0 until approved.
        pub approved_at: i64,
        /// Unix seconds by the chain's clock of the last change of status.
        pub status_at: i64,
        /// The security's multiplier when it was executed, 18 places; 0 until then.
        pub multiplier_before: u128,
        /// The multiplier from `effective_at`, 18 places, rounded down; 0 until executed.
        pub multiplier_after: u128,
        /// Distributions opened for it so far.
        pub distributions: u16,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl CorporateAction {
    fn set_status(&mut self, status: ActionStatus, now: i64) {
        self.status = status;
        self.status_at = now;
    }

    /// Gives way to `version` of the same event.
    pub fn replace(&mut self, event_hash: &[u8; 32], version: u16, now: i64) -> Result<()> {
        require!(
            self.event_hash == *event_hash && self.action_version.checked_add(1) == Some(version),
            TallystickError::WrongActionVersion
        );
        require!(
            matches!(
                self.status,
                ActionStatus::Announced | ActionStatus::Approved | ActionStatus::Cancelled
            ),
            TallystickError::ActionNotReplaceable
        );
        self.set_status(ActionStatus::Replaced, now);
        Ok(())
    }

    pub fn approve(&mut self, approver: Pubkey, now: i64) -> Result<()> {
        require!(
            self.status == ActionStatus::Announced,
            TallystickError::ActionNotAnnounced
        );
        require!(self.announcer != approver, TallystickError::ApprovedByAnnouncer);
        self.approver = approver;
        self.approved_at = now;
        self.set_status(ActionStatus::Approved, now);
        Ok(())
    }

    pub fn require_approved(&self) -> Result<()> {
        require!(
            self.status == ActionStatus::Approved,
            TallystickError::ActionNotApproved
        );
        Ok(())
    }

    pub fn has_come(&self, now: i64) -> bool {
        now >= self.terms.effective_at
    }

    pub fn execute(&mut self, now: i64) -> Result<()> {
        self.require_approved()?;
        self.set_status(ActionStatus::Executed, now);
        Ok(())
    }

    /// Ends it; true when a pending multiplier has to be taken back. What has taken effect stays.
    pub fn cancel(&mut self, now: i64) -> Result<bool> {
        let is_pending =
            self.status == ActionStatus::Executed && self.kind.changes_multiplier() && !self.has_come(now);
        require!(
            is_pending || matches!(self.status, ActionStatus::Announced | ActionStatus::Approved),
            TallystickError::ActionNotCancellable
        );
        self.set_status(ActionStatus::Cancelled, now);
        Ok(is_pending)
    }

    /// Refuses where no distribution may be opened or approved for it.
    pub fn require_pays(&self) -> Result<()> {
        require!(self.kind.pays_cash(), TallystickError::ActionOfWrongKind);
        require!(
            matches!(self.status, ActionStatus::Approved | ActionStatus::Executed),
            TallystickError::ActionNotApproved
        );
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        let was_approved = self.approved_at != 0;
        require!(
            self.action_version > 0
                && (self.action_version == 1) == (self.replaces == Pubkey::default())
                && self.event_hash != [0; 32]
                && was_approved == (self.approver != Pubkey::default())
                && self.approver != self.announcer
                && (was_approved || !matches!(self.status, ActionStatus::Approved | ActionStatus::Executed))
                && (self.multiplier_after == 0) == (self.multiplier_before == 0)
                && (self.multiplier_after == 0 || self.kind.changes_multiplier())
                && (self.distributions == 0 || self.kind.pays_cash()),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::policy::tests::policy;

    const KINDS: [ActionKind; 8] = [
        ActionKind::CashDividend,
        ActionKind::ForwardSplit,
        ActionKind::ReverseSplit,
        ActionKind::StockDividend,
        ActionKind::ReinvestedDividend,
        ActionKind::Merger,
        ActionKind::SpinOff,
        ActionKind::Delisting,
    ];
    const NOW: i64 = 1_000_000;

    fn terms(kind: ActionKind) -> ActionTerms {
        let (numerator, denominator) = match kind {
            ActionKind::ReverseSplit => (1, 2),
            _ if kind.changes_multiplier() => (2, 1),
            _ => (0, 0),
        };
        let pays = kind.pays_cash();
        ActionTerms {
            ex_at: 0,
            record_at: i64::from(pays),
            pay_at: i64::from(pays),
            effective_at: if pays { 0 } else { NOW + DAY },
            numerator,
            denominator,
            gross_per_share: u128::from(pays),
            currency: if pays { *b"USD" } else { [0; 3] },
            withholding: 0,
            evidence_hash: [1; 32],
        }
    }

    fn action(kind: ActionKind) -> CorporateAction {
        CorporateAction {
            version: VERSION,
            bump: 255,
            kind,
            status: ActionStatus::Announced,
            security: Pubkey::default(),
            event_hash: [1; 32],
            action_version: 1,
            replaces: Pubkey::default(),
            terms: terms(kind),
            announcer: Pubkey::new_from_array([1; 32]),
            approver: Pubkey::default(),
            announced_at: NOW,
            approved_at: 0,
            status_at: NOW,
            multiplier_before: 0,
            multiplier_after: 0,
            distributions: 0,
            reserved: [0; 64],
        }
    }

    fn second_key() -> Pubkey {
        Pubkey::new_from_array([2; 32])
    }

    fn fits(kind: ActionKind, change: impl Fn(&mut ActionTerms)) -> bool {
        let mut changed = terms(kind);
        change(&mut changed);
        changed.require_fit(kind, &policy(), NOW).is_ok()
    }

    #[test]
    fn every_kind_does_exactly_one_thing() {
        for kind in KINDS {
            let does = [kind.changes_multiplier(), kind.pays_cash(), kind.retires()];
            assert_eq!(does.iter().filter(|each| **each).count(), 1, "{kind:?}");
            assert!(fits(kind, |_| ()), "{kind:?}");
        }
    }

    #[test]
    fn terms_of_one_kind_are_not_those_of_another() {
        for kind in KINDS {
            assert!(!fits(kind, |terms| terms.evidence_hash = [0; 32]));
            assert!(!fits(kind, |terms| terms.withholding = 10_001));
            assert!(!fits(kind, |terms| terms.ex_at = -1));
            assert!(!fits(kind, |terms| (terms.numerator, terms.denominator) = (1, 0)));
            if kind.pays_cash() {
                assert!(!fits(kind, |terms| terms.gross_per_share = 0));
                assert!(!fits(kind, |terms| terms.currency = *b"usd"));
                assert!(!fits(kind, |terms| terms.record_at = 0));
                assert!(!fits(kind, |terms| terms.record_at = 2));
            } else {
                assert!(!fits(kind, |terms| terms.gross_per_share = 1));
                assert!(!fits(kind, |terms| terms.currency = *b"USD"));
                assert!(!fits(kind, |terms| terms.effective_at = NOW + DAY - 1));
                assert!(!fits(kind, |terms| terms.effective_at = i64::MIN));
            }
        }
    }

    #[test]
    fn a_ratio_goes_the_way_of_its_kind() {
        let fit = |kind, new, old| fits(kind, |terms| (terms.numerator, terms.denominator) = (new, old));
        for kind in [ActionKind::ForwardSplit, ActionKind::StockDividend] {
            assert!(fit(kind, 21, 20) && !fit(kind, 1, 1) && !fit(kind, 20, 21));
        }
        assert!(fit(ActionKind::ReverseSplit, 20, 21));
        assert!(!fit(ActionKind::ReverseSplit, 1, 1) && !fit(ActionKind::ReverseSplit, 0, 1));
        assert!(fit(ActionKind::ReinvestedDividend, 1, 1));
        assert!(!fit(ActionKind::ReinvestedDividend, 20, 21));
    }

    #[test]
    fn the_bound_is_a_ratio_up_and_down() {
        let mut split = terms(ActionKind::ReverseSplit);
        (split.numerator, split.denominator) = (1, 500);
        assert!(split.require_within_bound(&policy()).is_err());
        let mut wide = policy();
        wide.max_change_numerator = 500;
        assert!(split.require_within_bound(&wide).is_ok());
        (split.numerator, split.denominator) = (500, 1);
        assert!(split.require_within_bound(&wide).is_ok());
        (split.numerator, split.denominator) = (501, 1);
        assert!(split.require_within_bound(&wide).is_err());
        (split.numerator, split.denominator) = (u64::MAX, u64::MAX - 1);
        assert!(split.require_within_bound(&wide).is_ok());
    }

    #[test]
    fn a_second_key_approves_once() {
        let mut action = action(ActionKind::ForwardSplit);
        assert!(action.approve(action.announcer, NOW).is_err());
        action.approve(second_key(), NOW).unwrap();
        assert!(action.approve(second_key(), NOW).is_err());
        assert!(action.invariant().is_ok());
    }

    #[test]
    fn what_took_effect_is_not_cancelled() {
        let mut executed = action(ActionKind::ForwardSplit);
        executed.approve(second_key(), NOW).unwrap();
        executed.execute(NOW).unwrap();
        assert!(executed.clone().cancel(NOW + DAY - 1).unwrap());
        assert!(executed.cancel(NOW + DAY).is_err());
        let mut retired = action(ActionKind::Delisting);
        retired.status = ActionStatus::Executed;
        assert!(retired.cancel(NOW).is_err());
        let mut announced = action(ActionKind::CashDividend);
        assert!(!announced.cancel(NOW + 2 * DAY).unwrap());
        assert!(announced.cancel(NOW).is_err());
    }

    #[test]
    fn only_the_next_version_of_the_event_replaces_what_was_not_executed() {
        let mut first = action(ActionKind::ForwardSplit);
        assert!(first.replace(&[2; 32], 2, NOW).is_err());
        assert!(first.replace(&[1; 32], 1, NOW).is_err());
        assert!(first.replace(&[1; 32], 3, NOW).is_err());
        first.clone().replace(&[1; 32], 2, NOW).unwrap();
        for status in [ActionStatus::Executed, ActionStatus::Replaced] {
            first.status = status;
            assert!(first.replace(&[1; 32], 2, NOW).is_err());
        }
        first.status = ActionStatus::Cancelled;
        assert!(first.replace(&[1; 32], 2, NOW).is_ok());
        first.status = ActionStatus::Announced;
        first.action_version = u16::MAX;
        assert!(first.replace(&[1; 32], 0, NOW).is_err());
    }

    #[test]
    fn an_invariant_that_is_broken_is_found() {
        let sound = action(ActionKind::ForwardSplit);
        assert!(sound.invariant().is_ok());
        for broken in [
            CorporateAction {
                action_version: 0,
                ..sound
            },
            CorporateAction {
                action_version: 2,
                ..sound
            },
            CorporateAction {
                event_hash: [0; 32],
                ..sound
            },
            CorporateAction {
                status: ActionStatus::Approved,
                ..sound
            },
            CorporateAction {
                approver: second_key(),
                ..sound
            },
            CorporateAction {
                multiplier_after: 1,
                ..sound
            },
            CorporateAction {
                distributions: 1,
                ..sound
            },
        ] {
            assert!(broken.invariant().is_err(), "{broken:?}");
        }
    }
}
