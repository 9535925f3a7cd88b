//! A Word document from an input of the fuzzer. An archive is compressed and has checksums, which
//! chance does not get past; so an input that is none is taken for the text of its parts.

use std::{
    borrow::Cow,
    io::{Cursor, Write as _},
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The parts that the reader looks at, in the order in which an input has them.
const PARTS: [&str; 3] = ["word/document.xml", "word/styles.xml", "docProps/core.xml"];

/// Between two parts; no XML contains it.
const BETWEEN: &[u8] = b"\0\n";

/// The file that `input` stands for: itself where it is an archive, else an archive of its parts.
pub(crate) fn whole(input: &[u8]) -> Cow<'_, [u8]> {
    if input.starts_with(b"PK") {
        return input.into();
    }
    let mut parts = Vec::new();
    let mut rest = input;
    while parts.len() + 1 < PARTS.len() {
        let Some(at) = rest.windows(BETWEEN.len()).position(|it| it == BETWEEN) else { break };
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, part) in PARTS.iter().zip(parts) {
        archive.start_file(*name, stored).expect("a name that is new");
        archive.write_all(part).expect("writing to memory");
    }
    archive.finish().expect("writing to memory").into_inner().into()
}
