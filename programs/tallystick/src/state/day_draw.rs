use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use crate::{
    errors::{require, TallystickError},
    slot_hashes::Lookup,
    state::{days_in, in_place},
};

in_place! {
    /// The day of a period that the second look takes: requested first, drawn later from a slot's hash that nobody knew at
    /// the request. Never closed; a day that was drawn is final.
    account pub struct DayDraw {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The issuer.
        pub issuer: Pubkey,
        /// The period, YYYYMM as a number, UTC.
        pub period: u32,
        /// How often it was requested. More than once means that a target slot was let go by.
        pub attempts: u32,
        /// The first slot whose hash may decide.
        pub target_slot: u64,
        /// The publisher that requested it last.
        pub requested_by: Pubkey,
        /// Unix seconds of the last request.
        pub requested_at: i64,
        /// The issuer's running hash of closed days at the last request: no day of the period was closed after it.
        pub days_hash: [u8; 32],
        /// The slot that decided; 0 while nothing is drawn.
        pub drawn_slot: u64,
        /// Its hash; zeros while nothing is drawn.
        pub slot_hash: [u8; 32],
        /// The day of the month, from 1; 0 while nothing is drawn.
        pub drawn_day: u8,
        /// Unix seconds of the draw; 0 while nothing is drawn.
        pub drawn_at: i64,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl DayDraw {
    /// The day of the month that a slot's hash decides: the first eight bytes of SHA-256("tallystick:draw", issuer,
    /// period, slot hash), as a number, modulo the days of the month, plus one. That no day is likelier than another by
    /// more than 2^-59 is near enough to even.
    pub fn day(issuer: &Pubkey, period: u32, slot_hash: &[u8; 32]) -> Result<u8> {
        let hash = hashv(&[
            b"tallystick:draw",
            issuer.as_ref(),
            &period.to_le_bytes(),
            slot_hash,
        ])
        .to_bytes();
        let [a, b, c, d, e, f, g, h, ..] = hash;
        let number = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Ok((number % u64::from(days_in(period)?)) as u8 + 1)
    }

    pub fn require_undrawn(&self) -> Result<()> {
        require!(self.drawn_day == 0, TallystickError::DrawFinal);
        Ok(())
    }

    /// Draws from what the chain has at or after the target.
    pub fn draw(&mut self, found: Lookup, now: i64) -> Result<()> {
        self.require_undrawn()?;
        match found {
            Lookup::NotYet => err!(TallystickError::DrawTooEarly),
            Lookup::Gone => err!(TallystickError::DrawMissed),
            Lookup::Found(slot, hash) => {
                self.drawn_day = Self::day(&{ self.issuer }, self.period, &hash)?;
                self.drawn_slot = slot;
                self.slot_hash = hash;
                self.drawn_at = now;
                Ok(())
            }
        }
    }

    pub fn invariant(&self) -> Result<()> {
        let drawn = self.drawn_day > 0;
        require!(
            self.attempts > 0
                && u32::from(self.drawn_day) <= days_in(self.period)?
                && drawn == (self.drawn_at > 0)
                && drawn == (self.drawn_slot >= self.target_slot),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::VERSION;

    fn requested() -> DayDraw {
        DayDraw {
            version: VERSION,
            bump: 255,
            issuer: Pubkey::new_from_array([1; 32]),
            period: 202_602,
            attempts: 1,
            target_slot: 100,
            requested_by: Pubkey::new_from_array([2; 32]),
            requested_at: 1_000,
            days_hash: [3; 32],
            drawn_slot: 0,
            slot_hash: [0; 32],
            drawn_day: 0,
            drawn_at: 0,
            reserved: [0; 64],
        }
    }

    /// tests/unit/domain/test_report_anchors.py has the same.
    #[test]
    fn the_day_is_what_the_hash_says() {
        let issuer = Pubkey::new_from_array([1; 32]);
        for (period, byte, day) in VECTORS {
            assert_eq!(DayDraw::day(&issuer, period, &[byte; 32]).unwrap(), day);
        }
    }

    const VECTORS: [(u32, u8, u8); 4] = [
        (202_602, 0, 13),
        (202_602, 7, 11),
        (202_601, 7, 5),
        (202_402, 255, 13),
    ];

    #[test]
    fn every_day_of_the_month_is_drawn_about_as_often() {
        let issuer = Pubkey::new_from_array([1; 32]);
        let mut counts = [0_u32; 32];
        for number in 0..28_000_u32 {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.to_le_bytes());
            counts[usize::from(DayDraw::day(&issuer, 202_602, &hash).unwrap())] += 1;
        }
        assert_eq!(counts[0] + counts[29] + counts[30] + counts[31], 0);
        assert!(counts[1..=28].iter().all(|count| (850..1_150).contains(count)));
    }

    #[test]
    fn a_drawn_day_is_final() {
        let mut draw = requested();
        assert!(draw.invariant().is_ok());
        draw.draw(Lookup::Found(101, [9; 32]), 2_000).unwrap();
        assert!(draw.invariant().is_ok());
        assert_eq!(({ draw.drawn_slot }, { draw.drawn_at }), (101, 2_000));
        assert_eq!(
            draw.draw(Lookup::Found(102, [8; 32]), 2_001).unwrap_err(),
            TallystickError::DrawFinal.into()
        );
        assert_eq!({ draw.drawn_slot }, 101);
    }

    #[test]
    fn nothing_is_drawn_too_early_or_too_late() {
        for (found, error) in [
            (Lookup::NotYet, TallystickError::DrawTooEarly),
            (Lookup::Gone, TallystickError::DrawMissed),
        ] {
            assert_eq!(requested().draw(found, 2_000).unwrap_err(), error.into());
        }
    }

    #[test]
    fn a_slot_before_the_target_breaks_the_invariant() {
        let mut draw = requested();
        draw.draw(Lookup::Found(99, [9; 32]), 2_000).unwrap();
        assert!(draw.invariant().is_err());
        assert!(DayDraw {
            attempts: 0,
            ..requested()
        }
        .invariant()
        .is_err());
    }
}
