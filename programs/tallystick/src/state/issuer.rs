use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use crate::{constants::*, errors::TallystickError};

/// The legal entity that issues: who administers it, and how long its changes wait.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Issuer {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// SHA-256("tallystick:issuer", first admin, nonce): nobody else can take this address.
    pub issuer_id: [u8; 32],
    /// Grants and revokes roles, lists securities and sets policy; holds no exclusive role.
    pub admin: Pubkey,
    /// Proposed next admin, or the default key.
    pub pending_admin: Pubkey,
    /// Unix seconds from which the pending admin may accept; 0 when none is pending.
    pub pending_admin_from: i64,
    /// Seconds that grants, loosened policies and admin moves wait, open to the guardian's veto.
    pub delay: i64,
    /// Raised by every grant, revocation and veto of an attestor; approvals count within one epoch only.
    pub attestor_epoch: u32,
    /// Securities listed so far.
    pub securities: u32,
    /// UTF-8, zero padded.
    pub name: [u8; 64],
    /// Legal entity identifier, ISO 17442.
    pub lei: [u8; 20],
    /// Zeros, for fields of later versions.
    pub reserved: [u8; 128],
}

impl Issuer {
    /// The id of an issuer, bound to its first admin's key.
    pub fn id(admin: &Pubkey, nonce: u64) -> [u8; 32] {
        hashv(&[b"tallystick:issuer", admin.as_ref(), &nonce.to_le_bytes()]).to_bytes()
    }

    pub fn invariant(&self) -> Result<()> {
        require!(self.admin != Pubkey::default(), TallystickError::DefaultKey);
        require!(
            (MIN_PERIOD..=MAX_DELAY).contains(&self.delay),
            TallystickError::PeriodOutOfBounds
        );
        require!(
            (self.pending_admin == Pubkey::default()) == (self.pending_admin_from == 0)
                && self.pending_admin != self.admin,
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

/// Check digits of an LEI: ISO 17442, ISO 7064 mod 97-10.
pub fn is_lei(lei: &[u8; 20]) -> bool {
    let mut remainder: u32 = 0;
    for (index, byte) in lei.iter().enumerate() {
        let digit = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'Z' if index < 18 => u32::from(byte - b'A') + 10,
            _ => return false,
        };
        remainder = (remainder * if digit > 9 { 100 } else { 10 } + digit) % 97;
    }
    remainder == 1
}

/// Text as this program stores it: UTF-8 without control characters, zero padded on the right, not empty.
pub fn is_text(bytes: &[u8]) -> bool {
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, padding) = bytes.split_at(length);
    length > 0
        && padding.iter().all(|byte| *byte == 0)
        && core::str::from_utf8(text).is_ok_and(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        Issuer {
            version: VERSION,
            bump: 255,
            issuer_id: [1; 32],
            admin: Pubkey::new_from_array([2; 32]),
            pending_admin: Pubkey::default(),
            pending_admin_from: 0,
            delay: DAY,
            attestor_epoch: 0,
            securities: 0,
            name: [0; 64],
            lei: [0; 20],
            reserved: [0; 128],
        }
    }

    #[test]
    fn the_id_depends_on_the_admin_and_the_nonce() {
        let admin = Pubkey::new_from_array([7; 32]);
        assert_ne!(Issuer::id(&admin, 0), Issuer::id(&admin, 1));
        assert_ne!(Issuer::id(&admin, 0), Issuer::id(&Pubkey::default(), 0));
    }

    #[test]
    fn a_delay_of_zero_breaks_the_invariant() {
        assert!(issuer().invariant().is_ok());
        assert!(Issuer { delay: 0, ..issuer() }.invariant().is_err());
        assert!(Issuer {
            delay: MAX_DELAY + 1,
            ..issuer()
        }
        .invariant()
        .is_err());
    }

    #[test]
    fn a_pending_admin_needs_a_time() {
        let pending = Pubkey::new_from_array([3; 32]);
        assert!(Issuer {
            pending_admin: pending,
            ..issuer()
        }
        .invariant()
        .is_err());
        assert!(Issuer {
            pending_admin: pending,
            pending_admin_from: 9,
            ..issuer()
        }
        .invariant()
        .is_ok());
    }

    #[test]
    fn an_lei_needs_its_check_digits() {
        assert!(is_lei(b"HWUPKR0MPOU8FGXBT394"));
        assert!(!is_lei(b"HWUPKR0MPOU8FGXBT395"));
        assert!(!is_lei(b"hwupkr0mpou8fgxbt394"));
        assert!(!is_lei(b"HWUPKR0MPOU8FGXBT3A4"));
    }

    #[test]
    fn text_is_padded_on_the_right_only() {
        assert!(is_text(b"Example\0\0"));
        assert!(!is_text(b"\0Example"));
        assert!(!is_text(b"Exa\0mple"));
        assert!(!is_text(b"Exa\nmple"));
        assert!(!is_text(&[0; 4]));
        assert!(!is_text(&[0xff, 0xfe, 0]));
    }
}
