//! The index in a pack: written from chunks and vectors, opened where it lies.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use sha2::{Digest as _, Sha256};
use tantivy::directory::OwnedBytes;

use super::{Chunks, Dense, Embedding, Index, Lexical, Pieces, subject::subject};
use crate::{
    pack::{PackError, assemble, header},
    text::{Chunk, terms::terms},
    wire::{PackHeader, PackModel, PackSection},
};

const LEXICAL: &str = "lexical/";

/// Builds a pack of `chunks`; `embeddings`, one a chunk, come with the id of the model they are from.
/// Equal arguments give equal bytes.
///
/// # Errors
/// [`PackError::Empty`] without chunks; [`PackError::Damaged`] where an index cannot be written.
pub fn build(
    chunks: &[Chunk],
    embeddings: Option<(&str, &[Embedding])>,
) -> Result<Vec<u8>, PackError> {
    let model = match embeddings {
        Some((_, embeddings)) if embeddings.len() != chunks.len() => {
            let got = format!("{} vectors for {} chunks", embeddings.len(), chunks.len());
            return Err(PackError::damaged("vectors", got));
        }
        Some((id, embeddings)) => {
            let vectors: Vec<&[f32]> = embeddings.iter().map(|it| it.vector.as_slice()).collect();
            let dense = Dense::build(&vectors)?;
            let pieces = Pieces::write(embeddings, dense.width());
            Some((id, dense, pieces))
        }
        None => None,
    };
    write(chunks, model)
}

/// The id of a model, the dense leg it made, and the sections of the word pieces.
pub(super) type Encoded<'a> = (&'a str, Dense, Vec<(&'static str, Vec<u8>)>);

/// Writes a pack of `chunks` with what a model made of them, where there is one.
pub(super) fn write(chunks: &[Chunk], model: Option<Encoded<'_>>) -> Result<Vec<u8>, PackError> {
    if chunks.is_empty() {
        return Err(PackError::Empty);
    }
    let (documents, records) = Chunks::write(chunks)?;
    let mut sections = vec![("documents".to_owned(), documents), ("chunks".to_owned(), records)];
    let texts = chunks.iter().map(Chunk::lexical_text);
    for (name, bytes) in Lexical::build(texts).map_err(|e| PackError::damaged("lexical", e))? {
        sections.push((format!("{LEXICAL}{name}"), bytes));
    }
    let mut described = None;
    if let Some((id, dense, pieces)) = model {
        described = Some(PackModel { id: id.to_owned(), width: dense.width() });
        sections.extend(dense.sections().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
        sections.extend(pieces.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)));
    }
    let mut documents: Vec<&str> = chunks.iter().map(|chunk| chunk.source.as_str()).collect();
    documents.dedup();
    let header = PackHeader {
        corpus: corpus_hash(chunks),
        documents: documents.len(),
        chunks: chunks.len(),
        subject: subject(chunks),
        model: described,
        sections: describe(&sections),
    };
    assemble(&header, &sections)
}

/// The sections as the header names them.
pub(super) fn describe(sections: &[(String, Vec<u8>)]) -> Vec<PackSection> {
    let mut offset = 0;
    let described = sections.iter().map(|(name, bytes)| {
        let start = offset;
        offset += bytes.len();
        PackSection {
            name: name.clone(),
            offset: start,
            bytes: bytes.len(),
            crc32: crc32fast::hash(bytes),
        }
    });
    described.collect()
}

