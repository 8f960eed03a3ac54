//! The token that a distribution pays: what is asked of its mint and of each recipient, and every call of its program,
//! which is SPL Token or Token-2022. (token.rs calls Token-2022 for the securities themselves.)

use core::mem::MaybeUninit;

use anchor_lang::{
    prelude::*,
    solana_program::{instruction::Instruction, program::invoke_signed},
};
use anchor_spl::{associated_token, token, token_2022};

use crate::{
    constants::*,
    errors::{require, TallystickError},
    runtime::{call, same, sha256, Account as Raw, Info, Meta, Seed},
    state::{Distribution, InPlace, ENTRY_LENGTH},
};

/// Token accounts begin: mint, owner, amount, delegate, state. Mints: authority, supply, decimals, initialized.
const MINT: usize = 0;
const OWNER: usize = 32;
const AMOUNT: usize = 64;
const STATE: usize = 108;
const ACCOUNT_LENGTH: usize = 165;
const MINT_AUTHORITY: usize = 4;
const DECIMALS: usize = 44;
const IS_INITIALIZED: usize = 45;
const MINT_LENGTH: usize = 82;
/// Behind the fields, in Token-2022: one byte that tells mints from accounts, and the extensions.
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;

const STATE_INITIALIZED: u8 = 1;
const STATE_FROZEN: u8 = 2;

/// Extension types of Token-2022 that can stop a plain transfer, or take a part of it.
mod extension {
    pub const TRANSFER_FEE_CONFIG: u16 = 1;
    pub const CONFIDENTIAL_TRANSFER_ACCOUNT: u16 = 5;
    pub const MEMO_TRANSFER: u16 = 8;
    pub const NON_TRANSFERABLE: u16 = 9;
    pub const TRANSFER_HOOK: u16 = 14;
}

/// In the fee extension: the older fee's epoch, maximum and basis points, and the newer one's.
const OLDER_BASIS_POINTS: usize = 72 + 16;
const NEWER_EPOCH: usize = 90;
const NEWER_BASIS_POINTS: usize = 90 + 16;
/// In the hook extension, behind its authority.
const HOOK_PROGRAM: usize = 32;
/// In a confidential account: whether it takes transfers that are not confidential.
const PLAIN_CREDITS: usize = 262;

pub fn is_token_program(program: &Pubkey) -> bool {
    *program == token::ID || *program == token_2022::ID
}

/// The extensions of an account or mint that is longer than one without; empty for others.
struct Extensions<'a>(&'a [u8]);

impl<'a> Extensions<'a> {
    fn of(data: &'a [u8]) -> Self {
        Self(data.get(ACCOUNT_LENGTH + 1..).unwrap_or_default())
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([head[2], head[3]])))?;
        self.0 = rest;
        (kind != 0).then_some((kind, value))
    }
}

fn word<const N: usize>(data: &[u8], offset: usize) -> Option<[u8; N]> {
    data.get(offset..)?.first_chunk().copied()
}

/// Refuses a mint whose tokens a plain transfer would not move whole: with a hook, a fee in force, or not transferable
/// at all. Its issuer can change the first two at any time, so this is asked at every payment. Gives its decimals.
pub fn require_plain_mint(program: &Pubkey, owner: &Pubkey, data: &[u8]) -> Result<u8> {
    let is_mint = same(owner, program)
        && data.get(IS_INITIALIZED) == Some(&1)
        && if *program == token_2022::ID {
            data.len() == MINT_LENGTH || data.get(ACCOUNT_LENGTH) == Some(&KIND_MINT)
        } else {
            data.len() == MINT_LENGTH
        };
    require!(
        is_mint && Extensions::of(data).all(|(kind, value)| is_plain(kind, value)),
        TallystickError::PaymentMintRefused
    );
    Ok(data[DECIMALS])
}

fn is_plain(kind: u16, value: &[u8]) -> bool {
    match kind {
        extension::NON_TRANSFERABLE => false,
        extension::TRANSFER_HOOK => word(value, HOOK_PROGRAM) == Some([0; 32]),
        extension::TRANSFER_FEE_CONFIG => {
            let (older, newer) = (
                word::<2>(value, OLDER_BASIS_POINTS),
                word::<2>(value, NEWER_BASIS_POINTS),
            );
            if older == Some([0; 2]) && newer == Some([0; 2]) {
                return true;
            }
            let (Some(epoch), Ok(clock)) = (word(value, NEWER_EPOCH), Clock::get()) else {
                return false;
            };
            let in_force = if clock.epoch >= u64::from_le_bytes(epoch) {
                newer
            } else {
                older
            };
            in_force == Some([0; 2])
        }
        _ => true,
    }
}

