//! The only code that calls Token-2022, always signed by the security's address.

use anchor_lang::{
    prelude::*,
    solana_program::{
        program::{invoke, invoke_signed},
        program_pack::Pack,
    },
    system_program,
};
use anchor_spl::{
    associated_token,
    token_2022::spl_token_2022::{
        self,
        extension::{
            default_account_state, metadata_pointer, pausable, permissioned_burn, scaled_ui_amount,
            AccountType, ExtensionType,
        },
        state::AccountState,
    },
    token_2022_extensions::spl_token_metadata_interface::{
        self,
        state::{Field, TokenMetadata},
    },
};

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::{double_bits, InPlace, Security},
};

/// What this program reads of a Token-2022 mint. Reading the extensions behind it as well would cost 2,000
/// compute units; Token-2022 checks them again in every call.
#[derive(Clone, Debug)]
pub struct Mint {
    /// Raw units that exist.
    pub supply: u64,
}

/// What this program reads of a Token-2022 token account.
#[derive(Clone, Debug)]
pub struct TokenAccount {
    pub mint: Pubkey,
    pub owner: Pubkey,
    /// Raw units.
    pub amount: u64,
    pub is_frozen: bool,
}

/// Length of a token account without extensions, at which the byte that tells mints from accounts follows.
const BASE_LENGTH: usize = spl_token_2022::state::Account::LEN;

impl AccountDeserialize for Mint {
    fn try_deserialize_unchecked(data: &mut &[u8]) -> Result<Self> {
        require!(
            data.get(BASE_LENGTH) == Some(&(AccountType::Mint as u8)),
            TallystickError::MintOfAnotherSecurity
        );
        Ok(Self {
            supply: u64::from_le_bytes(field(data, 36)?),
        })
    }
}

impl AccountDeserialize for TokenAccount {
    fn try_deserialize_unchecked(data: &mut &[u8]) -> Result<Self> {
        require!(
            data.len() == BASE_LENGTH || data.get(BASE_LENGTH) == Some(&(AccountType::Account as u8)),
            TallystickError::WrongTokenAccount
        );
        Ok(Self {
            mint: field(data, 0)?.into(),
            owner: field(data, 32)?.into(),
            amount: u64::from_le_bytes(field(data, 64)?),
            is_frozen: field(data, 108)? == [AccountState::Frozen as u8],
        })
    }
}

fn field<const N: usize>(data: &[u8], offset: usize) -> Result<[u8; N]> {
    data.get(offset..offset + N)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| TallystickError::WrongTokenAccount.into())
}

macro_rules! owned_by_token_2022 {
    ($($name:ident),*) => {$(
        impl AccountSerialize for $name {}
        impl Owner for $name {
            fn owner() -> Pubkey {
                spl_token_2022::ID
            }
        }
        #[cfg(feature = "idl-build")]
        impl anchor_lang::IdlBuild for $name {}
        #[cfg(feature = "idl-build")]
        impl anchor_lang::Discriminator for $name {
            const DISCRIMINATOR: &'static [u8] = &[];
        }
    )*};
}
owned_by_token_2022!(Mint, TokenAccount);

/// Everything a security's mint carries. Never a mint close authority: a mint that is closed and made again
/// under old token accounts escapes pause. Never confidential transfers, never a hook.
const EXTENSIONS: [ExtensionType; 6] = [
    ExtensionType::MetadataPointer,
    ExtensionType::PermanentDelegate,
    ExtensionType::DefaultAccountState,
    ExtensionType::ScaledUiAmount,
    ExtensionType::Pausable,
    ExtensionType::PermissionedBurn,
];

/// What wallets show, and the two fields that tie the token to the register of securities.
pub struct Metadata {
    pub name: String,
    pub symbol: String,
    pub uri: String,
    pub isin: String,
    pub issuer: String,
}

