//! Embeds the index pack and the model, each if it is there.
//!
//! `data/index.pack` comes from `cargo xtask index`; the model from `cargo xtask model`, in the
//! folder `DOSSIER_MODEL_DIR` or in the user's cache. Without them the component builds all the
//! same: it then waits for a published pack, or searches on its lexical leg alone.
#![expect(clippy::expect_used, reason = "a build script reports by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy as _;

/// As in `data/models.toml`, with the precision that `dossier model` writes.
const MODEL: &str = "all-minilm-l6-v2-int8";

/// `CONVERTER` of the command line.
const CONVERTER: u32 = 3;

fn main() {
    println!("cargo:rerun-if-env-changed=DOSSIER_MODEL_DIR");
    let pack = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("../../data/index.pack");
    let model = model_folder();
    let mut code = format!("pub(crate) static PACK: Option<&[u8]> = {};\n", embed(&pack));
    code += &format!("pub(crate) const MODEL: &str = {MODEL:?};\n");
    for (name, file) in [
        ("TOKENIZER", "tokenizer.json"),
        ("VOCABULARY", "vocabulary.txt"),
        ("WEIGHTS", "weights.safetensors"),
    ] {
        let bytes = embed(&model.join(file));
        code += &format!("pub(crate) static {name}: Option<&[u8]> = {bytes};\n");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("embedded.rs"), code).expect("OUT_DIR can be written");
}

fn model_folder() -> PathBuf {
    if let Some(folder) = env::var_os("DOSSIER_MODEL_DIR") {
        return folder.into();
    }
    let user = etcetera::choose_base_strategy();
    user.map_or_else(
        |_| PathBuf::new(),
        |user| user.cache_dir().join("dossier").join("models").join(format!("{MODEL}.{CONVERTER}")),
    )
}

fn embed(file: &Path) -> String {
    println!("cargo:rerun-if-changed={}", file.display());
    match file.canonicalize() {
        Ok(path) => format!("Some(include_bytes!({path:?}))"),
        Err(_) => {
            println!("cargo:warning={} is missing: building without it", file.display());
            "None".to_owned()
        }
    }
}
