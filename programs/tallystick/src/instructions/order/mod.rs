mod accept_redemption;
mod cancel_redemption;
mod cancel_subscription;
mod correct_fill;
mod open_subscription;
mod request_redemption;
mod settle_redemption;
mod settle_subscription;
mod withdraw_redemption;

pub use accept_redemption::*;
pub use cancel_redemption::*;
pub use cancel_subscription::*;
pub use correct_fill::*;
pub use open_subscription::*;
pub use request_redemption::*;
pub use settle_redemption::*;
pub use settle_subscription::*;
pub use withdraw_redemption::*;

use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    once::Slot,
    state::*,
    token::Token,
};

/// Whose order it is.
#[derive(PartialEq)]
enum Party {
    Holder,
    Operator,
}

/// The holder of an order by its signature alone, or an operator by its role.
fn require_party(
    authority: &Signer,
    role: Option<&Account<InPlace<Role>>>,
    wallet: &Pubkey,
    issuer: &Pubkey,
    now: i64,
) -> Result<Party> {
    let Some(role) = role else {
        require!(authority.key() == *wallet, TallystickError::NotHolderNorOperator);
        return Ok(Party::Holder);
    };
    require!(role.issuer == *issuer, TallystickError::RoleOfAnotherIssuer);
    require!(
        role.kind == RoleKind::Operator,
        TallystickError::RoleOfAnotherKind
    );
    require!(
        role.holder == authority.key(),
        TallystickError::RoleOfAnotherHolder
    );
    role.require_in_force(now)?;
    Ok(Party::Operator)
}

/// What a return of escrowed tokens takes.
struct Return<'a, 'info> {
    token_program: &'a AccountInfo<'info>,
    mint: &'a AccountInfo<'info>,
    escrow: &'a AccountInfo<'info>,
    destination: &'a AccountInfo<'info>,
}

impl<'info> Return<'_, 'info> {
    /// Ends a redemption with `status` and returns what was not burnt; how many raw units that is.
    fn of(
        &self,
        order: &mut Account<'info, InPlace<Order>>,
        security: &mut Account<'info, InPlace<Security>>,
        status: OrderStatus,
        now: i64,
    ) -> Result<u64> {
        let raw = order.open_quantity();
        security.release_escrow(raw, order.status == OrderStatus::Accepted)?;
        order.set_status(status, now);
        Token {
            program: self.token_program,
            mint: self.mint,
            security,
        }
        .transfer(self.escrow, self.destination, raw)?;
        order.invariant()?;
        security.invariant()?;
        Ok(raw)
    }
}

/// What the caller says of a movement in the custodian's books.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy)]
pub struct MovementParams {
    /// SHA-256("tallystick:movement", custodian LEI, account, reference).
    pub reference_hash: [u8; 32],
    /// Shares x 10^decimals that moved in all.
    pub shares: u64,
}

/// A movement as recorded at its first use, which is now if there was none; later uses must say the same of it.
fn record_movement<'info>(
    slot: &Slot<'_, 'info>,
    payer: &AccountInfo<'info>,
    security: Pubkey,
    direction: Direction,
    params: MovementParams,
    now: i64,
) -> Result<InPlace<Movement>> {
    if let Some(movement) = slot.read::<Movement>()? {
        require!(
            movement.direction == direction && movement.shares == params.shares,
            TallystickError::MovementDiffers
        );
        return Ok(movement);
    }
    slot.make(
        payer,
        Movement {
            version: VERSION,
            bump: slot.bump(),
            security,
            reference_hash: params.reference_hash,
            direction,
            shares: params.shares,
            allocated: 0,
            recorded_at: now,
            reserved: [0; 64],
        },
    )
}
