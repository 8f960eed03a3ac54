use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::{require, TallystickError},
    events::{emit, HoldReleased},
    state::*,
    token::Token,
};

/// Anyone releases an expired hold. Before that: its owner, with compliance beside it for a reconciliation
/// hold; or admin and guardian together where the owner's role has ended.
#[event_cpi]
#[derive(Accounts)]
pub struct ReleaseHold<'info> {
    /// Whoever releases.
    pub authority: Signer<'info>,
    /// The issuer of the security.
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security held.
    #[account(
        mut, dup,
        has_one = issuer @ TallystickError::SecurityOfAnotherIssuer,
        has_one = mint @ TallystickError::MintOfAnotherSecurity,
    )]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The hold.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub hold: Box<Account<'info, InPlace<Hold>>>,
    /// The role that the hold was placed under.
    #[account(
        has_one = issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = owner_role.kind == hold.owner_kind @ TallystickError::RoleOfAnotherKind,
        constraint = owner_role.holder == hold.owner @ TallystickError::RoleOfAnotherHolder,
    )]
    pub owner_role: Box<Account<'info, InPlace<Role>>>,
    /// Compliance or guardian, where their consent is needed.
    pub cosigner: Option<Signer<'info>>,
    /// The cosigner's role.
    #[account(has_one = issuer @ TallystickError::RoleOfAnotherIssuer)]
    pub cosigner_role: Option<Box<Account<'info, InPlace<Role>>>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    #[account(mut)]
    pub mint: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
}

impl ReleaseHold<'_> {
    pub fn validate(&self) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.hold.require_not_released()?;
        if self.hold.has_expired(now) {
            return Ok(());
        }
        if self.owner_role.is_in_force(now) {
            require!(
                self.authority.key() == self.hold.owner,
                TallystickError::NotHoldOwner
            );
            require!(
                self.hold.owner_kind != RoleKind::Reconciliation
                    || self.is_cosigned_by(RoleKind::Compliance, now),
                TallystickError::ComplianceMissing
            );
        } else {
            require!(
                self.authority.key() == self.issuer.admin && self.is_cosigned_by(RoleKind::Guardian, now),
                TallystickError::NotHoldOwner
            );
        }
        Ok(())
    }

    fn is_cosigned_by(&self, kind: RoleKind, now: i64) -> bool {
        match (&self.cosigner, &self.cosigner_role) {
            (Some(signer), Some(role)) => {
                role.kind == kind && role.holder == signer.key() && role.is_in_force(now)
            }
            _ => false,
        }
    }
}

#[access_control(ctx.accounts.validate())]
pub fn release_hold(ctx: Context<ReleaseHold>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.hold.released_at = now;
    let scope = ctx.accounts.hold.scope;
    if ctx.accounts.security.remove_hold(scope)? {
        Token {
            program: &ctx.accounts.token_program,
            mint: &ctx.accounts.mint,
            security: &ctx.accounts.security,
        }
        .resume()?;
    }
    ctx.accounts.hold.invariant()?;
    ctx.accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        HoldReleased {
            security: ctx.accounts.security.key(),
            hold: ctx.accounts.hold.key(),
            released_by: ctx.accounts.authority.key(),
            scope,
            expired: ctx.accounts.hold.has_expired(now),
        },
    )?;
    Ok(())
}
