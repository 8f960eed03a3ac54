use anchor_lang::prelude::*;

use crate::{
    errors::{require, TallystickError},
    events::{emit, AdminProposed},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct ProposeAdmin<'info> {
    /// The admin that hands over.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(mut, dup, has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct ProposeAdminParams {
    /// The next admin; the default key withdraws an earlier proposal.
    pub pending_admin: Pubkey,
}

pub fn propose_admin(ctx: Context<ProposeAdmin>, params: ProposeAdminParams) -> Result<()> {
    let issuer = &mut ctx.accounts.issuer;
    require!(
        params.pending_admin != issuer.admin,
        TallystickError::KeyHoldsAnotherRole
    );
    issuer.pending_admin = params.pending_admin;
    issuer.pending_admin_from = if params.pending_admin == Pubkey::default() {
        0
    } else {
        Clock::get()?
            .unix_timestamp
            .checked_add(issuer.delay)
            .ok_or(TallystickError::Overflow)?
    };
    issuer.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        AdminProposed {
            issuer: ctx.accounts.issuer.key(),
            admin: ctx.accounts.admin.key(),
            pending_admin: params.pending_admin,
            acceptable_from: ctx.accounts.issuer.pending_admin_from,
        },
    )?;
    Ok(())
}