pub struct NewMint<'a, 'info> {
    pub payer: &'a AccountInfo<'info>,
    pub mint: &'a AccountInfo<'info>,
    /// Seeds and bump of the mint's address.
    pub mint_seeds: &'a [&'a [u8]],
    pub security: &'a AccountInfo<'info>,
    /// Seeds and bump of the security's address.
    pub security_seeds: &'a [&'a [u8]],
    pub escrow: &'a AccountInfo<'info>,
    pub token_program: &'a AccountInfo<'info>,
    pub associated_token_program: &'a AccountInfo<'info>,
    pub system_program: &'a AccountInfo<'info>,
}

impl NewMint<'_, '_> {
    /// Creates the mint with its extensions and metadata, and the escrow. The security holds every authority. Token
    /// accounts of a permissioned one start frozen, all but the escrow.
    pub fn create(&self, decimals: u8, permissioned: bool, metadata: Metadata) -> Result<()> {
        let token_metadata = TokenMetadata {
            update_authority: Some(*self.security.key)
                .try_into()
                .map_err(|_| ProgramError::InvalidArgument)?,
            mint: *self.mint.key,
            name: metadata.name,
            symbol: metadata.symbol,
            uri: metadata.uri,
            additional_metadata: vec![
                ("isin".to_string(), metadata.isin),
                ("issuer".to_string(), metadata.issuer),
            ],
        };
        let space = ExtensionType::try_calculate_account_len::<spl_token_2022::state::Mint>(&EXTENSIONS)?;
        let rent = Rent::get()?.minimum_balance(space + token_metadata.tlv_size_of()?);
        self.create_account(space, rent)?;
        self.initialize_extensions(permissioned)?;
        let instruction = spl_token_2022::instruction::initialize_mint2(
            self.token_program.key,
            self.mint.key,
            self.security.key,
            Some(self.security.key),
            decimals,
        )?;
        invoke(&instruction, core::slice::from_ref(self.mint))?;
        self.write_metadata(token_metadata)?;
        associated_token::create(CpiContext::new(
            *self.associated_token_program.key,
            associated_token::Create {
                payer: self.payer.clone(),
                associated_token: self.escrow.clone(),
                authority: self.security.clone(),
                mint: self.mint.clone(),
                system_program: self.system_program.clone(),
                token_program: self.token_program.clone(),
            },
        ))?;
        if permissioned {
            let instruction = spl_token_2022::instruction::thaw_account(
                self.token_program.key,
                self.escrow.key,
                self.mint.key,
                self.security.key,
                &[],
            )?;
            let accounts = [self.escrow.clone(), self.mint.clone(), self.security.clone()];
            invoke_signed(&instruction, &accounts, &[self.security_seeds])?;
        }
        Ok(())
    }

    /// Creates the mint's account; lamports that somebody sent to its address beforehand do not stop that.
    fn create_account(&self, space: usize, rent: u64) -> Result<()> {
        let missing = rent.saturating_sub(self.mint.lamports());
        if missing > 0 {
            system_program::transfer(
                CpiContext::new(
                    *self.system_program.key,
                    system_program::Transfer {
                        from: self.payer.clone(),
                        to: self.mint.clone(),
                    },
                ),
                missing,
            )?;
        }
        let seeds = [self.mint_seeds];
        system_program::allocate(
            CpiContext::new_with_signer(
                *self.system_program.key,
                system_program::Allocate {
                    account_to_allocate: self.mint.clone(),
                },
                &seeds,
            ),
            space as u64,
        )?;
        system_program::assign(
            CpiContext::new_with_signer(
                *self.system_program.key,
                system_program::Assign {
                    account_to_assign: self.mint.clone(),
                },
                &seeds,
            ),
            self.token_program.key,
        )
    }

