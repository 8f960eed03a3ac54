mod list;
mod place_hold;
mod release_hold;
mod retire;
mod set_limit;

pub use list::*;
pub use place_hold::*;
pub use release_hold::*;
pub use retire::*;
pub use set_limit::*;
