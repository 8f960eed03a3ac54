use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, RoleGranted},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: GrantRoleParams)]
pub struct GrantRole<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(mut, dup, has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The role; one that ended earlier is granted again in place.
    #[account(
        init_if_needed,
        dup,
        payer = payer,
        space = 8 + Role::INIT_SPACE,
        seeds = [ROLE_SEED, issuer.key().as_ref(), &params.kind.seed(), params.holder.as_ref()],
        bump,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The attestor role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Attestor.seed(), params.holder.as_ref()], bump)]
    pub attestor_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The operator role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Operator.seed(), params.holder.as_ref()], bump)]
    pub operator_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The compliance role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Compliance.seed(), params.holder.as_ref()], bump)]
    pub compliance_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The corporate_actions role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::CorporateActions.seed(), params.holder.as_ref()], bump)]
    pub corporate_actions_role: UncheckedAccount<'info>,
    /// CHECK: its address; `require_no_exclusive_role` reads it. The guardian role of that key, if any.
    #[account(seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Guardian.seed(), params.holder.as_ref()], bump)]
    pub guardian_role: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct GrantRoleParams {
    /// What the key may do.
    pub kind: RoleKind,
    /// The key.
    pub holder: Pubkey,
}

impl GrantRole<'_> {
    pub fn validate(&self, params: &GrantRoleParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        require!(params.holder != Pubkey::default(), TallystickError::DefaultKey);
        require!(!self.role.has_not_ended(now), TallystickError::RoleAlreadyGranted);
        if !params.kind.is_exclusive() {
            return Ok(());
        }
        require!(
            params.holder != self.issuer.admin && params.holder != self.issuer.pending_admin,
            TallystickError::KeyHoldsAnotherRole
        );
        require_no_exclusive_role(
            [
                &self.attestor_role,
                &self.operator_role,
                &self.compliance_role,
                &self.corporate_actions_role,
                &self.guardian_role,
            ],
            Some(self.role.key()),
            now,
        )
    }
}

#[access_control(ctx.accounts.validate(&params))]
pub fn grant_role(ctx: Context<GrantRole>, params: GrantRoleParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let issuer_key = ctx.accounts.issuer.key();
    let issuer = &mut ctx.accounts.issuer;
    if params.kind == RoleKind::Attestor {
        issuer.attestor_epoch = issuer
            .attestor_epoch
            .checked_add(1)
            .ok_or(TallystickError::Overflow)?;
    }
    let in_force_from = now.checked_add(issuer.delay).ok_or(TallystickError::Overflow)?;
    let grants = ctx
        .accounts
        .role
        .grants
        .checked_add(1)
        .ok_or(TallystickError::Overflow)?;
    let served_until = ctx.accounts.role.last_in_force(now);
    ctx.accounts.role.write(Role {
        version: VERSION,
        bump: ctx.bumps.role,
        issuer: issuer_key,
        kind: params.kind,
        holder: params.holder,
        granted_at: now,
        in_force_from,
        ends_at: i64::MAX,
        served_until,
        grants,
        reserved: [0; 64],
    });
    ctx.accounts.issuer.invariant()?;
    ctx.accounts.role.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        RoleGranted {
            issuer: issuer_key,
            role: ctx.accounts.role.key(),
            kind: params.kind,
            holder: params.holder,
            in_force_from,
            attestor_epoch: ctx.accounts.issuer.attestor_epoch,
        },
    )?;
    Ok(())
}
