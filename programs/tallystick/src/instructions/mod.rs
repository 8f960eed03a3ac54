//! One instruction per file: accounts, params, handler, event.

pub mod corporate_action;
pub mod distribution;
pub mod holder;
pub mod issuer;
pub mod order;
pub mod report;
pub mod reserve;
pub mod security;

pub use {
    corporate_action::*, distribution::*, holder::*, issuer::*, order::*, report::*, reserve::*, security::*,
};
