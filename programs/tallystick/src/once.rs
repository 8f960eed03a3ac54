//! Accounts whose existence is the guard against doing something twice: each has one address and is made there once.
//!
//! Anchor's `init` does the same with `find_program_address`, at 1,500 compute units for each bump it tries, however
//! many that is. Settlements make two such accounts, so they find the address with the two system calls that is
//! made of, at about 250 a try, and read and write the accounts here.

use anchor_lang::{prelude::*, system_program};

use crate::{
    errors::{require, TallystickError},
    state::{InPlace, Plain},
};

/// An account at the address that its seeds give, made or not.
pub struct Slot<'a, 'info> {
    info: &'a AccountInfo<'info>,
    seeds: [&'a [u8]; 3],
    bump: u8,
}

impl<'a, 'info> Slot<'a, 'info> {
    /// Refuses an account that is not at the canonical address of `seeds`.
    pub fn at(info: &'a AccountInfo<'info>, seeds: [&'a [u8]; 3]) -> Result<Self> {
        let (address, bump) = canonical_address(seeds)?;
        require_keys_eq!(*info.key, address, ErrorCode::ConstraintSeeds);
        Ok(Self { info, seeds, bump })
    }

    pub fn bump(&self) -> u8 {
        self.bump
    }

    /// The content, if somebody has made the account.
    pub fn read<T: Plain>(&self) -> Result<Option<InPlace<T>>> {
        if *self.info.owner == system_program::ID {
            return Ok(None);
        }
        require_keys_eq!(*self.info.owner, crate::ID, ErrorCode::AccountOwnedByWrongProgram);
        InPlace::try_deserialize(&mut &self.info.try_borrow_data()?[..]).map(Some)
    }

    /// Makes the account with `content`; lamports that somebody sent to its address beforehand do not stop that.
    pub fn make<T: Plain + Space>(&self, payer: &AccountInfo<'info>, content: T) -> Result<InPlace<T>> {
        self.create(payer, 8 + T::INIT_SPACE)?;
        self.info.try_borrow_mut_data()?[..8].copy_from_slice(T::DISCRIMINATOR);
        let mut made = InPlace::<T>::try_deserialize(&mut &self.info.try_borrow_data()?[..])?;
        made.write(content);
        Ok(made)
    }

    /// Refuses where the account was made before.
    pub fn require_unmade(&self) -> Result<()> {
        require!(
            *self.info.owner == system_program::ID,
            TallystickError::FillExists
        );
        Ok(())
    }

    fn create(&self, payer: &AccountInfo<'info>, space: usize) -> Result<()> {
        self.require_unmade()?;
        let rent = Rent::get()?.minimum_balance(space);
        let bump = [self.bump];
        let [first, second, third] = self.seeds;
        let signer: &[&[&[u8]]] = &[&[first, second, third, &bump]];
        let there = self.info.lamports();
        if there == 0 {
            let accounts = system_program::CreateAccount {
                from: payer.clone(),
                to: self.info.clone(),
            };
            let context = CpiContext::new_with_signer(system_program::ID, accounts, signer);
            return system_program::create_account(context, rent, space as u64, &crate::ID);
        }
        if there < rent {
            let accounts = system_program::Transfer {
                from: payer.clone(),
                to: self.info.clone(),
            };
            system_program::transfer(CpiContext::new(system_program::ID, accounts), rent - there)?;
        }
        let accounts = system_program::Allocate {
            account_to_allocate: self.info.clone(),
        };
        system_program::allocate(
            CpiContext::new_with_signer(system_program::ID, accounts, signer),
            space as u64,
        )?;
        let accounts = system_program::Assign {
            account_to_assign: self.info.clone(),
        };
        system_program::assign(
            CpiContext::new_with_signer(system_program::ID, accounts, signer),
            &crate::ID,
        )
    }
}

/// The address that `find_program_address` gives: the first off the curve, bumps tried from 255 down. A bump from
/// the caller would not do: it could give one movement two addresses, and so two mints.
#[cfg(target_os = "solana")]
fn canonical_address(seeds: [&[u8]; 3]) -> Result<(Pubkey, u8)> {
    use solana_define_syscall::definitions::sol_curve_validate_point;
    use solana_sha256_hasher::hashv;

    const EDWARDS: u64 = 0;
    let [first, second, third] = seeds;
    for bump in (0..=u8::MAX).rev() {
        let hash = hashv(&[
            first,
            second,
            third,
            &[bump],
            crate::ID.as_ref(),
            b"ProgramDerivedAddress",
        ]);
        // SAFETY: 32 readable bytes; the result pointer is not used for a validation.
        let is_off_curve =
            unsafe { sol_curve_validate_point(EDWARDS, hash.as_ref().as_ptr(), core::ptr::null_mut()) } != 0;
        if is_off_curve {
            return Ok((Pubkey::new_from_array(hash.to_bytes()), bump));
        }
    }
    err!(ErrorCode::ConstraintSeeds)
}

#[cfg(not(target_os = "solana"))]
fn canonical_address(seeds: [&[u8]; 3]) -> Result<(Pubkey, u8)> {
    Ok(Pubkey::find_program_address(&seeds, &crate::ID))
}
