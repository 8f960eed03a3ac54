use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::{get_associated_token_address_with_program_id, AssociatedToken},
    token_2022::{self, Token2022},
};

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, SecurityListed},
    state::*,
    token::{Metadata, NewMint},
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: ListSecurityParams)]
pub struct ListSecurity<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(mut, dup, has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security.
    #[account(
        init,
        payer = payer,
        space = 8 + Security::INIT_SPACE,
        seeds = [SECURITY_SEED, mint.key().as_ref()],
        bump,
    )]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// CHECK: created here, at the address that issuer and security id give.
    #[account(mut, seeds = [MINT_SEED, issuer.key().as_ref(), params.security_id.as_ref()], bump)]
    pub mint: UncheckedAccount<'info>,
    /// CHECK: created here by the associated token program, for the security.
    #[account(
        mut,
        address = get_associated_token_address_with_program_id(
            &security.key(), mint.key, &token_2022::ID) @ TallystickError::WrongEscrow,
    )]
    pub escrow: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct ListSecurityParams {
    /// UTF-8, zero padded; part of the mint's address.
    pub security_id: [u8; 32],
    /// ISO 6166.
    pub isin: [u8; 12],
    /// UTF-8, zero padded; the token's symbol.
    pub ticker: [u8; 16],
    /// Decimals of token and shares.
    pub decimals: u8,
    /// The token's name, up to 64 bytes.
    pub name: String,
    /// Where the token's metadata points, up to 200 bytes.
    pub uri: String,
    /// SHA-256 of the terms.
    pub terms_hash: [u8; 32],
    /// SHA-256 of the sorted hashes of the declared custody accounts.
    pub custody_accounts_hash: [u8; 32],
    /// How many custody accounts that is.
    pub custody_accounts: u8,
    /// Whether token accounts start frozen, and only an approved holder's is thawed.
    pub permissioned: bool,
    /// What the issuer promises.
    pub policy: Policy,
}

impl ListSecurity<'_> {
    pub fn validate(&self, params: &ListSecurityParams) -> Result<()> {
        require!(params.decimals <= MAX_DECIMALS, TallystickError::TooManyDecimals);
        require!(is_text(&params.security_id), TallystickError::BadText);
        super::require_metadata(
            &params.name,
            &params.ticker,
            &params.uri,
            &params.isin,
            &params.terms_hash,
        )?;
        require_custody_accounts(&params.custody_accounts_hash, params.custody_accounts)?;
        params.policy.require_within_bounds()
    }
}

#[access_control(ctx.accounts.validate(&params))]
pub fn list_security(ctx: Context<ListSecurity>, params: ListSecurityParams) -> Result<()> {
    let issuer_key = ctx.accounts.issuer.key();
    let mint_key = ctx.accounts.mint.key();
    NewMint {
        payer: &ctx.accounts.payer,
        mint: &ctx.accounts.mint,
        mint_seeds: &[
            MINT_SEED,
            issuer_key.as_ref(),
            params.security_id.as_ref(),
            &[ctx.bumps.mint],
        ],
        security: &ctx.accounts.security.to_account_info(),
        security_seeds: &[SECURITY_SEED, mint_key.as_ref(), &[ctx.bumps.security]],
        escrow: &ctx.accounts.escrow,
        token_program: &ctx.accounts.token_program,
        associated_token_program: &ctx.accounts.associated_token_program,
        system_program: &ctx.accounts.system_program,
    }
    .create(
        params.decimals,
        params.permissioned,
        Metadata {
            name: params.name,
            symbol: super::text(&params.ticker),
            uri: params.uri,
            isin: super::text(&params.isin),
            issuer: super::text(&ctx.accounts.issuer.lei),
        },
    )?;
    ctx.accounts.security.write(Security {
        version: VERSION,
        bump: ctx.bumps.security,
        status: SecurityStatus::Active,
        permissioned: params.permissioned,
        decimals: params.decimals,
        issuer: issuer_key,
        mint: mint_key,
        escrow: ctx.accounts.escrow.key(),
        security_id: params.security_id,
        isin: params.isin,
        previous_isin: [0; 12],
        ticker: params.ticker,
        terms_hash: params.terms_hash,
        pending_metadata_hash: [0; 32],
        pending_metadata_from: 0,
        seizure_account: Pubkey::default(),
        pending_seizure_account: Pubkey::default(),
        pending_seizure_from: 0,
        custody_accounts_hash: params.custody_accounts_hash,
        custody_accounts: params.custody_accounts,
        policy: params.policy,
        pending_custody_accounts_hash: [0; 32],
        pending_custody_accounts: 0,
        pending_policy: Policy::NONE,
        pending_policy_from: 0,
        multiplier: MULTIPLIER_ONE,
        pending_multiplier: 0,
        multiplier_effective_at: 0,
        multiplier_changed_at: 0,
        reserve: 0,
        reserve_as_of: 0,
        reserve_redeemed: 0,
        attestation: Pubkey::default(),
        attestations_hash: [0; 32],
        attestations: 0,
        redeemed: 0,
        escrowed: 0,
        accepted: 0,
        minted: 0,
        burnt: 0,
        mint_holds: 0,
        redeem_holds: 0,
        transfer_holds: 0,
        reserved: [0; 256],
    });
    let issuer = &mut ctx.accounts.issuer;
    issuer.securities = issuer
        .securities
        .checked_add(1)
        .ok_or(TallystickError::Overflow)?;
    issuer.invariant()?;
    ctx.accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        SecurityListed {
            issuer: issuer_key,
            security: ctx.accounts.security.key(),
            mint: mint_key,
            security_id: params.security_id,
            isin: params.isin,
            decimals: params.decimals,
            permissioned: params.permissioned,
            custody_accounts_hash: params.custody_accounts_hash,
            terms_hash: params.terms_hash,
        },
    )?;
    Ok(())
}
