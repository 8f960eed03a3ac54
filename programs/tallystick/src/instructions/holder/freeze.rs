use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, AccountFrozen},
    state::*,
    token::{Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
pub struct FreezeAccount<'info> {
    /// The compliance key.
    pub compliance: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == compliance.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security.
    #[account(has_one = mint @ TallystickError::MintOfAnotherSecurity)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    pub mint: UncheckedAccount<'info>,
    /// The account to freeze.
    #[account(mut, dup, constraint = token_account.mint == security.mint @ TallystickError::WrongTokenAccount)]
    pub token_account: Box<Account<'info, TokenAccount>>,
    /// CHECK: the token account names it. Its owner, which is no account of this program.
    #[account(address = token_account.owner @ TallystickError::WrongWallet)]
    pub wallet: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct FreezeAccountParams {
    /// The issuer's own table of reasons.
    pub reason_code: u16,
    /// Hash of the text or evidence behind the reason.
    pub reason_hash: [u8; 32],
}

impl FreezeAccount<'_> {
    pub fn validate(&self, params: &FreezeAccountParams) -> Result<()> {
        self.role.require_in_force(Clock::get()?.unix_timestamp)?;
        super::require_wallet(&self.wallet)?;
        require!(!self.token_account.is_frozen, TallystickError::AlreadyFrozen);
        require!(params.reason_hash != [0; 32], TallystickError::HashMissing);
        Ok(())
    }
}

/// Stops everything in and out of one token account, returns of a redemption into it too.
#[access_control(ctx.accounts.validate(&params))]
pub fn freeze_account(ctx: Context<FreezeAccount>, params: FreezeAccountParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    Token {
        program: &accounts.token_program,
        mint: &accounts.mint,
        security: &accounts.security,
    }
    .freeze(&accounts.token_account.to_account_info())?;
    emit(
        &ctx.accounts.event_authority,
        AccountFrozen {
            security: ctx.accounts.security.key(),
            token_account: ctx.accounts.token_account.key(),
            wallet: ctx.accounts.wallet.key(),
            frozen_by: ctx.accounts.compliance.key(),
            reason_code: params.reason_code,
            reason_hash: params.reason_hash,
        },
    )?;
    Ok(())
}
