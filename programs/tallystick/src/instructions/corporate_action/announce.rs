use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, ActionAnnounced},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: AnnounceActionParams)]
pub struct AnnounceAction<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The corporate actions key.
    pub announcer: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::CorporateActions @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == announcer.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security it happens to.
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The action; its address is used once.
    #[account(
        init,
        payer = payer,
        space = 8 + CorporateAction::INIT_SPACE,
        seeds = [
            ACTION_SEED,
            security.key().as_ref(),
            params.event_hash.as_ref(),
            &params.action_version.to_le_bytes(),
        ],
        bump,
    )]
    pub action: Box<Account<'info, InPlace<CorporateAction>>>,
    /// The version before; absent for version 1.
    #[account(mut, dup, has_one = security @ TallystickError::AccountOfAnotherSecurity)]
    pub replaced: Option<Box<Account<'info, InPlace<CorporateAction>>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct AnnounceActionParams {
    /// SHA-256 of the custodian's event id.
    pub event_hash: [u8; 32],
    /// From 1, each one more than the version it replaces.
    pub action_version: u16,
    /// What happens.
    pub kind: ActionKind,
    /// What it brings, and when.
    pub terms: ActionTerms,
}

impl AnnounceAction<'_> {
    pub fn validate(&self, params: &AnnounceActionParams, now: i64) -> Result<()> {
        self.role.require_in_force(now)?;
        // A retired security still pays what is due, and its redemptions follow its shares through later splits.
        if params.kind.retires() {
            self.security.require_active()?;
        }
        require!(params.event_hash != [0; 32], TallystickError::HashMissing);
        params
            .terms
            .require_fit(params.kind, self.security.policy_at(now), now)
    }
}

/// Announces an action, whose notice starts now; a version before is replaced, however far it was.
pub fn announce_action(ctx: Context<AnnounceAction>, params: AnnounceActionParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(&params, now)?;
    let accounts = &mut *ctx.accounts;
    let security = accounts.security.key();
    let replaces = match &mut accounts.replaced {
        Some(previous) => {
            previous.replace(&params.event_hash, params.action_version, now)?;
            previous.invariant()?;
            previous.key()
        }
        None => {
            require!(params.action_version == 1, TallystickError::WrongActionVersion);
            Pubkey::default()
        }
    };
    accounts.action.write(CorporateAction {
        version: VERSION,
        bump: ctx.bumps.action,
        kind: params.kind,
        status: ActionStatus::Announced,
        security,
        event_hash: params.event_hash,
        action_version: params.action_version,
        replaces,
        terms: params.terms,
        announcer: accounts.announcer.key(),
        approver: Pubkey::default(),
        announced_at: now,
        approved_at: 0,
        status_at: now,
        multiplier_before: 0,
        multiplier_after: 0,
        distributions: 0,
        reserved: [0; 64],
    });
    accounts.action.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        ActionAnnounced {
            security,
            action: ctx.accounts.action.key(),
            event_hash: params.event_hash,
            action_version: params.action_version,
            replaces,
            kind: params.kind,
            terms: params.terms,
            announcer: ctx.accounts.announcer.key(),
        },
    )?;
    Ok(())
}