/// Refuses a mint of a security: its authority is the security's address, which only its mint gives.
pub fn require_no_security(mint: &AccountInfo) -> Result<()> {
    let (security, _) = Pubkey::find_program_address(&[SECURITY_SEED, mint.key.as_ref()], &crate::ID);
    require!(
        word(&mint.try_borrow_data()?, MINT_AUTHORITY) != Some(security.to_bytes()),
        TallystickError::PaymentMintIsSecurity
    );
    Ok(())
}

/// Whether the data is a token account of the mint, by the token program that owns it.
pub fn is_token_account(program: &Pubkey, data: &[u8], mint: &Pubkey) -> bool {
    has_account_length(*program == token_2022::ID, data) && word(data, MINT) == Some(mint.to_bytes())
}

fn has_account_length(is_token_2022: bool, data: &[u8]) -> bool {
    data.len() == ACCOUNT_LENGTH || is_token_2022 && data.get(ACCOUNT_LENGTH) == Some(&KIND_ACCOUNT)
}

/// The owner that a token account names.
pub fn owner(data: &[u8]) -> Option<Pubkey> {
    word(data, OWNER).map(Pubkey::new_from_array)
}

/// Raw units in a token account.
pub fn balance(account: &AccountInfo) -> Result<u64> {
    let amount = word(&account.try_borrow_data()?, AMOUNT).ok_or(TallystickError::WrongPaymentEscrow)?;
    Ok(u64::from_le_bytes(amount))
}

/// What a recipient has to be, and the text whose hash is its address.
pub struct Recipients<'a> {
    mint: &'a Pubkey,
    program: &'a Pubkey,
    escrow: &'a Pubkey,
    is_token_2022: bool,
    derivation: [u8; 32 + 32 + 32 + 1 + 32 + 21],
}

impl<'a> Recipients<'a> {
    #[inline(always)]
    pub fn new(mint: &'a Pubkey, program: &'a Pubkey, escrow: &'a Pubkey) -> Self {
        let mut derivation = [0; 150];
        derivation[32..64].copy_from_slice(program.as_ref());
        derivation[64..96].copy_from_slice(mint.as_ref());
        derivation[97..129].copy_from_slice(associated_token::ID.as_ref());
        derivation[129..].copy_from_slice(b"ProgramDerivedAddress");
        Self {
            mint,
            program,
            escrow,
            is_token_2022: *program == token_2022::ID,
            derivation,
        }
    }

    /// Why a transfer to this account would fail, or reach somebody else than the tree committed to; None where it
    /// would not. `bump` is the committed one: the address is the associated account of whoever owns it now, or it
    /// was given away. (Token-2022 would refuse that, SPL Token allows it.)
    #[inline(always)]
    pub fn obstacle(
        &mut self,
        key: &Pubkey,
        program: &Pubkey,
        data: &[u8],
        bump: u8,
    ) -> Option<TallystickError> {
        if !same(program, self.program)
            || !has_account_length(self.is_token_2022, data)
            || !same(at(data, MINT), self.mint)
        {
            return Some(TallystickError::RecipientNotThere);
        }
        match data[STATE] {
            STATE_INITIALIZED => {}
            STATE_FROZEN => return Some(TallystickError::RecipientFrozen),
            _ => return Some(TallystickError::RecipientNotThere),
        }
        if data.len() > ACCOUNT_LENGTH && refuses(data) {
            return Some(TallystickError::RecipientRefuses);
        }
        if same(key, self.escrow) {
            return Some(TallystickError::RecipientIsEscrow);
        }
        copy(at(data, OWNER), self.derivation.as_mut_ptr());
        self.derivation[96] = bump;
        if !same(at(&sha256(&self.derivation), 0), key) {
            return Some(TallystickError::RecipientReowned);
        }
        None
    }
}

/// Whether an account asks for a memo, or takes confidential transfers alone.
#[inline(never)]
fn refuses(data: &[u8]) -> bool {
    Extensions::of(data).any(|(kind, value)| match kind {
        extension::MEMO_TRANSFER => value.first() != Some(&0),
        extension::CONFIDENTIAL_TRANSFER_ACCOUNT => value.get(PLAIN_CREDITS) == Some(&0),
        _ => false,
    })
}

/// The 32 bytes at an offset; callers have checked the length.
#[inline(always)]
fn at(data: &[u8], offset: usize) -> &Pubkey {
    debug_assert!(data.len() >= offset + 32);
    // SAFETY: within the data; a public key is 32 bytes of any value at any address.
    unsafe { &*data.as_ptr().add(offset).cast() }
}

