use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, HoldingSeized},
    state::*,
    token::{Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
pub struct Seize<'info> {
    /// The second compliance key.
    pub compliance: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == compliance.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The role of the key that proposed it, in force ever since.
    #[account(
        constraint = proposer_role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = proposer_role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = proposer_role.holder == seizure.proposer @ TallystickError::RoleOfAnotherHolder,
    )]
    pub proposer_role: Box<Account<'info, InPlace<Role>>>,
    /// The security.
    #[account(has_one = mint @ TallystickError::MintOfAnotherSecurity)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The seizure.
    #[account(
        mut, dup,
        has_one = security @ TallystickError::AccountOfAnotherSecurity,
        has_one = source @ TallystickError::WrongTokenAccount,
        has_one = wallet @ TallystickError::WrongWallet,
    )]
    pub seizure: Box<Account<'info, InPlace<Seizure>>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    pub mint: UncheckedAccount<'info>,
    /// The token account taken from.
    #[account(mut, dup, constraint = source.mint == security.mint @ TallystickError::WrongTokenAccount)]
    pub source: Box<Account<'info, TokenAccount>>,
    /// CHECK: the token account names it. Its owner, which is no account of this program.
    #[account(address = source.owner @ TallystickError::WrongWallet)]
    pub wallet: UncheckedAccount<'info>,
    /// The seizure account in force.
    #[account(
        mut, dup,
        constraint = destination.mint == security.mint @ TallystickError::WrongTokenAccount,
        constraint = destination.key() != source.key() @ TallystickError::WrongTokenAccount,
    )]
    pub destination: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl Seize<'_> {
    pub fn validate(&self, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        self.proposer_role.require_in_force(now)?;
        // Granted again since: that is not who proposed it.
        require!(
            self.proposer_role.in_force_from <= self.seizure.proposed_at,
            TallystickError::RoleNotInForce
        );
        require!(
            self.compliance.key() != self.seizure.proposer,
            TallystickError::SecondKeyMissing
        );
        self.seizure.require_proposed(now)?;
        super::require_wallet(&self.wallet)?;
        require!(
            self.destination.key() == self.security.seizure_account_at(now),
            TallystickError::WrongSeizureAccount
        );
        self.security.require_transfer_not_held()?;
        require!(
            self.seizure.raw <= self.source.amount,
            TallystickError::BalanceExceeded
        );
        Ok(())
    }
}

/// Moves the tokens to the seizure account; the source is as frozen afterwards as before.
pub fn seize(ctx: Context<Seize>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(now)?;
    let accounts = &mut *ctx.accounts;
    let (seized_by, destination) = (accounts.compliance.key(), accounts.destination.key());
    let raw = accounts.seizure.raw;
    accounts.seizure.execute(seized_by, destination, now);
    let token = Token {
        program: &accounts.token_program,
        mint: &accounts.mint,
        security: &accounts.security,
    };
    token.take(&accounts.source, &accounts.destination, raw)?;
    if accounts.source.is_frozen {
        token.freeze(&accounts.source.to_account_info())?;
    }
    accounts.seizure.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        HoldingSeized {
            security: ctx.accounts.security.key(),
            seizure: ctx.accounts.seizure.key(),
            source: ctx.accounts.source.key(),
            wallet: ctx.accounts.wallet.key(),
            destination,
            raw,
            seized_by,
        },
    )?;
    Ok(())
}
