mod close_day;
mod draw_day;
mod publish_report;
mod request_draw;

pub use close_day::*;
pub use draw_day::*;
pub use publish_report::*;
pub use request_draw::*;
