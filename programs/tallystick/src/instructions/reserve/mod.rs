mod attest;

pub use attest::*;
