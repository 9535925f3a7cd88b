//! What the targets do with an input: the ways that a stranger's bytes take through the product.
#![forbid(unsafe_code)]

mod docx;
mod pack;

use std::{
    collections::BTreeSet,
    panic,
    sync::{Mutex, PoisonError},
};

use dossier_core::text::{Content, Document, chunks};

/// Reads a file, then cuts what its reader made of it into chunks, as `dossier ingest` does.
pub fn file(name: &str, bytes: &[u8]) {
    let bytes = if name.ends_with(".docx") { docx::whole(bytes) } else { bytes.into() };
    let Ok(read) = dossier_readers::read(name, &bytes) else { return };
    let dossier_readers::Content { text, metadata, pages } = read;
    if let Ok(document) = Document::converted(name, Content { text, metadata, pages }) {
        cut(&document);
    }
}

/// Reads Markdown and cuts it into chunks.
pub fn markdown(bytes: &[u8]) {
    if let Ok(document) = Document::read("a.md", bytes.to_vec()) {
        cut(&document);
    }
}

/// Opens an index pack and searches it.
pub fn pack(bytes: &[u8]) {
    pack::open(bytes);
}

fn cut(document: &Document) {
    for chunk in chunks(document) {
        assert_eq!(document.text.get(chunk.span.clone()), Some(chunk.text.as_str()));
        chunk.encoded_text();
    }
}

/// Lets a panic in a library unwind, as in the product, where `dossier_readers::read` catches it.
///
/// libFuzzer ends on every panic, before it unwinds. A panic in our own code still does that, caught
/// or not, and one of a library that nobody catches ends the run as it reaches libFuzzer. Each place
/// that panics is told once.
pub fn forgive_libraries() {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let Some(place) = info.location().filter(|it| is_library(it.file())) else {
            return abort(info);
        };
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(format!("{}:{}", place.file(), place.line())) {
            eprintln!("caught in a library: {info}");
        }
    }));
}

/// Whether a source file is of a crate that cargo fetched, or of the standard library.
fn is_library(file: &str) -> bool {
    let file = file.replace('\\', "/");
    ["/registry/src/", "/git/checkouts/", "/rustc/", "/rustlib/"].iter().any(|it| file.contains(it))
}
