use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, DistributionApproved},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct ApproveDistribution<'info> {
    /// The second key, of corporate actions.
    pub approver: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == distribution.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::CorporateActions @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == approver.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The corporate action.
    #[account(mut, dup)]
    pub action: Box<Account<'info, InPlace<CorporateAction>>>,
    /// The distribution.
    #[account(mut, dup, has_one = action @ TallystickError::DistributionOfAnotherAction)]
    pub distribution: Box<Account<'info, InPlace<Distribution>>>,
}

/// What decides who gets the money, as the approver knows it from elsewhere: it signs for this, not for an address at
/// which a node may show it something else.
#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct ApproveDistributionParams {
    /// Root of the tree of batches.
    pub root: [u8; 32],
    /// Entries in all batches.
    pub entries: u64,
    /// What all entries come to, in raw units of the payment mint.
    pub total: u64,
    /// The token account to which closing sends the rest.
    pub refund: Pubkey,
    /// Unix seconds from which it may be closed though not everybody was paid.
    pub expires_at: i64,
}

impl ApproveDistribution<'_> {
    pub fn validate(&self, params: &ApproveDistributionParams) -> Result<()> {
        self.role.require_in_force(Clock::get()?.unix_timestamp)?;
        self.action.require_pays()?;
        let distribution = &self.distribution;
        distribution.require_open()?;
        require_keys_neq!(
            self.approver.key(),
            distribution.opener,
            TallystickError::OpenerCannotApprove
        );
        require!(
            distribution.to_account_info().data_len() == Distribution::full_length(distribution.batches),
            TallystickError::DistributionNotGrown
        );
        require!(
            distribution.root == params.root
                && distribution.entries == params.entries
                && distribution.total == params.total
                && distribution.refund == params.refund
                && distribution.expires_at == params.expires_at,
            TallystickError::DistributionDiffers
        );
        Ok(())
    }
}

/// Lets a distribution be funded and pay. The first one makes its action executed.
#[access_control(ctx.accounts.validate(&params))]
pub fn approve_distribution(
    ctx: Context<ApproveDistribution>,
    params: ApproveDistributionParams,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let action = &mut ctx.accounts.action;
    if action.status == ActionStatus::Approved {
        action.execute(now)?;
    }
    action.invariant()?;
    let distribution = &mut ctx.accounts.distribution;
    distribution.status = DistributionStatus::Approved;
    distribution.root_approver = ctx.accounts.approver.key();
    distribution.approved_at = now;
    distribution.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        DistributionApproved {
            distribution: ctx.accounts.distribution.key(),
            action: ctx.accounts.action.key(),
            root_approver: ctx.accounts.approver.key(),
            root: params.root,
            total: params.total,
        },
    )?;
    Ok(())
}
