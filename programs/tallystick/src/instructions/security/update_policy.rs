use anchor_lang::prelude::*;

use crate::{
    errors::TallystickError,
    events::{emit, PolicyUpdated},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
pub struct UpdatePolicy<'info> {
    /// The issuer's admin.
    pub admin: Signer<'info>,
    /// The issuer.
    #[account(has_one = admin @ TallystickError::NotAdmin)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security.
    #[account(mut, dup, has_one = issuer @ TallystickError::SecurityOfAnotherIssuer)]
    pub security: Box<Account<'info, InPlace<Security>>>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct UpdatePolicyParams {
    /// The whole new policy.
    pub policy: Policy,
    /// SHA-256 of the sorted hashes of the declared custody accounts.
    pub custody_accounts_hash: [u8; 32],
    /// How many custody accounts that is.
    pub custody_accounts: u8,
}

/// Sets policy and custody accounts: at once when nothing is loosened, else after the issuer's delay.
pub fn update_policy(ctx: Context<UpdatePolicy>, params: UpdatePolicyParams) -> Result<()> {
    let in_force_from = ctx.accounts.security.set_policy(
        params.policy,
        params.custody_accounts_hash,
        params.custody_accounts,
        Clock::get()?.unix_timestamp,
        ctx.accounts.issuer.delay,
    )?;
    ctx.accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        PolicyUpdated {
            security: ctx.accounts.security.key(),
            policy: params.policy,
            custody_accounts_hash: params.custody_accounts_hash,
            custody_accounts: params.custody_accounts,
            in_force_from,
        },
    )?;
    Ok(())
}
