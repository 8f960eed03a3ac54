use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, AttestationApproved, ReserveAttested},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: AttestParams)]
pub struct Attest<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The attestor: approvals are transactions, never detached signatures.
    pub attestor: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == issuer.key() @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Attestor @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == attestor.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The issuer, for its attestor epoch.
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The security attested.
    #[account(mut, dup, has_one = issuer @ TallystickError::SecurityOfAnotherIssuer)]
    pub security: Box<Account<'info, InPlace<Security>>>,
    /// The attestation; the first attestor creates it.
    #[account(
        init_if_needed,
        dup,
        payer = payer,
        space = 8 + Attestation::INIT_SPACE,
        seeds = [ATTESTATION_SEED, security.key().as_ref(), params.content_hash.as_ref()],
        bump,
    )]
    pub attestation: Box<Account<'info, InPlace<Attestation>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct AttestParams {
    /// Hash of `content`; part of the attestation's address.
    pub content_hash: [u8; 32],
    /// SHA-256 of the statement files as this attestor received them.
    pub received_hash: [u8; 32],
    /// What is claimed; every attestor sends the same.
    pub content: AttestationContent,
}

impl Attest<'_> {
    pub fn validate(&self, params: &AttestParams) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        let content = &params.content;
        self.role.require_in_force(now)?;
        require!(
            content.hash(&self.security.key())? == params.content_hash,
            TallystickError::ContentHashDiffers
        );
        require!(params.received_hash != [0; 32], TallystickError::HashMissing);
        content.require_consistent()?;
        let (custody_accounts_hash, custody_accounts) = self.security.custody_accounts_at(now);
        require!(
            content.lines.len() == usize::from(custody_accounts)
                && content.custody_accounts_hash() == custody_accounts_hash,
            TallystickError::CustodyAccountsDiffer
        );
        require!(
            content.lines.iter().all(|line| line.as_of <= now),
            TallystickError::AsOfInTheFuture
        );
        self.security
            .require_newer(content.as_of, content.supersedes, now)?;
        self.security.require_redeemed_settled(content.redeemed)
    }
}

#[access_control(ctx.accounts.validate(&params))]
pub fn attest(ctx: Context<Attest>, params: AttestParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let epoch = ctx.accounts.issuer.attestor_epoch;
    let security_key = ctx.accounts.security.key();
    let attestation_key = ctx.accounts.attestation.key();
    let threshold = ctx.accounts.security.policy_at(now).threshold;
    let content = params.content;
    let attestation = &mut ctx.accounts.attestation;
    if attestation.version == 0 {
        attestation.write(Attestation {
            version: VERSION,
            bump: ctx.bumps.attestation,
            security: security_key,
            content_hash: params.content_hash,
            as_of: content.as_of,
            shares: content.shares,
            redeemed: content.redeemed,
            supersedes: content.supersedes,
            epoch,
            in_force_at: 0,
            approval_count: 0,
            approvals: [Approval::NONE; MAX_ATTESTORS as usize],
            reserved: [0; 64],
        });
    }
    attestation.approve(
        Approval {
            attestor: ctx.accounts.attestor.key(),
            received_hash: params.received_hash,
            approved_at: now,
        },
        epoch,
    )?;
    let approvals = attestation.approval_count;
    let comes_in_force = approvals >= threshold;
    if comes_in_force {
        attestation.in_force_at = now;
        ctx.accounts.security.put_in_force(
            attestation_key,
            &params.content_hash,
            content.shares,
            content.redeemed,
            content.as_of,
        )?;
    }
    ctx.accounts.attestation.invariant()?;
    ctx.accounts.security.invariant()?;
    let (as_of, shares, redeemed) = (content.as_of, content.shares, content.redeemed);
    emit(
        &ctx.accounts.event_authority,
        AttestationApproved {
            security: security_key,
            attestation: attestation_key,
            attestor: ctx.accounts.attestor.key(),
            received_hash: params.received_hash,
            approvals,
            threshold,
            epoch,
            content,
        },
    )?;
    if comes_in_force {
        emit(
            &ctx.accounts.event_authority,
            ReserveAttested {
                security: security_key,
                attestation: attestation_key,
                as_of,
                shares,
                redeemed,
                attestations_hash: ctx.accounts.security.attestations_hash,
            },
        )?;
    }
    Ok(())
}