    fn initialize_extensions(&self, permissioned: bool) -> Result<()> {
        let state = if permissioned {
            AccountState::Frozen
        } else {
            AccountState::Initialized
        };
        let (program, mint, security) = (self.token_program.key, self.mint.key, self.security.key);
        for instruction in [
            metadata_pointer::instruction::initialize(program, mint, Some(*security), Some(*mint))?,
            spl_token_2022::instruction::initialize_permanent_delegate(program, mint, security)?,
            default_account_state::instruction::initialize_default_account_state(program, mint, &state)?,
            scaled_ui_amount::instruction::initialize(program, mint, Some(*security), 1.0)?,
            pausable::instruction::initialize(program, mint, security)?,
            permissioned_burn::instruction::initialize(program, mint, security)?,
        ] {
            invoke(&instruction, core::slice::from_ref(self.mint))?;
        }
        Ok(())
    }

    fn write_metadata(&self, metadata: TokenMetadata) -> Result<()> {
        let accounts = [self.mint.clone(), self.security.clone()];
        let instruction = spl_token_metadata_interface::instruction::initialize(
            self.token_program.key,
            self.mint.key,
            self.security.key,
            self.mint.key,
            self.security.key,
            metadata.name,
            metadata.symbol,
            metadata.uri,
        );
        invoke_signed(&instruction, &accounts, &[self.security_seeds])?;
        for (key, value) in metadata.additional_metadata {
            let instruction = spl_token_metadata_interface::instruction::update_field(
                self.token_program.key,
                self.mint.key,
                self.security.key,
                Field::Key(key),
                value,
            );
            invoke_signed(&instruction, &accounts, &[self.security_seeds])?;
        }
        Ok(())
    }
}

/// The accounts every later call needs.
pub struct Token<'a, 'info> {
    pub program: &'a AccountInfo<'info>,
    pub mint: &'a AccountInfo<'info>,
    pub security: &'a Account<'info, InPlace<Security>>,
}

