use anchor_lang::prelude::*;

use crate::{
    constants::MAX_DELAY,
    errors::{require, TallystickError},
    events::{emit, ChangeVetoed},
    state::*,
};

/// Stops one change that waits, named by the subject. Pass what the change is written in and nothing else: `role` for
/// a role; `security` and `limit` for a limit; `security` for a policy, a seizure account or metadata; none for the
/// proposed admin.
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
    /// The security whose setting waits, or the one of the limit.
    #[account(mut, dup, has_one = issuer @ TallystickError::SecurityOfAnotherIssuer)]
    pub security: Option<Box<Account<'info, InPlace<Security>>>>,
    /// The limit whose setting waits.
    #[account(
        mut, dup,
        constraint = security.as_ref().is_some_and(|security| security.key() == limit.security)
            @ TallystickError::AccountOfAnotherSecurity,
    )]
    pub limit: Option<Box<Account<'info, InPlace<Limit>>>>,
    /// Compliance, where a guardian vetoes its own removal.
    pub cosigner: Option<Signer<'info>>,
    /// The cosigner's role.
    #[account(has_one = issuer @ TallystickError::RoleOfAnotherIssuer)]
    pub cosigner_role: Option<Box<Account<'info, InPlace<Role>>>>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct VetoParams {
    /// The change to stop.
    pub subject: VetoSubject,
}

impl Veto<'_> {
    pub fn validate(&self, params: &VetoParams) -> Result<()> {
        use VetoSubject::*;
        let now = Clock::get()?.unix_timestamp;
        self.guardian_role.require_in_force(now)?;
        let subject = params.subject;
        require!(
            self.role.is_some() == (subject == Role)
                && self.limit.is_some() == (subject == Limit)
                && self.security.is_some() == matches!(subject, Limit | Policy | SeizureAccount | Metadata),
            TallystickError::AmbiguousVeto
        );
        let is_its_own_removal = self
            .role
            .as_ref()
            .is_some_and(|role| role.key() == self.guardian_role.key());
        require!(
            !is_its_own_removal || self.is_cosigned_by_compliance(now),
            TallystickError::GuardianNeedsCompliance
        );
        Ok(())
    }

    /// A compliance key counts for a while after its role ended: an admin ends it at once, and a stolen one would end
    /// it first.
    fn is_cosigned_by_compliance(&self, now: i64) -> bool {
        match (&self.cosigner, &self.cosigner_role) {
            (Some(signer), Some(role)) => {
                role.kind == RoleKind::Compliance
                    && role.holder == signer.key()
                    && role.was_in_force_after(now.saturating_sub(MAX_DELAY), now)
            }
            _ => false,
        }
    }
}

#[access_control(ctx.accounts.validate(&params))]
pub fn veto(ctx: Context<Veto>, params: VetoParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = &mut *ctx.accounts;
    let issuer_key = accounts.issuer.key();
    let issuer = &mut accounts.issuer;
    let mut subject = issuer_key;
    if let Some(role) = &mut accounts.role {
        subject = role.key();
        veto_role(role, issuer, now)?;
    } else if let Some(limit) = &mut accounts.limit {
        subject = limit.key();
        require!(limit.pending_from > now, TallystickError::NothingToVeto);
        limit.drop_pending();
        limit.invariant()?;
    } else if let Some(security) = &mut accounts.security {
        subject = security.key();
        veto_setting(security, params.subject, now)?;
    } else {
        require!(issuer.pending_admin_from != 0, TallystickError::NothingToVeto);
        issuer.pending_admin = Pubkey::default();
        issuer.pending_admin_from = 0;
    }
    issuer.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        ChangeVetoed {
            issuer: issuer_key,
            guardian: ctx.accounts.guardian.key(),
            kind: params.subject,
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

/// A setting counts from its time without a step, and is past a veto then; metadata waits until it is written.
fn veto_setting(security: &mut Security, subject: VetoSubject, now: i64) -> Result<()> {
    let waits = match subject {
        VetoSubject::Policy => security.pending_policy_from > now,
        VetoSubject::SeizureAccount => security.pending_seizure_from > now,
        _ => security.pending_metadata_from != 0,
    };
    require!(waits, TallystickError::NothingToVeto);
    match subject {
        VetoSubject::Policy => security.drop_pending_policy(),
        VetoSubject::SeizureAccount => security.drop_pending_seizure_account(),
        _ => security.drop_pending_metadata(),
    }
    security.invariant()
}
