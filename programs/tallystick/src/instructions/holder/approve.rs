use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, HolderApproved},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: ApproveHolderParams)]
pub struct ApproveHolder<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The compliance key.
    pub compliance: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == issuer.key() @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Compliance @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == compliance.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The issuer.
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The holder's record; a suspended or lapsed one is approved again in place.
    #[account(
        init_if_needed,
        dup,
        payer = payer,
        space = 8 + Holder::INIT_SPACE,
        seeds = [HOLDER_SEED, issuer.key().as_ref(), params.wallet.as_ref()],
        bump,
    )]
    pub holder: Box<Account<'info, InPlace<Holder>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct ApproveHolderParams {
    /// The wallet that may order.
    pub wallet: Pubkey,
    /// Salted hash of the investor's record.
    pub investor_id: [u8; 32],
    /// Permission classes, one bit each.
    pub classes: u64,
    /// Unix seconds at which the approval lapses.
    pub approved_until: i64,
    /// Hash of the evidence that the approval rests on.
    pub evidence_hash: [u8; 32],
}

impl ApproveHolder<'_> {
    pub fn validate(&self, params: &ApproveHolderParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.role.require_in_force(now)?;
        require!(params.wallet != Pubkey::default(), TallystickError::DefaultKey);
        require!(params.approved_until > now, TallystickError::ApprovalInThePast);
        Ok(())
    }
}

#[access_control(ctx.accounts.validate(&params))]
pub fn approve_holder(ctx: Context<ApproveHolder>, params: ApproveHolderParams) -> Result<()> {
    let issuer = ctx.accounts.issuer.key();
    ctx.accounts.holder.write(Holder {
        version: VERSION,
        bump: ctx.bumps.holder,
        issuer,
        wallet: params.wallet,
        investor_id: params.investor_id,
        classes: params.classes,
        approved_until: params.approved_until,
        suspended_at: 0,
        evidence_hash: params.evidence_hash,
        reserved: [0; 64],
    });
    ctx.accounts.holder.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        HolderApproved {
            issuer,
            holder: ctx.accounts.holder.key(),
            wallet: params.wallet,
            classes: params.classes,
            approved_until: params.approved_until,
        },
    )?;
    Ok(())
}
