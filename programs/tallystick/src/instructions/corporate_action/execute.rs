use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, ActionExecuted},
    state::*,
    token::Token,
};

#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteAction<'info> {
    /// A corporate actions key.
    pub executor: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::CorporateActions @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == executor.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The role of the key that approved the action.
    #[account(
        constraint = approver_role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = approver_role.kind == RoleKind::CorporateActions @ TallystickError::RoleOfAnotherKind,
    )]
    pub approver_role: Box<Account<'info, InPlace<Role>>>,
    /// The security it happens to.
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

impl ExecuteAction<'_> {
    pub fn validate(&self, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        super::require_live_approval(&self.action, &self.approver_role, now)?;
        require!(
            self.action.kind.changes_multiplier(),
            TallystickError::ActionOfWrongKind
        );
        // The policy may have been tightened since the announcement.
        self.action
            .terms
            .require_within_bound(self.security.policy_at(now))
    }
}

/// Lets the multiplier change at the action's effective time, here and in Token-2022.
pub fn execute_action(ctx: Context<ExecuteAction>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(now)?;
    let accounts = &mut *ctx.accounts;
    let terms = accounts.action.terms;
    let effective_at = terms.effective_at;
    let security = &mut accounts.security;
    security.schedule_change(terms.numerator, terms.denominator, effective_at, now)?;
    let (multiplier_before, multiplier_after) = (security.multiplier, security.pending_multiplier);
    accounts.action.execute(now)?;
    accounts.action.multiplier_before = multiplier_before;
    accounts.action.multiplier_after = multiplier_after;
    let token = Token {
        program: &accounts.token_program,
        mint: &accounts.mint,
        security: &accounts.security,
    };
    // The current one first: programs before Token-2022 v11 forget one that matured when the next is set.
    token.set_multiplier(multiplier_before, now)?;
    token.set_multiplier(multiplier_after, effective_at)?;
    accounts.action.invariant()?;
    accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        ActionExecuted {
            security: ctx.accounts.security.key(),
            action: ctx.accounts.action.key(),
            executed_by: ctx.accounts.executor.key(),
            multiplier_before,
            multiplier_after,
            effective_at,
        },
    )?;
    Ok(())
}
