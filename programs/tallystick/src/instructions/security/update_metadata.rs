use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, MetadataUpdated},
    instructions::MetadataParams,
    state::*,
    token::Token,
};

#[event_cpi]
#[derive(Accounts)]
pub struct UpdateMetadata<'info> {
    /// Pays rent for what the mint grows by.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security.
    #[account(
        mut, dup,
        has_one = issuer @ TallystickError::SecurityOfAnotherIssuer,
        has_one = mint @ TallystickError::MintOfAnotherSecurity,
    )]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    #[account(mut)]
    pub mint: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl UpdateMetadata<'_> {
    pub fn validate(&self, params: &MetadataParams) -> Result<()> {
        let security = &self.security;
        require!(
            security.pending_metadata_from != 0
                && params.hash(&security.key())? == security.pending_metadata_hash,
            TallystickError::MetadataNotAnnounced
        );
        require!(
            Clock::get()?.unix_timestamp >= security.pending_metadata_from,
            TallystickError::NoticeNotOver
        );
        Ok(())
    }
}

/// Writes the metadata and terms that were announced, into the mint and the security.
#[access_control(ctx.accounts.validate(&params))]
pub fn update_metadata(ctx: Context<UpdateMetadata>, params: MetadataParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let content_hash = accounts.security.pending_metadata_hash;
    Token {
        program: &accounts.token_program,
        mint: &accounts.mint,
        security: &accounts.security,
    }
    .update_metadata(
        &accounts.payer,
        params.name,
        super::text(&params.ticker),
        params.uri,
        super::text(&params.isin),
    )?;
    let security = &mut accounts.security;
    if security.isin != params.isin {
        security.previous_isin = security.isin;
        security.isin = params.isin;
    }
    security.ticker = params.ticker;
    security.terms_hash = params.terms_hash;
    security.drop_pending_metadata();
    security.invariant()?;
    let previous_isin = security.previous_isin;
    emit(
        &ctx.accounts.event_authority,
        MetadataUpdated {
            security: ctx.accounts.security.key(),
            content_hash,
            isin: params.isin,
            previous_isin,
            terms_hash: params.terms_hash,
        },
    )?;
    Ok(())
}
