use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, AccountThawed},
    state::*,
    token::{Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
pub struct ThawAccount<'info> {
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
    pub security: Box<Account<'info, placed::Security>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    pub mint: UncheckedAccount<'info>,
    /// The account to thaw.
    #[account(mut, dup, constraint = token_account.mint == security.mint @ TallystickError::WrongTokenAccount)]
    pub token_account: Box<Account<'info, TokenAccount>>,
    /// CHECK: the token account names it. Its owner, which is no account of this program.
    #[account(address = token_account.owner @ TallystickError::WrongWallet)]
    pub wallet: UncheckedAccount<'info>,
    /// CHECK: its address; `validate` reads it. The owner's holder record, which need not exist where the security is
    /// open.
    #[account(seeds = [HOLDER_SEED, security.issuer.as_ref(), wallet.key.as_ref()], bump)]
    pub holder: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct ThawAccountParams {
    /// The issuer's own table of reasons.
    pub reason_code: u16,
    /// Hash of the text or evidence behind the reason.
    pub reason_hash: [u8; 32],
}

impl ThawAccount<'_> {
    pub fn validate(&self, params: &ThawAccountParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.role.require_in_force(now)?;
        super::require_wallet(&self.wallet)?;
        require!(self.token_account.is_frozen, TallystickError::NotFrozen);
        require!(params.reason_hash != [0; 32], TallystickError::HashMissing);
        if self.security.permissioned {
            require!(
                self.holder.owner == &crate::ID,
                TallystickError::HolderRecordMissing
            );
            InPlace::<Holder>::try_deserialize(&mut &self.holder.try_borrow_data()?[..])?
                .require_may_order(self.security.policy_at(now).allowed_classes, now)?;
        }
        Ok(())
    }
}

/// Lets a frozen token account take part again; of a permissioned security only where its owner may hold it.
#[access_control(ctx.accounts.validate(&params))]
pub fn thaw_account(ctx: Context<ThawAccount>, params: ThawAccountParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    Token {
        program: &accounts.token_program,
        mint: &accounts.mint,
        security: &accounts.security,
    }
    .thaw(&accounts.token_account.to_account_info())?;
    emit(
        &ctx.accounts.event_authority,
        AccountThawed {
            security: ctx.accounts.security.key(),
            token_account: ctx.accounts.token_account.key(),
            wallet: ctx.accounts.wallet.key(),
            thawed_by: ctx.accounts.compliance.key(),
            reason_code: params.reason_code,
            reason_hash: params.reason_hash,
        },
    )?;
    Ok(())
}
