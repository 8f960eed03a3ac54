use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};

use crate::{
    constants::*,
    errors::{require, TallystickError},
    events::{emit, IssuerInitialized},
    state::*,
};

#[event_cpi]
#[derive(Accounts)]
#[instruction(params: InitializeParams)]
pub struct Initialize<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The first admin, to whose key the issuer's address is bound.
    pub admin: Signer<'info>,
    /// Names itself: it stands above every rule of this program.
    #[account(constraint = program_data.upgrade_authority == Some(upgrade_authority.key())
        @ TallystickError::NotUpgradeAuthority)]
    pub upgrade_authority: Signer<'info>,
    /// This program's own record at the loader.
    #[account(
        seeds = [crate::ID.as_ref()],
        bump,
        seeds::program = bpf_loader_upgradeable::ID,
    )]
    pub program_data: Account<'info, LoaderRecord>,
    /// The issuer.
    #[account(
        init,
        payer = payer,
        space = 8 + Issuer::INIT_SPACE,
        seeds = [ISSUER_SEED, &Issuer::id(admin.key, params.nonce)],
        bump,
    )]
    pub issuer: Box<Account<'info, InPlace<Issuer>>>,
    /// The first guardian, in force at once, so that no change is ever without a veto.
    #[account(
        init,
        payer = payer,
        space = 8 + Role::INIT_SPACE,
        seeds = [ROLE_SEED, issuer.key().as_ref(), &RoleKind::Guardian.seed(), params.guardian.as_ref()],
        bump,
    )]
    pub guardian_role: Box<Account<'info, InPlace<Role>>>,
    pub system_program: Program<'info, System>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct InitializeParams {
    /// Chosen by the admin; with its key, the issuer's address.
    pub nonce: u64,
    /// Key of the first guardian.
    pub guardian: Pubkey,
    /// Seconds that grants, loosened policies and admin moves wait.
    pub delay: i64,
    /// UTF-8, zero padded.
    pub name: [u8; 64],
    /// Legal entity identifier, ISO 17442.
    pub lei: [u8; 20],
}

impl Initialize<'_> {
    pub fn validate(&self, params: &InitializeParams) -> Result<()> {
        require!(params.guardian != Pubkey::default(), TallystickError::DefaultKey);
        require!(
            params.guardian != self.admin.key(),
            TallystickError::KeyHoldsAnotherRole
        );
        require!(is_text(&params.name), TallystickError::BadText);
        require!(is_lei(&params.lei), TallystickError::BadLei);
        Ok(())
    }
}

#[access_control(ctx.accounts.validate(&params))]
pub fn initialize(ctx: Context<Initialize>, params: InitializeParams) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let admin = ctx.accounts.admin.key();
    ctx.accounts.issuer.write(Issuer {
        version: VERSION,
        bump: ctx.bumps.issuer,
        issuer_id: Issuer::id(&admin, params.nonce),
        admin,
        pending_admin: Pubkey::default(),
        pending_admin_from: 0,
        delay: params.delay,
        attestor_epoch: 0,
        securities: 0,
        name: params.name,
        lei: params.lei,
        days_hash: [0; 32],
        days: 0,
        last_day: 0,
        last_report: Pubkey::default(),
        last_report_hash: [0; 32],
        last_period: 0,
        reserved: [0; 128],
    });
    let issuer = ctx.accounts.issuer.key();
    ctx.accounts.guardian_role.write(Role {
        version: VERSION,
        bump: ctx.bumps.guardian_role,
        issuer,
        kind: RoleKind::Guardian,
        holder: params.guardian,
        granted_at: now,
        in_force_from: now,
        ends_at: i64::MAX,
        served_until: 0,
        grants: 1,
        reserved: [0; 64],
    });
    ctx.accounts.issuer.invariant()?;
    ctx.accounts.guardian_role.invariant()?;
    emit(
        &ctx.accounts.event_authority,
        IssuerInitialized {
            issuer,
            admin,
            guardian: params.guardian,
            upgrade_authority: ctx.accounts.upgrade_authority.key(),
            delay: params.delay,
        },
    )?;
    Ok(())
}

/// What this program reads of its own record at the loader. Anchor's `ProgramData` reads the same through serde, which
/// would be a tenth of this program.
#[derive(Clone)]
pub struct LoaderRecord {
    /// Absent once the program can never be upgraded again.
    pub upgrade_authority: Option<Pubkey>,
}

impl LoaderRecord {
    /// `UpgradeableLoaderState::ProgramData`, the fourth of its kind; then the slot of the last deployment.
    const KIND: [u8; 4] = 3u32.to_le_bytes();
    const AUTHORITY: usize = 12;
}

impl AccountDeserialize for LoaderRecord {
    fn try_deserialize_unchecked(data: &mut &[u8]) -> Result<Self> {
        require!(data.starts_with(&Self::KIND), ErrorCode::AccountNotProgramData);
        let upgrade_authority = match data.get(Self::AUTHORITY..) {
            Some([0, ..]) => None,
            Some([1, key @ ..]) => key
                .first_chunk()
                .map(|key| Some(Pubkey::new_from_array(*key)))
                .ok_or(ErrorCode::AccountDidNotDeserialize)?,
            _ => return err!(ErrorCode::AccountDidNotDeserialize),
        };
        Ok(Self { upgrade_authority })
    }
}

impl AccountSerialize for LoaderRecord {}

impl Owner for LoaderRecord {
    fn owner() -> Pubkey {
        bpf_loader_upgradeable::ID
    }
}

#[cfg(feature = "idl-build")]
impl anchor_lang::IdlBuild for LoaderRecord {}

#[cfg(feature = "idl-build")]
impl Discriminator for LoaderRecord {
    const DISCRIMINATOR: &'static [u8] = &[];
}