/// SHA-256 over ids, texts and metadata: equal exactly where the answers' ground is equal.
fn corpus_hash(chunks: &[Chunk]) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    for chunk in chunks {
        [&chunk.id, &chunk.source, &chunk.title, &chunk.lead, &chunk.text]
            .into_iter()
            .for_each(|it| add(it));
        add(&chunk.page.map(|page| page.to_string()).unwrap_or_default());
        for (name, values) in &chunk.metadata {
            add(name);
            values.iter().for_each(|value| add(value));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn open(bytes: OwnedBytes) -> Result<Index, PackError> {
    let (header, start) = header(&bytes)?;
    let ends = header.sections.iter().map(|section| section.offset.saturating_add(section.bytes));
    let expected = start.saturating_add(ends.max().unwrap_or(0));
    match bytes.len().cmp(&expected) {
        Ordering::Less => return Err(PackError::Truncated { expected, got: bytes.len() }),
        Ordering::Equal => {}
        Ordering::Greater => return Err(PackError::damaged("end", "bytes after the last section")),
    }
    let mut sections = BTreeMap::new();
    for section in &header.sections {
        // Within the file: no section ends later than the last.
        let at = start + section.offset;
        let content = bytes.slice(at..at + section.bytes);
        if crc32fast::hash(&content) != section.crc32 {
            return Err(PackError::damaged(&section.name, "checksum differs"));
        }
        sections.insert(section.name.as_str(), content);
    }
    let section = |name: &str| {
        sections.get(name).ok_or_else(|| PackError::damaged(name, "section is missing"))
    };
    let chunks = Chunks::open(section("documents")?, section("chunks")?, header.chunks)?;
    let files = sections.iter().filter_map(|(name, content)| {
        Some((name.strip_prefix(LEXICAL)?.to_owned(), content.clone()))
    });
    let lexical = Lexical::open(files).map_err(|error| PackError::damaged("lexical", error))?;
    if lexical.len() != header.chunks {
        return Err(PackError::damaged("lexical", "its length is not the chunks'"));
    }
    let (dense, pieces) = match &header.model {
        Some(PackModel { width, .. }) => {
            let (vectors, graph) = (section("vectors")?.clone(), sections.get("graph").cloned());
            let dense = Dense::open(vectors, graph, header.chunks, *width)?;
            (Some(dense), Pieces::open(|name| sections.get(name), header.chunks, *width)?)
        }
        None => (None, None),
    };
    let documents = chunks.documents().iter();
    let people: BTreeSet<&String> =
        documents.filter_map(|document| document.metadata.get("person")).flatten().collect();
    let subject = people.into_iter().flat_map(|person| terms(person)).collect();
    Ok(Index { header, chunks, lexical, dense, pieces, subject })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Document, chunks};

    fn sample() -> Vec<u8> {
        let text = "---\ntitle: T\n---\n# A\n\nradium and polonium\n\n# B\n\na degree in physics";
        let document = Document::read("a.md", text.as_bytes().to_vec()).unwrap();
        let vectors = [vec![1.0, 0.0], vec![0.0, 1.0]].map(Embedding::from);
        build(&chunks(&document), Some(("m", &vectors))).unwrap()
    }

    #[test]
    fn opens_what_it_built() {
        let index = Index::open(sample()).unwrap();
        assert_eq!((index.header().chunks, index.header().documents), (2, 1));
        assert_eq!(index.chunks()[1].heading, ["B"]);
        assert_eq!(index.chunks()[1].metadata["title"], ["T"]);
        assert_eq!(index.lexical().search(&["radium".to_owned()], 5, None).unwrap()[0].ordinal, 0);
        assert_eq!(index.dense().unwrap().exact(&[0.1, 0.9], 1, &|_| true)[0].ordinal, 1);
        assert!(index.check_model(Some("m")).is_ok());
        assert!(matches!(index.check_model(Some("n")), Err(PackError::Model { .. })));
    }

    #[test]
    fn refuses_other_files_versions_and_nothing() {
        assert!(matches!(Index::open(b"PK\x03\x04".to_vec()), Err(PackError::NotAPack)));
        let mut pack = sample();
        pack[8] = 9;
        assert!(matches!(Index::open(pack), Err(PackError::Version { pack: 9 })));
        assert!(matches!(build(&[], None), Err(PackError::Empty)));
    }
}
