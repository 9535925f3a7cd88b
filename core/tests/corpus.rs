//! What the fuzzer has found: every Markdown and every index pack of `fuzz/corpus` ends in chunks,
//! hits or an error. New inputs are found by `cargo xtask fuzz`; this only keeps what it learned.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads its inputs from files, tells at which it is, and reports by panicking"
)]

#[path = "../../fuzz/src/pack.rs"]
mod pack;

use std::{fs, path::PathBuf};

use dossier_core::text::{Document, chunks};

/// The inputs of a target.
fn inputs(target: &str) -> impl Iterator<Item = Vec<u8>> {
    // Asked for when running: checkouts may share a target folder, and with it this program.
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let entries = fs::read_dir(own.join("../fuzz/corpus").join(target)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no input for {target}");
    files.into_iter().map(|file| {
        // Shown where the test fails.
        println!("{}", file.display());
        fs::read(file).unwrap()
    })
}

#[test]
fn markdown() {
    for input in inputs("markdown") {
        let Ok(document) = Document::read("a.md", input) else { continue };
        for chunk in chunks(&document) {
            assert_eq!(document.text.get(chunk.span.clone()), Some(chunk.text.as_str()));
            chunk.encoded_text();
        }
    }
}

#[test]
fn packs() {
    inputs("pack").for_each(|input| pack::open(&input));
}
