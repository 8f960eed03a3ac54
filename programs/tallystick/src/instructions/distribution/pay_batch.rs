use anchor_lang::{event::EVENT_IX_TAG_LE, prelude::*, system_program, Discriminator};

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::BatchPaid,
    payment::{require_plain_mint, Batch, Recipients},
    runtime::{call, same, Account as Raw, Meta, Seed},
    state::*,
};

/// Accounts of `pay_batch` before its recipients.
pub const FIXED_ACCOUNTS: usize = 7;

/// For the IDL, and for clients. The program never makes this: see `pay_batch_in_place`.
#[event_cpi]
#[derive(Accounts)]
pub struct PayBatch<'info> {
    /// The distribution's payout key.
    pub payout_key: Signer<'info>,
    /// CHECK: the distribution.
    #[account(mut)]
    pub distribution: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    #[account(mut)]
    pub escrow: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    pub payment_mint: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    pub token_program: UncheckedAccount<'info>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct PayBatchParams {
    /// Place of the batch in the tree.
    pub batch: u32,
    /// Root of the batch's entries.
    pub entries_root: [u8; 32],
    /// A bit for each entry that is not to be paid now.
    pub skip: u64,
    /// Bump of each recipient's address.
    pub bumps: Vec<u8>,
    /// Raw units of the payment mint, for each recipient.
    pub amounts: Vec<u64>,
    /// From the batch to the root, lowest first.
    pub proof: Vec<[u8; 32]>,
}

/// Reached only with fewer accounts than one recipient needs, or more than a batch has: `entrypoint` answers all others.
pub fn pay_batch(_: Context<PayBatch>, _: PayBatchParams) -> Result<()> {
    Err(TallystickError::BatchOutOfBounds.into())
}

/// `PayBatchParams` in Borsh, read where they lie.
struct Arguments<'a> {
    batch: u32,
    entries_root: &'a Hash,
    skip: u64,
    bumps: &'a [u8],
    amounts: &'a [[u8; 8]],
    proof: &'a [Hash],
}

impl<'a> Arguments<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let (batch, data) = data.split_first_chunk()?;
        let (entries_root, data) = data.split_first_chunk()?;
        let (skip, data) = data.split_first_chunk()?;
        let (bumps, data) = list::<1>(data)?;
        let (amounts, data) = list(data)?;
        let (proof, data) = list(data)?;
        data.is_empty().then_some(Self {
            batch: u32::from_le_bytes(*batch),
            entries_root,
            skip: u64::from_le_bytes(*skip),
            bumps: bumps.as_flattened(),
            amounts,
            proof,
        })
    }
}

/// A list of Borsh: its length, and elements of `N` bytes.
fn list<const N: usize>(data: &[u8]) -> Option<(&[[u8; N]], &[u8])> {
    let (length, data) = data.split_first_chunk()?;
    let length = (u32::from_le_bytes(*length) as usize).checked_mul(N)?;
    let (elements, rest) = data.split_at_checked(length)?;
    Some((elements.as_chunks().0, rest))
}

/// The accounts before the recipients, each checked.
struct Accounts<'a> {
    distribution: &'a Raw,
    header: InPlace<Distribution>,
    escrow: &'a Raw,
    payment_mint: &'a Raw,
    token_program: &'a Raw,
    event_authority: &'a Raw,
}

