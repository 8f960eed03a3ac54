mod accept_admin;
mod grant_role;
mod initialize;
mod propose_admin;
mod revoke_role;
mod veto;

pub use accept_admin::*;
pub use grant_role::*;
pub use initialize::*;
pub use propose_admin::*;
pub use revoke_role::*;
pub use veto::*;
