//! Accounts read and written where they lie.
//!
//! Anchor's `Account` copies an account out on entry and back on exit, field by field: two thirds of this program's
//! compute and bytes went into that (docs/decisions/0021). `Account<InPlace<T>>` keeps Anchor's checks of owner and
//! discriminator, and holds the address of the content instead of a copy of it. The layout is Borsh's, as the IDL says:
//! `T` is packed and has fields of fixed size only.
//!
//! `dup`, beside every `mut`, leaves out Anchor's check that no account is passed twice. It is there because the later copy
//! would be written back over the earlier; here are no copies. Two places of one instruction never take one account: their
//! types, owners or addresses differ, which tests/program/test_attacks.py tries for every pair.

use core::{
    fmt,
    mem::size_of,
    ops::{Deref, DerefMut},
    ptr::NonNull,
};

use anchor_lang::{prelude::*, Discriminator};

/// A type whose bytes in memory are its Borsh bytes.
///
/// # Safety
/// `repr(C, packed)`, every field of fixed size, and no bytes in an account of this program but those that a value of
/// the type was written as. All zeros must be a value too: a new account starts with them.
pub unsafe trait Plain: Copy + Owner + Discriminator {}

/// The content of an account, where it lies.
pub struct InPlace<T: Plain>(NonNull<T>);

impl<T: Plain> InPlace<T> {
    /// Writes the whole content.
    pub fn write(&mut self, content: T) {
        **self = content;
    }

    /// The content of data that is owned by this program and long enough; the discriminator is not looked at.
    fn over(data: &[u8]) -> Result<Self> {
        let content = data
            .get(T::DISCRIMINATOR.len()..)
            .filter(|content| content.len() >= size_of::<T>())
            .ok_or(ErrorCode::AccountDidNotDeserialize)?;
        Ok(Self(NonNull::from(content).cast()))
    }
}

// SAFETY of both: the runtime keeps an account's data at one address for the whole instruction; `T` is packed, so any
// address is aligned; one thread, and nothing holds a reference to the content across a call that could write it.
impl<T: Plain> Deref for InPlace<T> {
    type Target = T;

    fn deref(&self) -> &T {
        unsafe { self.0.as_ref() }
    }
}

impl<T: Plain> DerefMut for InPlace<T> {
    fn deref_mut(&mut self) -> &mut T {
        unsafe { self.0.as_mut() }
    }
}

impl<T: Plain> Clone for InPlace<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for InPlace<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: Plain> AccountDeserialize for InPlace<T> {
    fn try_deserialize(buf: &mut &[u8]) -> Result<Self> {
        require!(
            buf.len() >= T::DISCRIMINATOR.len(),
            ErrorCode::AccountDiscriminatorNotFound
        );
        require!(
            buf.starts_with(T::DISCRIMINATOR),
            ErrorCode::AccountDiscriminatorMismatch
        );
        Self::over(buf)
    }

    fn try_deserialize_unchecked(buf: &mut &[u8]) -> Result<Self> {
        Self::over(buf)
    }
}

/// Everything but the discriminator is there already.
impl<T: Plain> AccountSerialize for InPlace<T> {
    fn try_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<()> {
        writer
            .write_all(T::DISCRIMINATOR)
            .map_err(|_| ErrorCode::AccountDidNotSerialize.into())
    }
}

impl<T: Plain> Owner for InPlace<T> {
    fn owner() -> Pubkey {
        T::owner()
    }
}

impl<T: Plain> Discriminator for InPlace<T> {
    const DISCRIMINATOR: &'static [u8] = T::DISCRIMINATOR;
}

impl<T: Plain + Space> Space for InPlace<T> {
    const INIT_SPACE: usize = T::INIT_SPACE;
}

#[cfg(feature = "idl-build")]
impl<T: Plain + anchor_lang::IdlBuild> anchor_lang::IdlBuild for InPlace<T> {
    fn create_type() -> Option<anchor_lang::idl::types::IdlTypeDef> {
        T::create_type()
    }

    fn insert_types(types: &mut std::collections::BTreeMap<String, anchor_lang::idl::types::IdlTypeDef>) {
        T::insert_types(types)
    }

    fn get_full_path() -> String {
        T::get_full_path()
    }
}

/// Names for accounts of which a seed is a field. The IDL says whose field it is by the last segment of the type's path,
/// which of `InPlace<Fill>` would be no type's name.
pub mod placed {
    pub type Fill = super::InPlace<crate::state::Fill>;
    pub type Holder = super::InPlace<crate::state::Holder>;
    pub type Security = super::InPlace<crate::state::Security>;
}