#[inline(always)]
fn copy(from: &Pubkey, to: *mut u8) {
    // SAFETY: the callers' buffers have room for it.
    unsafe {
        to.cast::<[u64; 4]>()
            .write_unaligned(core::ptr::from_ref(from).cast::<[u64; 4]>().read_unaligned());
    }
}

const TRANSFER: u8 = 3;
const CLOSE_ACCOUNT: u8 = 9;
const TRANSFER_CHECKED: u8 = 12;
const BATCH: u8 = 255;
const ROOM: usize = MAX_ENTRIES as usize;

/// Many transfers out of one escrow as one call: instruction 255 of both token programs, which pays for the call once;
/// and beside it the text that the batch's flat hash is of. `commit` and `push` are for at most `MAX_ENTRIES` recipients:
/// all memory is taken once, and written from these places on.
pub struct Batch<'a> {
    program: &'a Pubkey,
    mint: &'a Raw,
    escrow: &'a Raw,
    distribution: &'a Raw,
    decimals: u8,
    is_checked: bool,
    room: Box<MaybeUninit<Room>>,
    text: *mut u8,
    data: *mut u8,
    meta: *mut Meta,
    info: *mut Info,
}

struct Room {
    text: [u8; 1 + ENTRY_LENGTH * ROOM],
    data: [u8; 1 + 12 * ROOM],
    metas: [Meta; 4 * ROOM],
    infos: [Info; 3 + ROOM],
}

impl<'a> Batch<'a> {
    pub fn new(
        program: &'a Pubkey,
        mint: &'a Raw,
        escrow: &'a Raw,
        distribution: &'a Raw,
        decimals: u8,
        prefix: u8,
    ) -> Self {
        let mut room = Box::<Room>::new_uninit();
        let start = room.as_mut_ptr();
        // SAFETY: the first places of each list, in memory of the right size.
        unsafe {
            let text: *mut u8 = (&raw mut (*start).text).cast();
            let data: *mut u8 = (&raw mut (*start).data).cast();
            let info: *mut Info = (&raw mut (*start).infos).cast();
            text.write(prefix);
            data.write(BATCH);
            info.write(escrow.info());
            info.add(1).write(distribution.info());
            info.add(2).write(mint.info());
            Self {
                program,
                mint,
                escrow,
                distribution,
                decimals,
                // Token-2022 asks for the mint where its extensions touch transfers. SPL Token compares the mints of
                // both accounts either way, and the plain transfer is the cheaper one.
                is_checked: *program == token_2022::ID,
                text: text.add(1),
                data: data.add(1),
                meta: (&raw mut (*start).metas).cast(),
                info: info.add(3),
                room,
            }
        }
    }

    /// Writes an entry into the text of the flat hash.
    #[inline(always)]
    pub fn commit(&mut self, to: &Pubkey, bump: u8, amount: [u8; 8]) {
        // SAFETY: there is room for one entry of each recipient.
        unsafe {
            copy(to, self.text);
            self.text.add(32).write(bump);
            self.text.add(33).cast::<[u8; 8]>().write_unaligned(amount);
            self.text = self.text.add(ENTRY_LENGTH);
        }
    }

    /// Adds one transfer.
    #[inline(always)]
    pub fn push(&mut self, to: &'a Raw, amount: [u8; 8]) {
        // SAFETY: there is room for one transfer to each recipient.
        unsafe {
            self.info.write(to.info());
            self.info = self.info.add(1);
            let (meta, data) = (self.meta, self.data);
            data.add(3).cast::<[u8; 8]>().write_unaligned(amount);
            meta.write(Meta::writable(&self.escrow.key));
            if self.is_checked {
                meta.add(1).write(Meta::readonly(&self.mint.key));
                meta.add(2).write(Meta::writable(&to.key));
                meta.add(3).write(Meta::signer(&self.distribution.key));
                self.meta = meta.add(4);
                data.cast::<[u8; 3]>().write_unaligned([4, 10, TRANSFER_CHECKED]);
                data.add(11).write(self.decimals);
                self.data = data.add(12);
            } else {
                meta.add(1).write(Meta::writable(&to.key));
                meta.add(2).write(Meta::signer(&self.distribution.key));
                self.meta = meta.add(3);
                data.cast::<[u8; 3]>().write_unaligned([3, 9, TRANSFER]);
                self.data = data.add(11);
            }
        }
    }

