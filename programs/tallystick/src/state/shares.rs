//! Raw token units and shares, joined by the multiplier; every rounding has its direction in its name.

use anchor_lang::prelude::*;

use crate::{
    constants::MULTIPLIER_ONE,
    errors::{require, TallystickError},
};

/// Shares x 10^decimals of `raw` token units, rounded up: what is owed.
pub fn shares_rounded_up(raw: u64, multiplier: u128) -> Result<u64> {
    scaled(raw, multiplier, true)
}

/// Shares x 10^decimals of `raw` token units, rounded down: what a claimant gets.
pub fn shares_rounded_down(raw: u64, multiplier: u128) -> Result<u64> {
    scaled(raw, multiplier, false)
}

fn scaled(raw: u64, multiplier: u128, up: bool) -> Result<u64> {
    if multiplier == MULTIPLIER_ONE {
        return Ok(raw);
    }
    // Whole and fractional parts apart, so that nothing leaves 128 bits: raw < 2^64, fraction < 2^60.
    let (whole, fraction) = (multiplier / MULTIPLIER_ONE, multiplier % MULTIPLIER_ONE);
    let part = u128::from(raw) * fraction;
    let carry = u128::from(up && part % MULTIPLIER_ONE != 0);
    u128::from(raw)
        .checked_mul(whole)
        .and_then(|shares| shares.checked_add(part / MULTIPLIER_ONE + carry))
        .and_then(|shares| u64::try_from(shares).ok())
        .ok_or_else(|| TallystickError::Overflow.into())
}

/// Raw token units for `shares` x 10^decimals, rounded down.
pub fn raw_rounded_down(shares: u64, multiplier: u128) -> Result<u64> {
    if multiplier == MULTIPLIER_ONE {
        return Ok(shares);
    }
    require!(multiplier > 0, TallystickError::InvariantBroken);
    u64::try_from(u128::from(shares) * MULTIPLIER_ONE / multiplier)
        .map_err(|_| TallystickError::Overflow.into())
}

/// `multiplier` times `numerator` over `denominator`, rounded down; None where that is no multiplier.
pub fn changed_multiplier(multiplier: u128, numerator: u64, denominator: u64) -> Option<u128> {
    let (new, old) = (u128::from(numerator), u128::from(denominator));
    // Quotient and remainder apart, which loses nothing: remainder < old < 2^64, so the second product fits.
    let whole = multiplier.checked_div(old)?.checked_mul(new)?;
    whole
        .checked_add(multiplier % old * new / old)
        .filter(|changed| *changed > 0)
}

/// IEEE 754 bits of the greatest double not above `multiplier` / 10^18, which is what Token-2022 shows amounts by.
/// Integers only; `multiplier` is above zero.
pub fn double_bits(multiplier: u128) -> u64 {
    // Shifted to 113 bits, so that the quotient by the 60 bits of 10^18 has 53 or 54. Floors of floors are exact.
    let shift = multiplier.leading_zeros() as i32 - 15;
    let shifted = if shift < 0 {
        multiplier >> -shift
    } else {
        multiplier << shift
    };
    let quotient = (shifted / MULTIPLIER_ONE) as u64;
    let excess = (quotient >> 53) as i32;
    // The mantissa's leading bit is added into the exponent.
    (((1_074 - shift + excess) as u64) << 52) + (quotient >> excess)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of numbers that client/tallystick/domain/amounts.py is tested with too.
    fn vectors(text: &str) -> impl Iterator<Item = Vec<u128>> + '_ {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect())
    }

    #[test]
    fn a_double_is_the_greatest_not_above_the_multiplier() {
        let text = include_str!("../../../../tests/vectors/multiplier_doubles.txt");
        for line in vectors(text) {
            let [multiplier, bits] = line[..] else {
                panic!("{line:?}")
            };
            assert_eq!(u128::from(double_bits(multiplier)), bits, "{multiplier}");
        }
        assert_eq!(f64::from_bits(double_bits(MULTIPLIER_ONE)), 1.0);
    }

    #[test]
    fn a_multiplier_changes_by_a_ratio_rounded_down() {
        let text = include_str!("../../../../tests/vectors/multiplier_changes.txt");
        for line in vectors(text) {
            let [multiplier, new, old, changed] = line[..] else {
                panic!("{line:?}")
            };
            let found = changed_multiplier(multiplier, new as u64, old as u64);
            assert_eq!(found.unwrap_or(0), changed, "{line:?}");
        }
        assert_eq!(changed_multiplier(MULTIPLIER_ONE, 1, 0), None);
    }

    #[test]
    fn rounding_never_favours_the_claimant() {
        let third = MULTIPLIER_ONE / 3;
        assert_eq!(shares_rounded_up(10, third).unwrap(), 4);
        assert_eq!(shares_rounded_down(10, third).unwrap(), 3);
        assert_eq!(raw_rounded_down(10, MULTIPLIER_ONE * 3).unwrap(), 3);
        for (shares, multiplier) in [
            (7u64, third),
            (1_000_003, MULTIPLIER_ONE * 7 / 3),
            (1, MULTIPLIER_ONE),
        ] {
            let raw = raw_rounded_down(shares, multiplier).unwrap();
            assert!(shares_rounded_up(raw, multiplier).unwrap() <= shares);
        }
    }

    #[test]
    fn arithmetic_that_leaves_64_bits_is_refused() {
        assert!(shares_rounded_up(u64::MAX, MULTIPLIER_ONE * 2).is_err());
        assert!(shares_rounded_up(u64::MAX, u128::MAX).is_err());
        assert!(raw_rounded_down(u64::MAX, 1).is_err());
        assert_eq!(shares_rounded_up(u64::MAX, MULTIPLIER_ONE).unwrap(), u64::MAX);
    }
}