impl<'info> Token<'_, 'info> {
    /// Mints `raw` units to `destination`.
    pub fn mint_to(&self, destination: &AccountInfo<'info>, raw: u64) -> Result<()> {
        let instruction = spl_token_2022::instruction::mint_to(
            self.program.key,
            self.mint.key,
            destination.key,
            &self.security.key(),
            &[],
            raw,
        )?;
        self.invoke(
            &instruction,
            &[
                self.mint.clone(),
                destination.clone(),
                self.security.to_account_info(),
            ],
        )
    }

    /// Moves `raw` units as permanent delegate, which for the escrow is its owner too. The delegate rather than
    /// the holder's own signature passes a holder's CPI guard; callers have checked that the holder signed.
    pub fn transfer(
        &self,
        source: &AccountInfo<'info>,
        destination: &AccountInfo<'info>,
        raw: u64,
    ) -> Result<()> {
        let instruction = spl_token_2022::instruction::transfer_checked(
            self.program.key,
            source.key,
            self.mint.key,
            destination.key,
            &self.security.key(),
            &[],
            raw,
            self.security.decimals,
        )?;
        self.invoke(
            &instruction,
            &[
                source.clone(),
                self.mint.clone(),
                destination.clone(),
                self.security.to_account_info(),
            ],
        )
    }

    /// Burns `raw` units, as permanent delegate and as permissioned burn authority.
    pub fn burn(&self, source: &AccountInfo<'info>, raw: u64) -> Result<()> {
        let security = self.security.key();
        let instruction = permissioned_burn::instruction::burn(
            self.program.key,
            source.key,
            self.mint.key,
            &security,
            &security,
            &[],
            raw,
        )?;
        self.invoke(
            &instruction,
            &[source.clone(), self.mint.clone(), self.security.to_account_info()],
        )
    }

    /// Stops transfers, mints and burns.
    pub fn pause(&self) -> Result<()> {
        let instruction =
            pausable::instruction::pause(self.program.key, self.mint.key, &self.security.key(), &[])?;
        self.invoke(
            &instruction,
            &[self.mint.clone(), self.security.to_account_info()],
        )
    }

    /// Lets transfers, mints and burns go on.
    pub fn resume(&self) -> Result<()> {
        let instruction =
            pausable::instruction::resume(self.program.key, self.mint.key, &self.security.key(), &[])?;
        self.invoke(
            &instruction,
            &[self.mint.clone(), self.security.to_account_info()],
        )
    }

    /// Has amounts shown by `multiplier`, 18 places, from `effective_at`; at once where that is not ahead.
    pub fn set_multiplier(&self, multiplier: u128, effective_at: i64) -> Result<()> {
        let instruction = scaled_ui_amount::instruction::update_multiplier(
            self.program.key,
            self.mint.key,
            &self.security.key(),
            &[],
            f64::from_bits(double_bits(multiplier)),
            effective_at,
        )?;
        self.invoke(
            &instruction,
            &[self.mint.clone(), self.security.to_account_info()],
        )
    }

    /// Lets nothing in or out of `account`.
    pub fn freeze(&self, account: &AccountInfo<'info>) -> Result<()> {
        let instruction = spl_token_2022::instruction::freeze_account(
            self.program.key,
            account.key,
            self.mint.key,
            &self.security.key(),
            &[],
        )?;
        self.invoke(
            &instruction,
            &[
                account.clone(),
                self.mint.clone(),
                self.security.to_account_info(),
            ],
        )
    }

    /// Lets a frozen `account` take part again.
    pub fn thaw(&self, account: &AccountInfo<'info>) -> Result<()> {
        let instruction = spl_token_2022::instruction::thaw_account(
            self.program.key,
            account.key,
            self.mint.key,
            &self.security.key(),
            &[],
        )?;
        self.invoke(
            &instruction,
            &[
                account.clone(),
                self.mint.clone(),
                self.security.to_account_info(),
            ],
        )
    }

    /// Moves `raw` units out of an account whose owner did not sign, frozen or not; the caller says what becomes of it.
    pub fn take(
        &self,
        source: &Account<'info, TokenAccount>,
        destination: &Account<'info, TokenAccount>,
        raw: u64,
    ) -> Result<()> {
        require!(!destination.is_frozen, TallystickError::DestinationFrozen);
        // A frozen account stops even the permanent delegate.
        let source_info = source.to_account_info();
        if source.is_frozen {
            self.thaw(&source_info)?;
        }
        self.transfer(&source_info, &destination.to_account_info(), raw)
    }

    /// Writes name, symbol, URI and ISIN of the mint; `payer` pays for what it grows by.
    pub fn update_metadata(
        &self,
        payer: &AccountInfo<'info>,
        name: String,
        symbol: String,
        uri: String,
        isin: String,
    ) -> Result<()> {
        let accounts = [self.mint.clone(), self.security.to_account_info()];
        for (field, value) in [
            (Field::Name, name),
            (Field::Symbol, symbol),
            (Field::Uri, uri),
            (Field::Key("isin".to_string()), isin),
        ] {
            let instruction = spl_token_metadata_interface::instruction::update_field(
                self.program.key,
                self.mint.key,
                &self.security.key(),
                field,
                value,
            );
            self.invoke(&instruction, &accounts)?;
        }
        let missing = Rent::get()?
            .minimum_balance(self.mint.data_len())
            .saturating_sub(self.mint.lamports());
        if missing == 0 {
            return Ok(());
        }
        let accounts = system_program::Transfer {
            from: payer.clone(),
            to: self.mint.clone(),
        };
        system_program::transfer(CpiContext::new(system_program::ID, accounts), missing)
    }

    fn invoke(
        &self,
        instruction: &anchor_lang::solana_program::instruction::Instruction,
        accounts: &[AccountInfo<'info>],
    ) -> Result<()> {
        let bump = [self.security.bump];
        invoke_signed(
            instruction,
            accounts,
            &[&[SECURITY_SEED, self.security.mint.as_ref(), &bump]],
        )
        .map_err(Into::into)
    }
}
