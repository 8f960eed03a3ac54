use anchor_lang::prelude::*;
use anchor_spl::associated_token::{get_associated_token_address_with_program_id, AssociatedToken};

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, DistributionOpened},
    payment::{is_token_account, is_token_program, require_no_security, require_plain_mint, Escrow},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: OpenDistributionParams)]
pub struct OpenDistribution<'info> {
    /// Pays rent, and gets back what closing frees.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The distributor's key.
    pub distributor: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Distributor @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == distributor.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security whose holders are paid.
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The corporate action.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub action: Box<Account<'info, InPlace<CorporateAction>>>,
    /// The distribution.
    #[account(
        init,
        payer = payer,
        space = Distribution::next_length(params.batches, 0),
        seeds = [DISTRIBUTION_SEED, action.key().as_ref(), params.number.to_le_bytes().as_ref()],
        bump,
    )]
    pub distribution: Box<Account<'info, InPlace<Distribution>>>,
    /// An earlier distribution of the action that this one completes or corrects.
    #[account(constraint = linked_to.action == action.key() @ TallystickError::DistributionOfAnotherAction)]
    pub linked_to: Option<Box<Account<'info, InPlace<Distribution>>>>,
    /// CHECK: SPL Token or Token-2022.
    #[account(constraint = is_token_program(token_program.key) @ ErrorCode::InvalidProgramId)]
    pub token_program: UncheckedAccount<'info>,
    /// CHECK: the handler reads it, and checks that the token program owns it.
    pub payment_mint: UncheckedAccount<'info>,
    /// CHECK: created here by the associated token program, for the distribution.
    #[account(
        mut,
        address = get_associated_token_address_with_program_id(
            &distribution.key(), payment_mint.key, token_program.key) @ TallystickError::WrongPaymentEscrow,
    )]
    pub escrow: UncheckedAccount<'info>,
    /// CHECK: `validate` reads it; owned by the token program.
    #[account(owner = *token_program.key @ TallystickError::WrongRefund)]
    pub refund: UncheckedAccount<'info>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct OpenDistributionParams {
    /// How many distributions the action opened so far.
    pub number: u16,
    /// Root of the tree of batches (docs/merkle.md).
    pub root: [u8; 32],
    /// Leaves of that tree.
    pub batches: u32,
    /// Entries in all batches.
    pub entries: u64,
    /// What all entries come to, in raw units of the payment mint.
    pub total: u64,
    /// The key that will send the payments.
    pub payout_key: Pubkey,
    /// Unix seconds from which it may be closed though not everybody was paid.
    pub expires_at: i64,
}

impl OpenDistribution<'_> {
    pub fn validate(&self, params: &OpenDistributionParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.role.require_in_force(now)?;
        self.action.require_pays()?;
        require!(
            params.number == self.action.distributions,
            TallystickError::DistributionNumberDiffers
        );
        require_keys_neq!(params.payout_key, Pubkey::default(), TallystickError::DefaultKey);
        require!(
            params.expires_at > now && params.expires_at - now <= MAX_DISTRIBUTION_PERIOD,
            TallystickError::ExpiryOutOfBounds
        );
        require_no_security(&self.payment_mint)?;
        require!(
            is_token_account(
                self.token_program.key,
                &self.refund.try_borrow_data()?,
                self.payment_mint.key
            ) && self.refund.key != self.escrow.key,
            TallystickError::WrongRefund
        );
        Ok(())
    }
}

/// Opens a distribution: its account as far as one instruction can make it, and its escrow.
#[access_control(ctx.accounts.validate(&params))]
pub fn open_distribution(ctx: Context<OpenDistribution>, params: OpenDistributionParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let payment_decimals = require_plain_mint(
        accounts.token_program.key,
        accounts.payment_mint.owner,
        &accounts.payment_mint.try_borrow_data()?,
    )?;
    let linked_to = accounts
        .linked_to
        .as_ref()
        .map_or(Pubkey::default(), |linked_to| linked_to.key());
    accounts.action.distributions = params.number.checked_add(1).ok_or(TallystickError::Overflow)?;
    accounts.distribution.write(Distribution {
        version: VERSION,
        bump: ctx.bumps.distribution,
        status: DistributionStatus::Open,
        issuer: accounts.security.issuer,
        security: accounts.security.key(),
        action: accounts.action.key(),
        number: params.number,
        payment_mint: accounts.payment_mint.key(),
        token_program: accounts.token_program.key(),
        payment_decimals,
        escrow: accounts.escrow.key(),
        refund: accounts.refund.key(),
        root: params.root,
        batches: params.batches,
        entries: params.entries,
        total: params.total,
        funded: 0,
        paid: 0,
        paid_entries: 0,
        payout_key: params.payout_key,
        opener: accounts.distributor.key(),
        root_approver: Pubkey::default(),
        payer: accounts.payer.key(),
        linked_to,
        opened_at: Clock::get()?.unix_timestamp,
        approved_at: 0,
        expires_at: params.expires_at,
        closed_at: 0,
        bits_hash: [0; 32],
        reserved: [0; 64],
    });
    accounts.action.invariant()?;
    accounts.distribution.invariant()?;
    Escrow {
        program: &accounts.token_program,
        mint: &accounts.payment_mint,
        escrow: &accounts.escrow,
        distribution: &accounts.distribution,
    }
    .create(
        &accounts.payer,
        &accounts.system_program,
        &accounts.associated_token_program,
    )?;
    emit(
        &ctx.accounts.event_authority,
        DistributionOpened {
            distribution: ctx.accounts.distribution.key(),
            security: ctx.accounts.security.key(),
            action: ctx.accounts.action.key(),
            number: params.number,
            payment_mint: ctx.accounts.payment_mint.key(),
            root: params.root,
            batches: params.batches,
            entries: params.entries,
            total: params.total,
            payout_key: params.payout_key,
            linked_to,
            expires_at: params.expires_at,
        },
    )?;
    Ok(())
}
