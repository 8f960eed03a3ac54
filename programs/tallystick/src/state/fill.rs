use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    state::in_place,
};

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FillKind {
    /// Shares came in and tokens were minted.
    Mint,
    /// Tokens were burnt and shares, or cash for them, went out.
    Burn,
    /// Inventory was burnt to undo part of a mint.
    Correction,
}

in_place! {
    /// The part of a movement that one order settled against. Never closed; a correction is a fill of its own.
    account pub struct Fill {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// What happened.
        pub kind: FillKind,
        /// The security.
        pub security: Pubkey,
        /// The movement it used.
        pub movement: Pubkey,
        /// The order it settled.
        pub order: Pubkey,
        /// Shares x 10^decimals.
        pub shares: u64,
        /// Raw token units minted or burnt.
        pub raw: u64,
        /// Multiplier at settlement, 18 places.
        pub multiplier: u128,
        /// Unix seconds.
        pub settled_at: i64,
        /// The fill that this one corrects, or the default key.
        pub corrects: Pubkey,
        /// Raw units of this fill that corrections have undone.
        pub corrected_raw: u64,
        /// Corrections so far; the next one's address has this number.
        pub corrections: u16,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Fill {
    /// Undoes `raw` units of a mint.
    pub fn correct(&mut self, raw: u64) -> Result<()> {
        let corrected = self
            .corrected_raw
            .checked_add(raw)
            .ok_or(TallystickError::CorrectionExceeded)?;
        require!(corrected <= self.raw, TallystickError::CorrectionExceeded);
        self.corrected_raw = corrected;
        self.corrections = self.corrections.checked_add(1).ok_or(TallystickError::Overflow)?;
        self.invariant()
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            self.raw > 0
                && self.corrected_raw <= self.raw
                && (self.kind == FillKind::Correction) == (self.corrects != Pubkey::default()),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_never_exceed_their_fill() {
        let mut fill = Fill {
            version: 1,
            bump: 255,
            kind: FillKind::Mint,
            security: Pubkey::default(),
            movement: Pubkey::default(),
            order: Pubkey::default(),
            shares: 10,
            raw: 10,
            multiplier: 1,
            settled_at: 0,
            corrects: Pubkey::default(),
            corrected_raw: 0,
            corrections: 0,
            reserved: [0; 64],
        };
        fill.correct(4).unwrap();
        fill.correct(6).unwrap();
        assert_eq!({ fill.corrections }, 2);
        assert_eq!(
            fill.correct(1).unwrap_err(),
            TallystickError::CorrectionExceeded.into()
        );
    }
}
