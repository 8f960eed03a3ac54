use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, HoldPlaced},
    state::*,
    token::Token,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: PlaceHoldParams)]
pub struct PlaceHold<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The key that will own the hold.
    pub owner: Signer<'info>,
    /// The owner's role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.holder == owner.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The security to hold.
    #[account(mut, dup, has_one = mint @ TallystickError::MintOfAnotherSecurity)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The hold; its address is used once.
    #[account(
        init,
        payer = payer,
        space = 8 + Hold::INIT_SPACE,
        seeds = [HOLD_SEED, security.key().as_ref(), owner.key.as_ref(), &params.hold_id.to_le_bytes()],
        bump,
    )]
    pub hold: Box<Account<'info, InPlace<Hold>>>,
    /// CHECK: the security names it; Token-2022 checks what it is.
    #[account(mut)]
    pub mint: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct PlaceHoldParams {
    /// Chosen by the owner; used once.
    pub hold_id: u64,
    /// Bits: 1 mint, 2 redeem, 4 transfer.
    pub scope: u8,
    /// The issuer's own table of reasons.
    pub reason_code: u16,
    /// Hash of the text or evidence behind the reason.
    pub reason_hash: [u8; 32],
    /// Unix seconds; absent means until released, which machine roles may not ask for.
    pub expires_at: Option<i64>,
}

impl PlaceHold<'_> {
    pub fn validate(&self) -> Result<()> {
        self.role.require_in_force(Clock::get()?.unix_timestamp)?;
        require!(self.role.kind.may_hold(), TallystickError::RoleCannotHold);
        Ok(())
    }
}

#[access_control(ctx.accounts.validate())]
pub fn place_hold(ctx: Context<PlaceHold>, params: PlaceHoldParams) -> Result<()> {
    let expires_at = params.expires_at.unwrap_or(i64::MAX);
    let security_key = ctx.accounts.security.key();
    ctx.accounts.hold.write(Hold {
        version: VERSION,
        bump: ctx.bumps.hold,
        security: security_key,
        owner: ctx.accounts.owner.key(),
        owner_kind: ctx.accounts.role.kind,
        hold_id: params.hold_id,
        scope: params.scope,
        reason_code: params.reason_code,
        reason_hash: params.reason_hash,
        placed_at: Clock::get()?.unix_timestamp,
        expires_at,
        released_at: 0,
        reserved: [0; 64],
    });
    ctx.accounts.hold.invariant()?;
    if ctx.accounts.security.add_hold(params.scope)? {
        Token {
            program: &ctx.accounts.token_program,
            mint: &ctx.accounts.mint,
            security: &ctx.accounts.security,
        }
        .pause()?;
    }
    ctx.accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        HoldPlaced {
            security: security_key,
            hold: ctx.accounts.hold.key(),
            owner: ctx.accounts.owner.key(),
            owner_kind: ctx.accounts.role.kind,
            scope: params.scope,
            reason_code: params.reason_code,
            expires_at,
        },
    )?;
    Ok(())
}
