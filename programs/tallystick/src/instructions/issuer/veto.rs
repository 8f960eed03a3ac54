use anchor_lang::prelude::*;

use crate::{
    errors::TallystickError,
    events::{emit, ChangeVetoed},
    state::*,
};

/// Pass `role` to veto a grant that waits, or a guardian's removal; `limit` to veto a loosened limit; neither
/// to veto the proposed admin.
#[event_cpi]
#[derive(Accounts)]
pub struct Veto<'info> {
    /// The guardian.
    pub guardian: Signer<'info>,
    /// The guardian's role.
    #[account(
        has_one = issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = guardian_role.kind == RoleKind::Guardian @ TallystickError::RoleOfAnotherKind,
        constraint = guardian_role.holder == guardian.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub guardian_role: Box<Account<'info, InPlace<Role>>>,
    /// The issuer.
    #[account(mut, dup)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The role whose grant or removal waits.
    #[account(mut, dup, has_one = issuer @ TallystickError::RoleOfAnotherIssuer)]
    pub role: Option<Box<Account<'info, InPlace<Role>>>>,
    /// The security of the limit.
    #[account(has_one = issuer @ TallystickError::SecurityOfAnotherIssuer)]
    pub security: Option<Box<Account<'info, InPlace<Security>>>>,
    /// The limit whose setting waits.
    #[account(
        mut, dup,
        constraint = security.as_ref().is_some_and(|security| security.key() == limit.security)
            @ TallystickError::AccountOfAnotherSecurity,
    )]
    pub limit: Option<Box<Account<'info, InPlace<Limit>>>>,
}

impl Veto<'_> {
    pub fn validate(&self) -> Result<()> {
        self.guardian_role
            .require_in_force(Clock::get()?.unix_timestamp)?;
        require!(
            self.role.is_none() || self.limit.is_none(),
            TallystickError::AmbiguousVeto
        );
        Ok(())
    }
}

#[access_control(ctx.accounts.validate())]
pub fn veto(ctx: Context<Veto>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let issuer_key = ctx.accounts.issuer.key();
    let issuer = &mut ctx.accounts.issuer;
    let subject = if let Some(role) = &mut ctx.accounts.role {
        veto_role(role, issuer, now)?;
        role.key()
    } else if let Some(limit) = &mut ctx.accounts.limit {
        require!(limit.pending_from > now, TallystickError::NothingToVeto);
        limit.drop_pending();
        limit.invariant()?;
        limit.key()
    } else {
        require!(issuer.pending_admin_from != 0, TallystickError::NothingToVeto);
        issuer.pending_admin = Pubkey::default();
        issuer.pending_admin_from = 0;
        issuer_key
    };
    issuer.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        ChangeVetoed {
            issuer: issuer_key,
            guardian: ctx.accounts.guardian.key(),
            subject,
        },
    )?;
    Ok(())
}

fn veto_role(role: &mut Role, issuer: &mut Issuer, now: i64) -> Result<()> {
    if role.in_force_from > now && role.ends_at == i64::MAX {
        role.ends_at = now;
        if role.kind == RoleKind::Attestor {
            issuer.attestor_epoch = issuer
                .attestor_epoch
                .checked_add(1)
                .ok_or(TallystickError::Overflow)?;
        }
    } else {
        require!(
            role.is_in_force(now) && role.ends_at != i64::MAX,
            TallystickError::NothingToVeto
        );
        role.ends_at = i64::MAX;
    }
    role.invariant()
}
