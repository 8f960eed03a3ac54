use anchor_lang::{prelude::*, system_program};

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, EntitlementPaid},
    payment::{self, require_plain_mint, Escrow, Recipients},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct PayEntitlement<'info> {
    /// The distribution.
    #[account(
        mut, dup,
        has_one = payment_mint @ TallystickError::WrongPaymentMint,
        has_one = escrow @ TallystickError::WrongPaymentEscrow,
        has_one = token_program @ ErrorCode::InvalidProgramId,
    )]
    pub distribution: Box<Account<'info, InPlace<Distribution>>>,
    /// CHECK: the proof names it, and `validate` reads it.
    #[account(mut)]
    pub destination: UncheckedAccount<'info>,
    /// CHECK: `validate` checks its address, whether or not there is a record.
    pub holder: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    pub payment_mint: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    #[account(mut)]
    pub escrow: UncheckedAccount<'info>,
    /// CHECK: the distribution names it.
    pub token_program: UncheckedAccount<'info>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct PayEntitlementParams {
    /// Place of the batch in the tree.
    pub batch: u32,
    /// Entries of the batch.
    pub count: u8,
    /// Place of the entry in its batch.
    pub index: u8,
    /// Bump of the destination's address.
    pub bump: u8,
    /// Raw units of the payment mint.
    pub raw: u64,
    /// Hash over all entries of the batch.
    pub flat_hash: [u8; 32],
    /// From the entry to the root of its batch's entries, lowest first.
    pub entry_proof: Vec<[u8; 32]>,
    /// From the batch to the root of the distribution, lowest first.
    pub batch_proof: Vec<[u8; 32]>,
}

impl PayEntitlement<'_> {
    pub fn validate(&self, params: &PayEntitlementParams) -> Result<()> {
        let distribution = &self.distribution;
        distribution.require_approved()?;
        let key = distribution.key();
        let leaf = entry_leaf(params.index, self.destination.key, params.bump, params.raw);
        let root = root_of(
            leaf,
            params.index.into(),
            params.count.into(),
            &params.entry_proof,
        )
        .map(|entries| batch_leaf(&key, params.batch, params.count, &params.flat_hash, &entries))
        .and_then(|leaf| root_of(leaf, params.batch, distribution.batches, &params.batch_proof));
        require!(
            params.count <= MAX_ENTRIES && root == Some(distribution.root),
            TallystickError::ProofDiffers
        );
        require_plain_mint(
            self.token_program.key,
            self.payment_mint.owner,
            &self.payment_mint.try_borrow_data()?,
        )?;
        let data = self.destination.try_borrow_data()?;
        if let Some(obstacle) = Recipients::new(
            self.payment_mint.key,
            self.token_program.key,
            self.escrow.key,
        )
        .obstacle(self.destination.key, self.destination.owner, &data, params.bump)
        {
            return Err(obstacle.into());
        }
        self.require_not_suspended(&payment::owner(&data).ok_or(TallystickError::RecipientNotThere)?)
    }

    /// Who is no holder of the issuer's, a pool say, has no record, and is not suspended.
    fn require_not_suspended(&self, owner: &Pubkey) -> Result<()> {
        let issuer = self.distribution.issuer;
        let (address, _) =
            Pubkey::find_program_address(&[HOLDER_SEED, issuer.as_ref(), owner.as_ref()], &crate::ID);
        require_keys_eq!(self.holder.key(), address, TallystickError::WrongHolderRecord);
        if *self.holder.owner != system_program::ID {
            require_keys_eq!(
                *self.holder.owner,
                crate::ID,
                ErrorCode::AccountOwnedByWrongProgram
            );
            let holder = InPlace::<Holder>::try_deserialize(&mut &self.holder.try_borrow_data()?[..])?;
            require!(holder.suspended_at == 0, TallystickError::HolderSuspended);
        }
        Ok(())
    }
}

/// Pays one entry that no batch has paid.
#[access_control(ctx.accounts.validate(&params))]
pub fn pay_entitlement(ctx: Context<PayEntitlement>, params: PayEntitlementParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let owner = payment::owner(&accounts.destination.try_borrow_data()?);
    set_bit(
        &accounts.distribution.to_account_info(),
        params.batch,
        params.index,
    )?;
    accounts.distribution.pay(params.raw, 1)?;
    accounts.distribution.invariant()?;
    Escrow {
        program: &accounts.token_program,
        mint: &accounts.payment_mint,
        escrow: &accounts.escrow,
        distribution: &accounts.distribution,
    }
    .pay(&accounts.destination, params.raw)?;
    emit(
        &ctx.accounts.event_authority,
        EntitlementPaid {
            distribution: ctx.accounts.distribution.key(),
            batch: params.batch,
            index: params.index,
            owner: owner.unwrap_or_default(),
            destination: ctx.accounts.destination.key(),
            raw: params.raw,
        },
    )?;
    Ok(())
}

/// Sets an entry's bit; refuses one that is set.
fn set_bit(distribution: &AccountInfo, batch: u32, index: u8) -> Result<()> {
    let mut data = distribution.try_borrow_mut_data()?;
    let word = data
        .get_mut(Distribution::BITS..)
        .and_then(|bits| bits.get_mut(8 * batch as usize..))
        .and_then(|bits| bits.first_chunk_mut::<8>())
        .ok_or(TallystickError::BatchOutOfBounds)?;
    let bits = u64::from_le_bytes(*word);
    let bit = 1_u64
        .checked_shl(index.into())
        .ok_or(TallystickError::BatchOutOfBounds)?;
    require!(bits & bit == 0, TallystickError::EntryPaid);
    *word = (bits | bit).to_le_bytes();
    Ok(())
}
