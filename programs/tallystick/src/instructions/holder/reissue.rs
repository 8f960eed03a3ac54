use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, HoldingReissued},
    state::*,
    token::{Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
pub struct Reissue<'info> {
    /// The first compliance key.
    pub compliance: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == compliance.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The second compliance key.
    pub second_compliance: Signer<'info>,
    /// Its role.
    #[account(
        constraint = second_role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = second_role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = second_role.holder == second_compliance.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub second_role: Box<Account<'info, InPlace<Role>>>,
    /// The security.
    #[account(has_one = mint @ TallystickError::MintOfAnotherSecurity)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The record of the wallet whose key is lost; suspended here.
    #[account(
        mut, dup,
        constraint = old_holder.issuer == security.issuer @ TallystickError::WrongHolderRecord,
        constraint = old_holder.wallet == old_wallet.key() @ TallystickError::WrongHolderRecord,
    )]
    pub old_holder: Box<Account<'info, InPlace<Holder>>>,
    /// The record of the same investor's new wallet.
    #[account(
        constraint = new_holder.issuer == security.issuer @ TallystickError::WrongHolderRecord,
        constraint = new_holder.wallet == destination.owner @ TallystickError::WrongHolderRecord,
    )]
    pub new_holder: Box<Account<'info, InPlace<Holder>>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    pub mint: UncheckedAccount<'info>,
    /// The token account of the old wallet.
    #[account(mut, dup, constraint = source.mint == security.mint @ TallystickError::WrongTokenAccount)]
    pub source: Box<Account<'info, TokenAccount>>,
    /// CHECK: the token account names it. Its owner, which is no account of this program.
    #[account(address = source.owner @ TallystickError::WrongWallet)]
    pub old_wallet: UncheckedAccount<'info>,
    /// A token account of the new wallet.
    #[account(
        mut, dup,
        constraint = destination.mint == security.mint @ TallystickError::WrongTokenAccount,
        constraint = destination.key() != security.escrow @ TallystickError::WrongTokenAccount,
    )]
    pub destination: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct ReissueParams {
    /// Hash of the evidence that the key is lost and the new wallet is the investor's.
    pub evidence_hash: [u8; 32],
}

impl Reissue<'_> {
    pub fn validate(&self, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        self.second_role.require_in_force(now)?;
        require!(
            self.compliance.key() != self.second_compliance.key(),
            TallystickError::SecondKeyMissing
        );
        super::require_wallet(&self.old_wallet)?;
        require!(
            self.old_holder.investor_id == self.new_holder.investor_id
                && self.old_holder.wallet != self.new_holder.wallet,
            TallystickError::NotTheSameInvestor
        );
        self.new_holder.require_approved(now)?;
        self.security.require_transfer_not_held()?;
        require!(self.source.amount > 0, TallystickError::ZeroQuantity);
        Ok(())
    }
}

/// Moves the whole balance of a wallet whose key is lost to another wallet of the same investor, suspends the old one
/// and leaves its account frozen.
pub fn reissue(ctx: Context<Reissue>, params: ReissueParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(now)?;
    let accounts = &mut *ctx.accounts;
    let raw = accounts.source.amount;
    if accounts.old_holder.suspended_at == 0 {
        accounts.old_holder.suspended_at = now;
    }
    accounts.old_holder.evidence_hash = params.evidence_hash;
    let token = Token {
        program: &accounts.token_program,
        mint: &accounts.mint,
        security: &accounts.security,
    };
    token.take(&accounts.source, &accounts.destination, raw)?;
    token.freeze(&accounts.source.to_account_info())?;
    accounts.old_holder.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        HoldingReissued {
            security: ctx.accounts.security.key(),
            source: ctx.accounts.source.key(),
            old_wallet: ctx.accounts.old_wallet.key(),
            destination: ctx.accounts.destination.key(),
            new_wallet: ctx.accounts.new_holder.wallet,
            investor_id: ctx.accounts.new_holder.investor_id,
            raw,
            evidence_hash: params.evidence_hash,
        },
    )?;
    Ok(())
}
