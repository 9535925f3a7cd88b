//! Embeds the header of `data/index.pack`, so that health can tell what chat serves.

#![expect(clippy::expect_used, reason = "a build script reports by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    let pack = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("../../data/index.pack");
    println!("cargo:rerun-if-changed={}", pack.display());
    let header = fs::read(&pack).ok().and_then(|bytes| header(&bytes));
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("pack.json");
    fs::write(out, header.as_deref().unwrap_or("null")).expect("OUT_DIR can be written");
}

/// The pack's JSON header: see `core/src/pack/format.rs` for the format.
fn header(pack: &[u8]) -> Option<String> {
    let length = u32::from_le_bytes(pack.get(12..16)?.try_into().ok()?) as usize;
    String::from_utf8(pack.get(20..20 + length)?.to_vec()).ok()
}
