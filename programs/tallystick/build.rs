//! Turns Anchor's entrypoint off where this crate's own takes its place (src/entrypoint.rs). Who depends on the crate with
//! `cpi` or `no-entrypoint` gets neither.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_NO_ENTRYPOINT").is_none() {
        println!("cargo:rustc-cfg=feature=\"no-entrypoint\"");
        println!("cargo:rustc-cfg=own_entrypoint");
    }
}
