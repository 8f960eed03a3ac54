use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, ActionCancelled},
    state::*,
    token::Token,
};

#[event_cpi]
#[derive(Accounts)]
pub struct CancelAction<'info> {
    /// A corporate actions key or a guardian.
    pub authority: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = matches!(role.kind, RoleKind::CorporateActions | RoleKind::Guardian)
            @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == authority.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security it would happen to.
    #[account(mut, dup, has_one = mint @ TallystickError::MintOfAnotherSecurity)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The action.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub action: Box<Account<'info, InPlace<CorporateAction>>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    #[account(mut)]
    pub mint: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct CancelActionParams {
    /// The issuer's own table of reasons.
    pub reason_code: u16,
    /// Hash of the text or evidence behind the reason.
    pub reason_hash: [u8; 32],
}

impl CancelAction<'_> {
    pub fn validate(&self, params: &CancelActionParams, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        require!(params.reason_hash != [0; 32], TallystickError::HashMissing);
        Ok(())
    }
}

/// Cancels an action that has not taken effect, and takes back the multiplier change it set in motion.
pub fn cancel_action(ctx: Context<CancelAction>, params: CancelActionParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(&params, now)?;
    let accounts = &mut *ctx.accounts;
    let previous_status = accounts.action.status;
    if accounts.action.cancel(now)? {
        let effective_at = accounts.action.terms.effective_at;
        accounts.security.take_change_back(effective_at, now)?;
        Token {
            program: &accounts.token_program,
            mint: &accounts.mint,
            security: &accounts.security,
        }
        .set_multiplier(accounts.security.multiplier, now)?;
    }
    accounts.action.invariant()?;
    accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        ActionCancelled {
            security: ctx.accounts.security.key(),
            action: ctx.accounts.action.key(),
            cancelled_by: ctx.accounts.authority.key(),
            previous_status,
            reason_code: params.reason_code,
            reason_hash: params.reason_hash,
        },
    )?;
    Ok(())
}
