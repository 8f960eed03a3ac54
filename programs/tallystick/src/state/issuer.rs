use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use crate::{constants::*, errors::TallystickError, state::in_place};

in_place! {
    /// The legal entity that issues: who administers it, and how long its changes wait.
    account pub struct Issuer {
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
}

/// A change that waits for the delay or a notice, open to the guardian's veto.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VetoSubject {
    /// The proposed admin.
    Admin,
    /// A role that was granted and is not in force yet, or a guardian's removal.
    Role,
    /// An operator's limit.
    Limit,
    /// A security's policy and custody accounts.
    Policy,
    /// Where seizures move tokens to.
    SeizureAccount,
    /// A security's announced metadata.
    Metadata,
}

impl Issuer {
    /// The id of an issuer, bound to its first admin's key.
    pub fn id(admin: &Pubkey, nonce: u64) -> [u8; 32] {
        hashv(&[b"tallystick:issuer", admin.as_ref(), &nonce.to_le_bytes()]).to_bytes()
    }

    pub fn invariant(&self) -> Result<()> {
        require!(self.admin != Pubkey::default(), TallystickError::DefaultKey);
        require!(
            (MIN_PERIOD..=MAX_DELAY).contains(&{ self.delay }),
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
}
