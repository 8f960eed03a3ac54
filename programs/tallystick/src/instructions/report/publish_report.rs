use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, ReportPublished},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: PublishReportParams)]
pub struct PublishReport<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The publisher.
    pub publisher: Signer<'info>,
    /// Its role.
    #[account(
        constraint = role.issuer == issuer.key() @ TallystickError::RoleOfAnotherIssuer,
        constraint = role.kind == RoleKind::Publisher @ TallystickError::RoleOfAnotherKind,
        constraint = role.holder == publisher.key() @ TallystickError::RoleOfAnotherHolder,
    )]
    pub role: Box<Account<'info, InPlace<Role>>>,
    /// The issuer, which keeps the last publication.
    #[account(mut, dup)]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The report.
    #[account(
        init,
        payer = payer,
        space = 8 + ReserveReport::INIT_SPACE,
        seeds = [
            REPORT_SEED,
            issuer.key().as_ref(),
            &params.period.to_le_bytes(),
            &params.report_version.to_le_bytes(),
        ],
        bump,
    )]
    pub report: Box<Account<'info, InPlace<ReserveReport>>>,
    /// The issuer's last publication; none before its first.
    pub previous: Option<Box<Account<'info, InPlace<ReserveReport>>>>,
    /// The version that this one corrects; none for version 1.
    pub corrects: Option<Box<Account<'info, InPlace<ReserveReport>>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct PublishReportParams {
    /// The period, YYYYMM as a number, UTC.
    pub period: u32,
    /// 1 for the first publication of the period, one more for each correction.
    pub report_version: u16,
    /// SHA-256 of the report's canonical JSON.
    pub hash: [u8; 32],
    /// Where the report is, UTF-8, zero padded.
    pub uri: [u8; 200],
    /// The slot at which the report's figures were read.
    pub as_of_slot: u64,
}

impl PublishReport<'_> {
    pub fn validate(&self, params: &PublishReportParams) -> Result<()> {
        let clock = Clock::get()?;
        self.role.require_in_force(clock.unix_timestamp)?;
        require_keys_eq!(
            self.previous
                .as_ref()
                .map_or(Pubkey::default(), |previous| previous.key()),
            self.issuer.last_report,
            TallystickError::NotLastReport
        );
        require_period_ended(params.period, clock.unix_timestamp)?;
        match &self.corrects {
            None => {
                require!(params.report_version == 1, TallystickError::ReportNotNext);
                require!(
                    params.period > self.issuer.last_period,
                    TallystickError::PeriodPublished
                );
            }
            Some(corrects) => require!(
                corrects.issuer == self.issuer.key()
                    && corrects.period == params.period
                    && corrects.report_version.checked_add(1) == Some(params.report_version),
                TallystickError::ReportNotNext
            ),
        }
        require!(is_text(&params.uri), TallystickError::BadText);
        require!(params.as_of_slot <= clock.slot, TallystickError::SlotInTheFuture);
        Ok(())
    }
}

/// Puts a report's hash on record, after the issuer's last one and beside the version it corrects.
#[access_control(ctx.accounts.validate(&params))]
pub fn publish_report(ctx: Context<PublishReport>, params: PublishReportParams) -> Result<()> {
    let accounts = &mut *ctx.accounts;
    let issuer = accounts.issuer.key();
    let report = accounts.report.key();
    let published_by = accounts.publisher.key();
    let (previous, previous_hash) = (accounts.issuer.last_report, accounts.issuer.last_report_hash);
    let corrects = accounts
        .corrects
        .as_ref()
        .map_or(Pubkey::default(), |corrects| corrects.key());
    let days_hash = accounts.issuer.days_hash;
    accounts.report.write(ReserveReport {
        version: VERSION,
        bump: ctx.bumps.report,
        issuer,
        period: params.period,
        report_version: params.report_version,
        hash: params.hash,
        uri: params.uri,
        as_of_slot: params.as_of_slot,
        previous,
        previous_hash,
        corrects,
        days_hash,
        published_by,
        published_at: Clock::get()?.unix_timestamp,
        reserved: [0; 64],
    });
    accounts.issuer.publish(report, params.hash, params.period);
    accounts.report.invariant()?;
    accounts.issuer.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        ReportPublished {
            issuer,
            report,
            period: params.period,
            report_version: params.report_version,
            hash: params.hash,
            as_of_slot: params.as_of_slot,
            previous,
            previous_hash,
            corrects,
            days_hash,
            published_by,
        },
    )?;
    Ok(())
}
