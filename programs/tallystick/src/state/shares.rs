//! Raw token units and shares, joined by the multiplier; every rounding has its direction in its name.

use anchor_lang::prelude::*;

use crate::{constants::MULTIPLIER_ONE, errors::TallystickError};

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

#[cfg(test)]
mod tests {
    use super::*;

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
