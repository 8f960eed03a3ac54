use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, SeizureAccountNamed},
    instructions::require_wallet,
    state::*,
    token::TokenAccount,
};

#[event_cpi]
#[derive(Accounts)]
pub struct NameSeizureAccount<'info> {
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security.
    #[account(mut, dup, has_one = issuer @ TallystickError::SecurityOfAnotherIssuer)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// Where seizures move tokens to; absent to name none.
    #[account(constraint = seizure_account.mint == security.mint @ TallystickError::WrongTokenAccount)]
    pub seizure_account: Option<Box<Account<'info, TokenAccount>>>,
    /// CHECK: the token account names it. Its owner; absent to name none.
    #[account(constraint = seizure_account.as_ref().is_some_and(|account| account.owner == wallet.key())
        @ TallystickError::WrongWallet)]
    pub wallet: Option<UncheckedAccount<'info>>,
}

impl NameSeizureAccount<'_> {
    pub fn validate(&self) -> Result<()> {
        match &self.wallet {
            Some(wallet) => require_wallet(wallet),
            None => {
                require!(self.seizure_account.is_none(), TallystickError::WrongWallet);
                Ok(())
            }
        }
    }
}

/// Names where seizures move tokens to, after the issuer's delay; none, at once.
#[access_control(ctx.accounts.validate())]
pub fn name_seizure_account(ctx: Context<NameSeizureAccount>) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let seizure_account = accounts
        .seizure_account
        .as_ref()
        .map_or(Pubkey::default(), |account| account.key());
    let in_force_from = accounts.security.name_seizure_account(
        seizure_account,
        Clock::get()?.unix_timestamp,
        accounts.issuer.delay,
    )?;
    accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        SeizureAccountNamed {
            security: ctx.accounts.security.key(),
            seizure_account,
            in_force_from,
        },
    )?;
    Ok(())
}
