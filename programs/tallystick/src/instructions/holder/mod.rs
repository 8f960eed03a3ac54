mod approve;
mod suspend;

pub use approve::*;
pub use suspend::*;
