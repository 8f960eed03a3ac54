use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::in_place,
};

in_place! {
    /// What the issuer promised for one security. Loosening it later waits and can be vetoed.
    plain pub struct Policy {
        /// Distinct attestors whose approval puts a reserve in force.
        pub threshold: u8,
        /// Basis points of the reserve that never back tokens.
        pub margin: u16,
        /// Seconds from a statement's as-of in which it may back a mint.
        pub max_attestation_age: i64,
        /// Raw units that may exist.
        pub supply_cap: u64,
        /// Seconds the operator has to accept a redemption.
        pub accept_period: i64,
        /// Seconds the operator has, from acceptance, to settle a redemption.
        pub settle_period: i64,
        /// Seconds between a corporate action's announcement and its effect.
        pub notice: i64,
        /// Seconds before a multiplier change in which nothing is minted.
        pub change_window: i64,
        /// Largest multiplier change, up or down, as a ratio.
        pub max_change_numerator: u64,
        /// Denominator of that ratio.
        pub max_change_denominator: u64,
        /// Permission classes that may order.
        pub allowed_classes: u64,
    }
}

impl Policy {
    /// Zeros, where no policy waits.
    pub const NONE: Self = Self {
        threshold: 0,
        margin: 0,
        max_attestation_age: 0,
        supply_cap: 0,
        accept_period: 0,
        settle_period: 0,
        notice: 0,
        change_window: 0,
        max_change_numerator: 0,
        max_change_denominator: 0,
        allowed_classes: 0,
    };

    /// Every setting is inside its compiled floor and ceiling; a missing one is outside.
    pub fn require_within_bounds(&self) -> Result<()> {
        require!(
            (MIN_THRESHOLD..=MAX_ATTESTORS).contains(&self.threshold),
            TallystickError::ThresholdOutOfBounds
        );
        require!(self.margin <= MAX_MARGIN, TallystickError::MarginOutOfBounds);
        require!(self.supply_cap > 0, TallystickError::SupplyCapMissing);
        for (period, longest) in [
            (self.max_attestation_age, MAX_ATTESTATION_AGE),
            (self.accept_period, MAX_REDEMPTION_PERIOD),
            (self.settle_period, MAX_REDEMPTION_PERIOD),
            (self.notice, MAX_NOTICE),
            (self.change_window, MAX_CHANGE_WINDOW),
        ] {
            require!(
                (MIN_PERIOD..=longest).contains(&period),
                TallystickError::PeriodOutOfBounds
            );
        }
        require!(
            self.max_change_denominator > 0 && self.max_change_numerator >= self.max_change_denominator,
            TallystickError::ChangeBoundOutOfBounds
        );
        require!(self.allowed_classes != 0, TallystickError::NoPermissionClass);
        Ok(())
    }

    /// Whether no setting is looser than in `other`: every promise to the holders is kept.
    pub fn is_no_looser_than(&self, other: &Self) -> bool {
        // Ratios compared across: a numerator times a denominator is below 2^128.
        let product = |numerator: u64, denominator: u64| u128::from(numerator) * u128::from(denominator);
        self.threshold >= other.threshold
            && self.margin >= other.margin
            && self.max_attestation_age <= other.max_attestation_age
            && self.supply_cap <= other.supply_cap
            && self.accept_period <= other.accept_period
            && self.settle_period <= other.settle_period
            && self.notice >= other.notice
            && self.change_window >= other.change_window
            && product(self.max_change_numerator, other.max_change_denominator)
                <= product(other.max_change_numerator, self.max_change_denominator)
            && self.allowed_classes & !other.allowed_classes == 0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn policy() -> Policy {
        Policy {
            threshold: 2,
            margin: 0,
            max_attestation_age: DAY,
            supply_cap: 1_000_000,
            accept_period: DAY,
            settle_period: DAY,
            notice: DAY,
            change_window: HOUR,
            max_change_numerator: 10,
            max_change_denominator: 1,
            allowed_classes: 1,
        }
    }

    #[test]
    fn tightening_is_tightening_in_every_field() {
        let policy = policy();
        assert!(policy.is_no_looser_than(&policy));
        for (tighter, looser) in [
            (
                Policy {
                    threshold: 3,
                    ..policy
                },
                policy,
            ),
            (Policy { margin: 1, ..policy }, policy),
            (
                Policy {
                    max_attestation_age: DAY - 1,
                    ..policy
                },
                policy,
            ),
            (
                Policy {
                    supply_cap: 999_999,
                    ..policy
                },
                policy,
            ),
            (
                Policy {
                    accept_period: DAY - 1,
                    ..policy
                },
                policy,
            ),
            (
                Policy {
                    settle_period: DAY - 1,
                    ..policy
                },
                policy,
            ),
            (
                Policy {
                    notice: DAY + 1,
                    ..policy
                },
                policy,
            ),
            (
                Policy {
                    change_window: HOUR + 1,
                    ..policy
                },
                policy,
            ),
            (
                Policy {
                    max_change_numerator: u64::MAX - 1,
                    max_change_denominator: u64::MAX / 10,
                    ..policy
                },
                Policy {
                    max_change_numerator: u64::MAX,
                    max_change_denominator: u64::MAX / 10,
                    ..policy
                },
            ),
            (
                policy,
                Policy {
                    allowed_classes: 0b11,
                    ..policy
                },
            ),
        ] {
            assert!(tighter.is_no_looser_than(&looser), "{tighter:?}");
            assert!(!looser.is_no_looser_than(&tighter), "{tighter:?}");
        }
    }

    #[test]
    fn an_equal_ratio_in_other_terms_is_no_looser() {
        let twenty_halves = Policy {
            max_change_numerator: 20,
            max_change_denominator: 2,
            ..policy()
        };
        assert!(twenty_halves.is_no_looser_than(&policy()));
        assert!(policy().is_no_looser_than(&twenty_halves));
    }

    #[test]
    fn one_loosened_setting_beside_tightened_ones_is_loosening() {
        let mixed = Policy {
            threshold: 8,
            margin: 5_000,
            supply_cap: 1_000_001,
            ..policy()
        };
        assert!(!mixed.is_no_looser_than(&policy()));
    }

    #[test]
    fn every_setting_outside_its_bounds_is_refused() {
        assert!(policy().require_within_bounds().is_ok());
        for broken in [
            Policy {
                threshold: 1,
                ..policy()
            },
            Policy {
                threshold: MAX_ATTESTORS + 1,
                ..policy()
            },
            Policy {
                margin: MAX_MARGIN + 1,
                ..policy()
            },
            Policy {
                max_attestation_age: 0,
                ..policy()
            },
            Policy {
                max_attestation_age: MAX_ATTESTATION_AGE + 1,
                ..policy()
            },
            Policy {
                supply_cap: 0,
                ..policy()
            },
            Policy {
                accept_period: 0,
                ..policy()
            },
            Policy {
                settle_period: MAX_REDEMPTION_PERIOD + 1,
                ..policy()
            },
            Policy {
                notice: 0,
                ..policy()
            },
            Policy {
                change_window: 0,
                ..policy()
            },
            Policy {
                max_change_denominator: 0,
                ..policy()
            },
            Policy {
                max_change_numerator: 0,
                ..policy()
            },
            Policy {
                allowed_classes: 0,
                ..policy()
            },
        ] {
            assert!(broken.require_within_bounds().is_err(), "{broken:?}");
        }
    }
}
