use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, SeizureProposed},
    state::*,
    token::TokenAccount,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: ProposeSeizureParams)]
pub struct ProposeSeizure<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The first compliance key.
    pub compliance: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == compliance.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security.
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The token account to take from.
    #[account(constraint = source.mint == security.mint @ TallystickError::WrongTokenAccount)]
    pub source: Box<Account<'info, TokenAccount>>,
    /// CHECK: the token account names it. Its owner, which is no account of this program.
    #[account(address = source.owner @ TallystickError::WrongWallet)]
    pub wallet: UncheckedAccount<'info>,
    /// The seizure; its address is used once.
    #[account(
        init,
        payer = payer,
        space = 8 + Seizure::INIT_SPACE,
        seeds = [SEIZURE_SEED, security.key().as_ref(), source.key().as_ref(), &params.seizure_id.to_le_bytes()],
        bump,
    )]
    pub seizure: Box<Account<'info, InPlace<Seizure>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct ProposeSeizureParams {
    /// Chosen by the proposer; used once for this token account.
    pub seizure_id: u64,
    /// Raw units to take; part of the balance, or all of it.
    pub raw: u64,
    /// The issuer's own table of reasons.
    pub reason_code: u16,
    /// Hash of the order or text that the seizure rests on.
    pub reason_hash: [u8; 32],
}

impl ProposeSeizure<'_> {
    pub fn validate(&self, params: &ProposeSeizureParams) -> Result<()> {
        self.role.require_in_force(Clock::get()?.unix_timestamp)?;
        super::require_wallet(&self.wallet)?;
        require!(params.raw <= self.source.amount, TallystickError::BalanceExceeded);
        Ok(())
    }
}

/// Proposes to take tokens; a second compliance key has a week to do it. Freeze the account first where its owner
/// could move them.
#[access_control(ctx.accounts.validate(&params))]
pub fn propose_seizure(ctx: Context<ProposeSeizure>, params: ProposeSeizureParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let security = ctx.accounts.security.key();
    let wallet = ctx.accounts.wallet.key();
    let source = ctx.accounts.source.key();
    let proposer = ctx.accounts.compliance.key();
    let expires_at = now.checked_add(SEIZURE_PERIOD).ok_or(TallystickError::Overflow)?;
    ctx.accounts.seizure.write(Seizure {
        version: VERSION,
        bump: ctx.bumps.seizure,
        status: SeizureStatus::Proposed,
        security,
        wallet,
        source,
        seizure_id: params.seizure_id,
        raw: params.raw,
        reason_code: params.reason_code,
        reason_hash: params.reason_hash,
        proposer,
        proposed_at: now,
        expires_at,
        seized_by: Pubkey::default(),
        destination: Pubkey::default(),
        executed_at: 0,
        reserved: [0; 64],
    });
    ctx.accounts.seizure.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        SeizureProposed {
            security,
            seizure: ctx.accounts.seizure.key(),
            source,
            wallet,
            raw: params.raw,
            reason_code: params.reason_code,
            reason_hash: params.reason_hash,
            proposer,
            expires_at,
        },
    )?;
    Ok(())
}
