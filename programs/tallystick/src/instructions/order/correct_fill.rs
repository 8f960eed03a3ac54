use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, FillCorrected},
    state::*,
    token::{Mint, Token, TokenAccount},
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: CorrectFillParams)]
pub struct CorrectFill<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The operator.
    pub operator: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == security.issuer @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Operator @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == operator.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The owner of the inventory, who agrees to the burn.
    pub inventory_owner: Signer<'info>,
    /// The security.
    #[account(mut, dup)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// What the operator may mint and burn.
    #[account(
        mut, dup,
        has_one = security @ TallystickError::AccountOfAnotherSecurity,
        constraint = limit.holder == operator.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub limit: Box<Account<'info, InPlace<Limit>>>,
    /// The wrong mint.
    #[account(
        mut, dup,
        has_one = security @ TallystickError::WrongFill,
        constraint = fill.kind == FillKind::Mint @ TallystickError::WrongFill,
    )]
    pub fill: Box<Account<'info, placed::Fill>>,
    /// The correction: a fill of its own that names the wrong one.
    #[account(
        init,
        payer = payer,
        space = 8 + Fill::INIT_SPACE,
        seeds = [CORRECTION_SEED, fill.key().as_ref(), &fill.corrections.to_le_bytes()],
        bump,
    )]
    pub correction: Box<Account<'info, InPlace<Fill>>>,
    /// The security's mint.
    #[account(mut, dup, address = security.mint @ TallystickError::MintOfAnotherSecurity)]
    pub mint: Box<Account<'info, Mint>>,
    /// Tokens that the issuer holds.
    #[account(
        mut, dup,
        constraint = inventory.owner == inventory_owner.key() @ TallystickError::WrongTokenAccount,
        constraint = inventory.mint == security.mint @ TallystickError::WrongTokenAccount,
    )]
    pub inventory: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct CorrectFillParams {
    /// Raw token units to burn.
    pub raw: u64,
}

impl CorrectFill<'_> {
    pub fn validate(&self, params: &CorrectFillParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        self.role.require_in_force(now)?;
        self.security.policy_at(now).require_within_bounds()?;
        self.security.require_redeem_not_held()?;
        require!(params.raw > 0, TallystickError::ZeroQuantity);
        Ok(())
    }
}

/// Undoes part of a wrong mint by burning inventory. The movement stays used: what was minted against it once
/// is never minted against it again.
#[access_control(ctx.accounts.validate(&params))]
pub fn correct_fill(ctx: Context<CorrectFill>, params: CorrectFillParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = &mut *ctx.accounts;
    let security_key = accounts.security.key();
    let fill_key = accounts.fill.key();
    let multiplier = accounts.security.multiplier_at(now);
    let shares = shares_rounded_down(params.raw, multiplier)?;
    accounts.fill.correct(params.raw)?;
    accounts.limit.use_burn(params.raw, now)?;
    accounts.security.burn(params.raw, accounts.mint.supply)?;
    accounts.correction.write(Fill {
        version: VERSION,
        bump: ctx.bumps.correction,
        kind: FillKind::Correction,
        security: security_key,
        movement: accounts.fill.movement,
        order: accounts.fill.order,
        shares,
        raw: params.raw,
        multiplier,
        settled_at: now,
        corrects: fill_key,
        corrected_raw: 0,
        corrections: 0,
        reserved: [0; 64],
    });
    Token {
        program: &accounts.token_program,
        mint: &accounts.mint.to_account_info(),
        security: &accounts.security,
    }
    .burn(&accounts.inventory.to_account_info(), params.raw)?;
    accounts.correction.invariant()?;
    accounts.security.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        FillCorrected {
            security: security_key,
            fill: fill_key,
            correction: ctx.accounts.correction.key(),
            inventory: ctx.accounts.inventory.key(),
            raw: params.raw,
            shares,
        },
    )?;
    Ok(())
}
