use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use crate::{
    errors::TallystickError,
    events::{emit, MetadataAnnounced},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct AnnounceMetadata<'info> {
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security.
    #[account(mut, dup, has_one = issuer @ TallystickError::SecurityOfAnotherIssuer)]
    pub security: Box<Account<'info, InPlace<Security>>>,
}

/// What wallets show, and the terms. Announced first, and written as announced.
#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct MetadataParams {
    /// The token's name, up to 64 bytes.
    pub name: String,
    /// UTF-8, zero padded; the token's symbol.
    pub ticker: [u8; 16],
    /// Where the token's metadata points, up to 200 bytes.
    pub uri: String,
    /// ISO 6166.
    pub isin: [u8; 12],
    /// SHA-256 of the terms.
    pub terms_hash: [u8; 32],
}

impl MetadataParams {
    /// SHA-256("tallystick:metadata", security, Borsh of this).
    pub fn hash(&self, security: &Pubkey) -> Result<[u8; 32]> {
        let mut bytes = Vec::with_capacity(512);
        self.serialize(&mut bytes)?;
        Ok(hashv(&[b"tallystick:metadata", security.as_ref(), &bytes]).to_bytes())
    }
}

/// Announces metadata and terms, to be written after the policy's notice. Announcing again starts anew.
pub fn announce_metadata(ctx: Context<AnnounceMetadata>, params: MetadataParams) -> Result<()> {
    super::require_metadata(
        &params.name,
        &params.ticker,
        &params.uri,
        &params.isin,
        &params.terms_hash,
    )?;
    let now = Clock::get()?.unix_timestamp;
    let security_key = ctx.accounts.security.key();
    let content_hash = params.hash(&security_key)?;
    let security = &mut ctx.accounts.security;
    let writable_from = now
        .checked_add(security.policy_at(now).notice)
        .ok_or(TallystickError::Overflow)?;
    security.pending_metadata_hash = content_hash;
    security.pending_metadata_from = writable_from;
    security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        MetadataAnnounced {
            security: security_key,
            name: params.name,
            ticker: params.ticker,
            uri: params.uri,
            isin: params.isin,
            terms_hash: params.terms_hash,
            content_hash,
            writable_from,
        },
    )?;
    Ok(())
}