impl<'a> Accounts<'a> {
    /// What Anchor's constraints would check, in their words.
    fn check(accounts: &[&'a Raw]) -> Result<Self> {
        let [payout_key, distribution, escrow, payment_mint, token_program, event_authority, program, ..] =
            *accounts
        else {
            return Err(ErrorCode::AccountNotEnoughKeys.into());
        };
        require!(payout_key.signs(), ErrorCode::AccountNotSigner);
        if !same(&distribution.owner, &crate::ID) {
            let nothing_there = distribution.owner == system_program::ID && distribution.lamports == 0;
            return Err(if nothing_there {
                ErrorCode::AccountNotInitialized.into()
            } else {
                ErrorCode::AccountOwnedByWrongProgram.into()
            });
        }
        let header = InPlace::<Distribution>::try_deserialize(&mut distribution.data())?;
        require!(
            distribution.may_be_written() && escrow.may_be_written(),
            ErrorCode::ConstraintMut
        );
        header.require_approved()?;
        require!(
            same(&payout_key.key, &{ header.payout_key }),
            TallystickError::NotPayoutKey
        );
        require!(
            same(&escrow.key, &{ header.escrow }),
            TallystickError::WrongPaymentEscrow
        );
        require!(
            same(&payment_mint.key, &{ header.payment_mint }),
            TallystickError::WrongPaymentMint
        );
        require!(
            same(&token_program.key, &{ header.token_program }),
            ErrorCode::InvalidProgramId
        );
        require!(
            same(&event_authority.key, &crate::EVENT_AUTHORITY_AND_BUMP.0),
            ErrorCode::ConstraintAddress
        );
        require!(same(&program.key, &crate::ID), ErrorCode::InvalidProgramId);
        require_plain_mint(&token_program.key, &payment_mint.owner, payment_mint.data())?;
        Ok(Self {
            distribution,
            header,
            escrow,
            payment_mint,
            token_program,
            event_authority,
        })
    }
}

/// Pays every entry of a batch that was not paid, is not skipped, and whose account takes it. Entries that cannot be
/// paid stay as they are; a call that finds nothing to pay changes nothing and succeeds, so it may be repeated.
///
/// Works on the runtime's own input: Anchor's accounts would cost more than the payments.
pub fn pay_batch_in_place(accounts: &[&Raw], data: &[u8]) -> Result<()> {
    let arguments = Arguments::read(data).ok_or(ErrorCode::InstructionDidNotDeserialize)?;
    let mut fixed = Accounts::check(accounts)?;
    let recipients = &accounts[FIXED_ACCOUNTS..];
    let header = &mut fixed.header;
    let word = fixed
        .distribution
        .data()
        .get(Distribution::BITS..)
        .and_then(|bits| bits.get(8 * arguments.batch as usize..))
        .and_then(|bits| bits.first_chunk());
    let (Some(word), true) = (
        word,
        recipients.len() <= usize::from(MAX_ENTRIES)
            && arguments.bumps.len() == recipients.len()
            && arguments.amounts.len() == recipients.len(),
    ) else {
        return Err(TallystickError::BatchOutOfBounds.into());
    };
    let settled = u64::from_le_bytes(*word) | arguments.skip;

    let mut payable = Recipients::new(
        &fixed.payment_mint.key,
        &fixed.token_program.key,
        &fixed.escrow.key,
    );
    let mut batch = Batch::new(
        &fixed.token_program.key,
        fixed.payment_mint,
        fixed.escrow,
        fixed.distribution,
        header.payment_decimals,
        FLAT,
    );
    let (mut bit, mut paid, mut sum) = (1_u64, 0_u64, 0_u64);
    for index in 0..recipients.len() {
        // SAFETY: the three lists are of one length. Iterators over them would cost a tenth of the payments.
        let (recipient, bump, amount) = unsafe {
            (
                *recipients.get_unchecked(index),
                *arguments.bumps.get_unchecked(index),
                *arguments.amounts.get_unchecked(index),
            )
        };
        batch.commit(&recipient.key, bump, amount);
        if settled & bit == 0
            && payable
                .obstacle(&recipient.key, &recipient.owner, recipient.data(), bump)
                .is_none()
        {
            paid |= bit;
            sum = sum
                .checked_add(u64::from_le_bytes(amount))
                .ok_or(TallystickError::Overflow)?;
            batch.push(recipient, amount);
        }
        bit <<= 1;
    }
    let leaf = batch_leaf(
        &fixed.distribution.key,
        arguments.batch,
        recipients.len() as u8,
        &batch.flat_hash(),
        arguments.entries_root,
    );
    require!(
        root_of(leaf, arguments.batch, header.batches, arguments.proof) == Some(header.root),
        TallystickError::ProofDiffers
    );
    if paid == 0 {
        return Ok(());
    }

    header.pay(sum, paid.count_ones().into())?;
    header.invariant()?;
    // SAFETY: the word read above, in an account of this program that may be written.
    unsafe {
        word.as_ptr()
            .cast_mut()
            .cast::<u64>()
            .write_unaligned(u64::from_le_bytes(*word) | paid);
    }
    let action = header.action;
    let number = { header.number }.to_le_bytes();
    let bump = [header.bump];
    batch.send(&[
        Seed::of(DISTRIBUTION_SEED),
        Seed::of(action.as_ref()),
        Seed::of(&number),
        Seed::of(&bump),
    ])?;
    record(
        fixed.event_authority,
        &BatchPaid {
            distribution: fixed.distribution.key,
            batch: arguments.batch,
            paid,
            raw: sum,
        },
    )
}

/// `events::emit`, for accounts that Anchor has not made.
fn record(authority: &Raw, event: &BatchPaid) -> Result<()> {
    let mut data = Vec::with_capacity(128);
    data.extend_from_slice(EVENT_IX_TAG_LE);
    data.extend_from_slice(BatchPaid::DISCRIMINATOR);
    event.serialize(&mut data)?;
    call(
        &crate::ID,
        &[Meta::signer(&authority.key)],
        &data,
        &[authority.info()],
        &[
            Seed::of(b"__event_authority"),
            Seed::of(&[crate::EVENT_AUTHORITY_AND_BUMP.1]),
        ],
    )
}