/// Structs that lie in accounts. Each must be of fixed size; the discriminator of one that is an `account` is
/// Anchor's, of its name.
macro_rules! in_place {
    ($(#[$meta:meta])* account $visibility:vis struct $name:ident $fields:tt) => {
        in_place! { $(#[$meta])* $visibility struct $name $fields }

        const _: () = {
            mod named {
                use anchor_lang::prelude::*;
                #[account]
                pub struct $name {}
            }
            impl anchor_lang::Discriminator for $name {
                const DISCRIMINATOR: &'static [u8] = named::$name::DISCRIMINATOR;
            }
            impl Owner for $name {
                fn owner() -> Pubkey {
                    crate::ID
                }
            }
            // SAFETY: packed, and as long as its Borsh form; its enums have a variant 0, and only this program writes it.
            unsafe impl $crate::state::Plain for $name {}
        };
    };
    // A part of accounts, and of parameters and events too: all integers, so any bytes are a value.
    ($(#[$meta:meta])* plain $visibility:vis struct $name:ident $fields:tt) => {
        in_place! { $(#[$meta])* $visibility struct $name $fields }

        #[cfg(not(feature = "idl-build"))]
        impl AnchorSerialize for $name {
            fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
                // SAFETY: packed, so every byte is a field's.
                let bytes: &[u8; core::mem::size_of::<$name>()] = unsafe { &*core::ptr::from_ref(self).cast() };
                writer.write_all(bytes)
            }
        }

        #[cfg(not(feature = "idl-build"))]
        impl AnchorDeserialize for $name {
            fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
                let mut bytes = [0; core::mem::size_of::<$name>()];
                reader.read_exact(&mut bytes)?;
                // SAFETY: integers only, so any bytes are a value.
                Ok(unsafe { core::mem::transmute::<[u8; core::mem::size_of::<$name>()], $name>(bytes) })
            }
        }
    };
    ($(#[$meta:meta])* $visibility:vis struct $name:ident $fields:tt) => {
        $(#[$meta])*
        #[derive(InitSpace, Clone, Copy, Debug, PartialEq)]
        #[cfg_attr(feature = "idl-build", derive(AnchorSerialize, AnchorDeserialize))]
        #[cfg_attr(not(feature = "idl-build"), repr(C, packed))]
        $visibility struct $name $fields

        #[cfg(not(feature = "idl-build"))]
        const _: () = assert!(core::mem::size_of::<$name>() == $name::INIT_SPACE);
    };
}
pub(crate) use in_place;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Fill, FillKind, Movement};

    /// The fields of `Fill` as Borsh writes them.
    #[derive(AnchorSerialize)]
    struct Written {
        version: u8,
        bump: u8,
        kind: FillKind,
        security: Pubkey,
        movement: Pubkey,
        order: Pubkey,
        shares: u64,
        raw: u64,
        multiplier: u128,
        settled_at: i64,
        corrects: Pubkey,
        corrected_raw: u64,
        corrections: u16,
        reserved: [u8; 64],
    }

    fn key(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    fn fill() -> Fill {
        Fill {
            version: 1,
            bump: 254,
            kind: FillKind::Correction,
            security: key(1),
            movement: key(2),
            order: key(3),
            shares: 0x0102_0304_0506_0708,
            raw: u64::MAX - 1,
            multiplier: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10,
            settled_at: -5,
            corrects: key(4),
            corrected_raw: 6,
            corrections: 0x0708,
            reserved: [9; 64],
        }
    }

    fn borsh() -> Vec<u8> {
        let fill = fill();
        let mut bytes = Fill::DISCRIMINATOR.to_vec();
        let written = Written {
            version: fill.version,
            bump: fill.bump,
            kind: fill.kind,
            security: fill.security,
            movement: fill.movement,
            order: fill.order,
            shares: fill.shares,
            raw: fill.raw,
            multiplier: fill.multiplier,
            settled_at: fill.settled_at,
            corrects: fill.corrects,
            corrected_raw: fill.corrected_raw,
            corrections: fill.corrections,
            reserved: fill.reserved,
        };
        written.serialize(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn borsh_bytes_are_read_at_any_address() {
        let bytes = borsh();
        for offset in 0..16 {
            let buffer = [vec![0xff; offset], bytes.clone()].concat();
            let placed = InPlace::<Fill>::try_deserialize(&mut &buffer[offset..]).unwrap();
            assert_eq!(*placed, fill());
        }
    }

    #[test]
    fn what_is_written_lies_in_the_account_as_borsh() {
        let bytes = borsh();
        let room = 3;
        let mut data = vec![0; bytes.len() + room];
        data[..8].copy_from_slice(Fill::DISCRIMINATOR);
        let mut placed = InPlace::<Fill>::try_deserialize(&mut &data[..]).unwrap();
        placed.write(fill());
        assert_eq!(data, [bytes, vec![0; room]].concat());
    }

    #[test]
    fn one_field_changes_its_own_bytes_only() {
        let mut expected = borsh();
        let data = expected.clone();
        let mut placed = InPlace::<Fill>::try_deserialize(&mut &data[..]).unwrap();
        placed.version = 7;
        expected[8] = 7;
        assert_eq!(data, expected);
    }

    #[test]
    fn leaving_writes_the_discriminator_and_nothing_behind_it() {
        let mut data = borsh();
        let placed = InPlace::<Fill>::try_deserialize(&mut &data[..]).unwrap();
        let expected = data.clone();
        placed.try_serialize(&mut &mut data[..]).unwrap();
        assert_eq!(data, expected);
    }

    #[test]
    fn another_type_is_refused() {
        let bytes = borsh();
        assert_eq!(
            InPlace::<Movement>::try_deserialize(&mut &bytes[..]).unwrap_err(),
            ErrorCode::AccountDiscriminatorMismatch.into()
        );
    }

    #[test]
    fn what_is_too_short_is_refused() {
        let bytes = borsh();
        assert_eq!(
            InPlace::<Fill>::try_deserialize(&mut &bytes[..7]).unwrap_err(),
            ErrorCode::AccountDiscriminatorNotFound.into()
        );
        for end in [8, bytes.len() - 1] {
            assert_eq!(
                InPlace::<Fill>::try_deserialize(&mut &bytes[..end]).unwrap_err(),
                ErrorCode::AccountDidNotDeserialize.into()
            );
            assert!(InPlace::<Fill>::try_deserialize_unchecked(&mut &bytes[..end]).is_err());
        }
    }
}
