//! The index in a pack: written from chunks and vectors, opened where it lies.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tantivy::directory::OwnedBytes;

use super::{Dense, Index, Lexical};
use crate::{
    pack::{PackError, assemble, header},
    text::{Chunk, terms::terms},
    wire::{PackChunk, PackHeader, PackModel, PackSection},
};

const LEXICAL: &str = "lexical/";

/// Builds a pack of `chunks`; `vectors`, one a chunk, come with the id of the model they are from.
///
/// `built_at` is the time since the Unix epoch.
///
/// # Errors
/// [`PackError::Empty`] without chunks; [`PackError::Damaged`] where an index cannot be written.
pub fn build(
    chunks: &[Chunk],
    vectors: Option<(&str, Vec<Vec<f32>>)>,
    built_at: Duration,
) -> Result<Vec<u8>, PackError> {
    if chunks.is_empty() {
        return Err(PackError::Empty);
    }
    let mut sections: Vec<(String, Vec<u8>)> = Vec::new();
    let records: Vec<PackChunk> = chunks.iter().map(PackChunk::from).collect();
    let records = postcard::to_stdvec(&records).map_err(|e| PackError::damaged("chunks", e))?;
    sections.push(("chunks".to_owned(), records));
    let texts = chunks.iter().map(Chunk::indexed_text);
    for (name, bytes) in Lexical::build(texts).map_err(|e| PackError::damaged("lexical", e))? {
        sections.push((format!("{LEXICAL}{name}"), bytes));
    }
    let mut model = None;
    if let Some((id, vectors)) = vectors {
        let width = vectors.first().map_or(0, Vec::len);
        if vectors.len() != chunks.len() || vectors.iter().any(|vector| vector.len() != width) {
            let got = format!("{} vectors for {} chunks", vectors.len(), chunks.len());
            return Err(PackError::damaged("dense", got));
        }
        model = Some(PackModel { id: id.to_owned(), width });
        sections.push(("dense".to_owned(), Dense::build(vectors).to_bytes()?));
    }

    let mut offset = 0;
    let described = sections
        .iter()
        .map(|(name, bytes)| {
            let start = offset;
            offset += bytes.len();
            PackSection {
                name: name.clone(),
                offset: start,
                bytes: bytes.len(),
                crc32: crc32fast::hash(bytes),
            }
        })
        .collect();
    let mut documents: Vec<&str> = chunks.iter().map(|chunk| chunk.source.as_str()).collect();
    documents.dedup();
    let header = PackHeader {
        built_at: built_at.as_secs(),
        corpus: corpus_hash(chunks),
        documents: documents.len(),
        chunks: chunks.len(),
        model,
        sections: described,
    };
    assemble(&header, &sections)
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
    let expected = start + header.sections.iter().map(|section| section.bytes).sum::<usize>();
    if bytes.len() != expected {
        return Err(PackError::Truncated { expected, got: bytes.len() });
    }
    let mut sections = BTreeMap::new();
    for section in &header.sections {
        let at = start.saturating_add(section.offset);
        let end = at.saturating_add(section.bytes);
        if end > bytes.len() {
            return Err(PackError::damaged(&section.name, "lies outside of the file"));
        }
        let content = bytes.slice(at..end);
        if crc32fast::hash(&content) != section.crc32 {
            return Err(PackError::damaged(&section.name, "checksum differs"));
        }
        sections.insert(section.name.as_str(), content);
    }
    let section = |name: &str| {
        sections.get(name).ok_or_else(|| PackError::damaged(name, "section is missing"))
    };
    let records: Vec<PackChunk> = postcard::from_bytes(section("chunks")?)
        .map_err(|error| PackError::damaged("chunks", error))?;
    let chunks: Vec<Chunk> = records.into_iter().map(Chunk::from).collect();
    let files = sections.iter().filter_map(|(name, content)| {
        Some((name.strip_prefix(LEXICAL)?.to_owned(), content.clone()))
    });
    let lexical = Lexical::open(files).map_err(|error| PackError::damaged("lexical", error))?;
    let dense = match &header.model {
        Some(model) => Some(Dense::open(section("dense")?, chunks.len(), model.width)?),
        None => None,
    };
    if chunks.len() != header.chunks || lexical.len() != header.chunks {
        return Err(PackError::damaged("chunks", "the legs differ in length"));
    }
    let people = chunks.iter().filter_map(|chunk| chunk.metadata.get("person")).flatten();
    let people: BTreeSet<&String> = people.collect();
    let subject = people.into_iter().flat_map(|person| terms(person)).collect();
    Ok(Index { header, chunks, lexical, dense, subject })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Document, chunks};

    fn sample() -> Vec<u8> {
        let text = "---\ntitle: T\n---\n# A\n\nradium and polonium\n\n# B\n\na degree in physics";
        let document = Document::read("a.md", text.as_bytes().to_vec()).unwrap();
        let vectors = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        build(&chunks(&document), Some(("m", vectors)), Duration::from_secs(7)).unwrap()
    }

    #[test]
    fn opens_what_it_built() {
        let index = Index::open(sample()).unwrap();
        assert_eq!(
            (index.header().chunks, index.header().documents, index.header().built_at),
            (2, 1, 7)
        );
        assert_eq!(index.chunks()[1].heading, ["B"]);
        assert_eq!(index.chunks()[1].metadata["title"], ["T"]);
        assert_eq!(
            index.lexical().search(&["radium".to_owned()], 5, &|_| true).unwrap()[0].ordinal,
            0
        );
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
        assert!(matches!(build(&[], None, Duration::ZERO), Err(PackError::Empty)));
    }

    #[test]
    fn refuses_every_cut_and_every_flipped_byte() {
        let pack = sample();
        for end in (0..pack.len()).step_by(61).chain([pack.len() - 1]) {
            assert!(Index::open(pack[..end].to_vec()).is_err(), "cut at {end}");
        }
        for at in (0..pack.len()).step_by(37) {
            let mut damaged = pack.clone();
            damaged[at] ^= 0x10;
            assert!(Index::open(damaged).is_err(), "flipped at {at}");
        }
    }
}
