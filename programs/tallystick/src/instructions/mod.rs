//! One instruction per file: accounts, params, handler, event.

pub mod holder;
pub mod issuer;
pub mod order;
pub mod reserve;
pub mod security;

pub use {holder::*, issuer::*, order::*, reserve::*, security::*};
