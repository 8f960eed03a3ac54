//! One account type per file: data, pure arithmetic, invariant, unit tests.

mod attestation;
mod fill;
mod hold;
mod holder;
mod issuer;
mod limit;
mod movement;
mod order;
mod role;
mod security;

pub use attestation::*;
pub use fill::*;
pub use hold::*;
pub use holder::*;
pub use issuer::*;
pub use limit::*;
pub use movement::*;
pub use order::*;
pub use role::*;
pub use security::*;
