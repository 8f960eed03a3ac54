//! One account type per file: data, pure arithmetic, invariant, unit tests.

mod attestation;
mod corporate_action;
mod fill;
mod hold;
mod holder;
mod identifiers;
mod in_place;
mod issuer;
mod limit;
mod movement;
mod order;
mod policy;
mod role;
mod security;
mod shares;

pub use attestation::*;
pub use corporate_action::*;
pub use fill::*;
pub use hold::*;
pub use holder::*;
pub use identifiers::*;
pub(crate) use in_place::in_place;
pub use in_place::*;
pub use issuer::*;
pub use limit::*;
pub use movement::*;
pub use order::*;
pub use policy::*;
pub use role::*;
pub use security::*;
pub use shares::*;