    /// The hash over everything committed.
    pub fn flat_hash(&self) -> [u8; 32] {
        let start = self.room.as_ptr();
        // SAFETY: written up to this place.
        sha256(unsafe { written((&raw const (*start).text).cast(), self.text) })
    }

    /// Makes the transfers, signed by the distribution.
    pub fn send(&self, signer: &[Seed]) -> Result<()> {
        let start = self.room.as_ptr();
        // SAFETY: written up to these places.
        unsafe {
            call(
                self.program,
                written((&raw const (*start).metas).cast(), self.meta),
                written((&raw const (*start).data).cast(), self.data),
                written((&raw const (*start).infos).cast(), self.info),
                signer,
            )
        }
    }
}

/// What lies between two places of one list.
unsafe fn written<'a, T>(start: *const T, end: *const T) -> &'a [T] {
    unsafe { core::slice::from_raw_parts(start, end.offset_from(start) as usize) }
}

/// A distribution's escrow, and the accounts that calls for it need.
pub struct Escrow<'a, 'info> {
    pub program: &'a AccountInfo<'info>,
    pub mint: &'a AccountInfo<'info>,
    pub escrow: &'a AccountInfo<'info>,
    pub distribution: &'a Account<'info, InPlace<Distribution>>,
}

impl<'info> Escrow<'_, 'info> {
    /// Creates the escrow. Somebody may have done so before: then it is no less ours.
    pub fn create(
        &self,
        payer: &AccountInfo<'info>,
        system_program: &AccountInfo<'info>,
        associated_token_program: &AccountInfo<'info>,
    ) -> Result<()> {
        associated_token::create_idempotent(CpiContext::new(
            *associated_token_program.key,
            associated_token::Create {
                payer: payer.clone(),
                associated_token: self.escrow.clone(),
                authority: self.distribution.to_account_info(),
                mint: self.mint.clone(),
                system_program: system_program.clone(),
                token_program: self.program.clone(),
            },
        ))
    }

    /// Moves `raw` units into the escrow, signed by the owner of `source`; gives what arrived.
    pub fn fund(&self, source: &AccountInfo<'info>, funder: &AccountInfo<'info>, raw: u64) -> Result<u64> {
        let before = balance(self.escrow)?;
        let instruction = self.transfer_checked(source.key, self.escrow.key, funder.key, raw);
        let accounts = [
            source.clone(),
            self.mint.clone(),
            self.escrow.clone(),
            funder.clone(),
        ];
        invoke_signed(&instruction, &accounts, &[])?;
        balance(self.escrow)?
            .checked_sub(before)
            .ok_or_else(|| TallystickError::Overflow.into())
    }

    /// Pays `raw` units out.
    pub fn pay(&self, to: &AccountInfo<'info>, raw: u64) -> Result<()> {
        let authority = self.distribution.to_account_info();
        let instruction = self.transfer_checked(self.escrow.key, to.key, authority.key, raw);
        self.invoke(
            &instruction,
            &[self.escrow.clone(), self.mint.clone(), to.clone(), authority],
        )
    }

    /// Closes the empty escrow; its rent goes to `to`.
    pub fn close(&self, to: &AccountInfo<'info>) -> Result<()> {
        let authority = self.distribution.to_account_info();
        let instruction = Instruction {
            program_id: *self.program.key,
            accounts: vec![
                AccountMeta::new(*self.escrow.key, false),
                AccountMeta::new(*to.key, false),
                AccountMeta::new_readonly(*authority.key, true),
            ],
            data: vec![CLOSE_ACCOUNT],
        };
        self.invoke(&instruction, &[self.escrow.clone(), to.clone(), authority])
    }

    fn transfer_checked(&self, from: &Pubkey, to: &Pubkey, authority: &Pubkey, raw: u64) -> Instruction {
        let mut data = vec![TRANSFER_CHECKED];
        data.extend_from_slice(&raw.to_le_bytes());
        data.push(self.distribution.payment_decimals);
        Instruction {
            program_id: *self.program.key,
            accounts: vec![
                AccountMeta::new(*from, false),
                AccountMeta::new_readonly(*self.mint.key, false),
                AccountMeta::new(*to, false),
                AccountMeta::new_readonly(*authority, true),
            ],
            data,
        }
    }

    fn invoke(&self, instruction: &Instruction, accounts: &[AccountInfo<'info>]) -> Result<()> {
        let action = self.distribution.action;
        let number = { self.distribution.number }.to_le_bytes();
        let bump = [self.distribution.bump];
        invoke_signed(
            instruction,
            accounts,
            &[&[DISTRIBUTION_SEED, action.as_ref(), &number, &bump]],
        )
        .map_err(Into::into)
    }
}
