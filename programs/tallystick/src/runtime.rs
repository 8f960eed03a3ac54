//! The runtime's own view of an instruction: accounts as they lie in its input, and calls without anything in between.
//!
//! Anchor makes an `AccountInfo` of every account and a copy of every call. For the 64 accounts of `pay_batch` that
//! costs more than the payments do; that instruction alone works on this.

use anchor_lang::prelude::*;

/// One account of the input, followed by its data. The layout is the loader's.
#[repr(C)]
pub struct Account {
    /// From the lowest byte: of which account before this is a duplicate, signer, writable, executable; then padding.
    flags: u64,
    pub key: Pubkey,
    pub owner: Pubkey,
    pub lamports: u64,
    length: u64,
}

/// Marks an account that is not one of those before it.
const NOT_A_DUPLICATE: u8 = 0xff;
/// Room behind the data into which it could grow.
const GROWTH: usize = 10_240;

impl Account {
    #[inline(always)]
    pub fn data(&self) -> &[u8] {
        // SAFETY: an `Account` is only ever one of the input, and there its data follows.
        unsafe { core::slice::from_raw_parts(self.start(), self.length as usize) }
    }

    /// Where the data starts, to be written by who knows that nothing else refers to it.
    #[inline(always)]
    pub fn start(&self) -> *mut u8 {
        unsafe { core::ptr::from_ref(self).add(1).cast_mut().cast() }
    }

    #[inline(always)]
    pub fn signs(&self) -> bool {
        self.flags & 0xff00 != 0
    }

    #[inline(always)]
    pub fn may_be_written(&self) -> bool {
        self.flags & 0xff_0000 != 0
    }

    #[inline(always)]
    pub fn info(&self) -> Info {
        Info {
            key: &self.key,
            lamports: &self.lamports,
            length: self.length,
            data: self.start(),
            owner: &self.owner,
            rent_epoch: 0,
            // Signer, writable and executable, in the same order in both.
            flags: self.flags >> 8,
        }
    }
}

/// `SolAccountInfo` of the C interface.
#[repr(C)]
pub struct Info {
    key: *const Pubkey,
    lamports: *const u64,
    length: u64,
    data: *const u8,
    owner: *const Pubkey,
    rent_epoch: u64,
    /// The lowest bytes say signer, writable, executable.
    flags: u64,
}

/// `SolAccountMeta` of the C interface.
#[repr(C)]
pub struct Meta {
    key: *const Pubkey,
    /// The first byte says writable, the second signer.
    flags: u64,
}

impl Meta {
    #[inline(always)]
    pub fn readonly(key: &Pubkey) -> Self {
        Self { key, flags: 0 }
    }

    #[inline(always)]
    pub fn writable(key: &Pubkey) -> Self {
        Self { key, flags: 1 }
    }

    #[inline(always)]
    pub fn signer(key: &Pubkey) -> Self {
        Self { key, flags: 0x100 }
    }
}

/// `SolInstruction` of the C interface.
#[cfg_attr(not(target_os = "solana"), allow(dead_code))]
#[repr(C)]
struct Call {
    program: *const Pubkey,
    metas: *const Meta,
    metas_length: u64,
    data: *const u8,
    data_length: u64,
}

/// `SolSignerSeed` of the C interface, and `SolSignerSeeds` too.
#[repr(C)]
pub struct Seed {
    start: *const u8,
    length: u64,
}

impl Seed {
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            start: bytes.as_ptr(),
            length: bytes.len() as u64,
        }
    }
}

/// Calls a program, signed by the address of `seeds`. The runtime checks what each account may be used for; that no
/// reference to the data of a called account is alive is for the caller to see to.
#[inline(never)]
pub fn call(program: &Pubkey, metas: &[Meta], data: &[u8], infos: &[Info], seeds: &[Seed]) -> Result<()> {
    let call = Call {
        program,
        metas: metas.as_ptr(),
        metas_length: metas.len() as u64,
        data: data.as_ptr(),
        data_length: data.len() as u64,
    };
    let signer = Seed {
        start: seeds.as_ptr().cast(),
        length: seeds.len() as u64,
    };
    #[cfg(target_os = "solana")]
    // SAFETY: structures of the C interface, alive until it returns.
    let status = unsafe {
        solana_define_syscall::definitions::sol_invoke_signed_c(
            core::ptr::from_ref(&call).cast(),
            infos.as_ptr().cast(),
            infos.len() as u64,
            core::ptr::from_ref(&signer).cast(),
            1,
        )
    };
    #[cfg(not(target_os = "solana"))]
    let status = {
        let _ = (call, signer, infos);
        0
    };
    match status {
        0 => Ok(()),
        error => Err(ProgramError::from(error).into()),
    }
}

/// SHA-256 of one text, straight from the system call: the hasher's crate copies the result twice.
#[cfg(target_os = "solana")]
#[inline(always)]
pub fn sha256(text: &[u8]) -> [u8; 32] {
    let mut result = core::mem::MaybeUninit::<[u8; 32]>::uninit();
    let parts = Seed::of(text);
    // SAFETY: one readable part, and 32 bytes to write, which the call fills.
    unsafe {
        solana_define_syscall::definitions::sol_sha256(
            core::ptr::from_ref(&parts).cast(),
            1,
            result.as_mut_ptr().cast(),
        );
        result.assume_init()
    }
}

#[cfg(not(target_os = "solana"))]
pub fn sha256(text: &[u8]) -> [u8; 32] {
    solana_sha256_hasher::hash(text).to_bytes()
}

/// Equality of two keys, four words at a time.
#[inline(always)]
pub fn same(left: &Pubkey, right: &Pubkey) -> bool {
    let word = |key: &Pubkey, place: usize| {
        // SAFETY: a key is four words, at any address.
        unsafe { core::ptr::from_ref(key).cast::<u64>().add(place).read_unaligned() }
    };
    word(left, 0) == word(right, 0)
        && word(left, 1) == word(right, 1)
        && word(left, 2) == word(right, 2)
        && word(left, 3) == word(right, 3)
}

/// Most accounts that `accounts` finds.
pub const MAX_ACCOUNTS: usize = 64;

/// How many accounts the input names.
///
/// # Safety
/// `input` is the runtime's.
#[inline(always)]
pub unsafe fn count(input: *const u8) -> usize {
    unsafe { input.cast::<u64>().read() as usize }
}

/// The accounts of the input, and the instruction's data behind them.
///
/// # Safety
/// `input` is the runtime's and names no more than `MAX_ACCOUNTS`.
#[inline(always)]
pub unsafe fn accounts<'a>(
    input: *const u8,
    found: &'a mut [core::mem::MaybeUninit<&'a Account>; MAX_ACCOUNTS],
) -> (&'a [&'a Account], &'a [u8]) {
    unsafe {
        let count = count(input);
        let mut place = input.add(8);
        for index in 0..count {
            let slot = found.as_mut_ptr().add(index);
            let duplicate_of = *place;
            if duplicate_of == NOT_A_DUPLICATE {
                let account = &*place.cast::<Account>();
                (*slot).write(account);
                // The data is padded to eight bytes; the rent epoch follows.
                let padded = (account.length as usize + 7) & !7;
                place = place.add(size_of::<Account>() + padded + GROWTH + 8);
            } else {
                *slot = *found.as_ptr().add(usize::from(duplicate_of));
                place = place.add(8);
            }
        }
        let length = place.cast::<u64>().read() as usize;
        let data = core::slice::from_raw_parts(place.add(8), length);
        (core::slice::from_raw_parts(found.as_ptr().cast(), count), data)
    }
}
