mod approve;
mod close;
mod fund;
mod grow;
mod open;
mod pay_batch;
mod pay_entitlement;

pub use approve::*;
pub use close::*;
pub use fund::*;
pub use grow::*;
pub use open::*;
pub use pay_batch::*;
pub use pay_entitlement::*;
