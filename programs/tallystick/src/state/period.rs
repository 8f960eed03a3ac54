//! Months and days as reports name them: a period is YYYYMM as a number, a day is counted from 1970-01-01, both in UTC.

use anchor_lang::prelude::*;

use crate::{
    constants::{DAY, MAX_YEAR, MIN_YEAR},
    errors::{require, TallystickError},
};

/// The first day of a period.
pub fn first_day(period: u32) -> Result<u32> {
    let (year, month) = (period / 100, period % 100);
    require!(
        (MIN_YEAR..=MAX_YEAR).contains(&year) && (1..=12).contains(&month),
        TallystickError::NoPeriod
    );
    // Years begin in March here, so that the day a leap year adds is its last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let day_of_year = (153 * month + 2) / 5;
    let leap_days = year / 4 - year / 100 + year / 400;
    // Days from 0000-03-01 to 1970-01-01.
    Ok(365 * year + leap_days + day_of_year - 719_468)
}

/// The first day after a period.
pub fn day_after(period: u32) -> Result<u32> {
    first_day(period)?;
    first_day(if period % 100 == 12 {
        period + 89
    } else {
        period + 1
    })
}

/// How many days a period has.
pub fn days_in(period: u32) -> Result<u32> {
    Ok(day_after(period)? - first_day(period)?)
}

pub fn require_day_ended(day: u32, now: i64) -> Result<()> {
    require!((i64::from(day) + 1) * DAY <= now, TallystickError::DayNotEnded);
    Ok(())
}

pub fn require_period_ended(period: u32, now: i64) -> Result<()> {
    require!(
        i64::from(day_after(period)?) * DAY <= now,
        TallystickError::PeriodNotEnded
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// tests/unit/domain/test_report_anchors.py has the same.
    const PERIODS: [(u32, u32, u32); 9] = [
        (197_001, 0, 31),
        (197_002, 31, 28),
        (200_002, 10_988, 29),
        (202_402, 19_754, 29),
        (202_512, 20_423, 31),
        (202_601, 20_454, 31),
        (202_604, 20_544, 30),
        (210_002, 47_513, 28),
        (999_911, 2_932_836, 30),
    ];

    #[test]
    fn a_period_has_its_first_day_and_its_days() {
        for (period, first, days) in PERIODS {
            assert_eq!(first_day(period).unwrap(), first, "{period}");
            assert_eq!(days_in(period).unwrap(), days, "{period}");
        }
    }

    #[test]
    fn every_period_follows_the_one_before_without_a_gap() {
        let mut expected = 0;
        for year in MIN_YEAR..MAX_YEAR {
            for month in 1..=12 {
                let period = year * 100 + month;
                let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                let days = match month {
                    2 => 28 + u32::from(leap),
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                assert_eq!(first_day(period).unwrap(), expected, "{period}");
                assert_eq!(days_in(period).unwrap(), days, "{period}");
                expected += days;
            }
        }
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for period in [0, 196_912, 202_600, 202_613, 1_000_001, u32::MAX] {
            assert_eq!(first_day(period).unwrap_err(), TallystickError::NoPeriod.into());
        }
        // The last period there is has no day after it.
        assert!(day_after(999_912).is_err());
    }

    #[test]
    fn a_day_and_a_period_end_at_midnight() {
        assert!(require_day_ended(20_453, 20_454 * DAY - 1).is_err());
        assert!(require_day_ended(20_453, 20_454 * DAY).is_ok());
        assert!(require_day_ended(u32::MAX, i64::MAX).is_ok());
        assert!(require_period_ended(202_512, 20_454 * DAY - 1).is_err());
        assert!(require_period_ended(202_512, 20_454 * DAY).is_ok());
    }
}
