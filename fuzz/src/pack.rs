//! An index pack from an input of the fuzzer, opened and put every kind of question to.

use dossier_core::{index::Index, wire::PackHeader};

/// Magic, version, length and checksum of the header.
const PREAMBLE: usize = 20;

/// Opens `input` as a pack, as it is and with right checksums, and searches what opens.
pub(crate) fn open(input: &[u8]) {
    if let Ok(index) = Index::open(input.to_vec()) {
        search(&index);
    }
    if let Some(Ok(index)) = mended(input).map(Index::open) {
        search(&index);
    }
}

/// The pack with the checksums of what it holds, for chance does not find them.
///
/// Those of tantivy's files stay as they are: tantivy believes its files, and only who may publish
/// can forge one under a right checksum (docs/decisions/0017).
fn mended(input: &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(input.get(12..16)?.try_into().ok()?) as usize;
    let json = input.get(PREAMBLE..PREAMBLE.checked_add(length)?)?;
    let content = &input[PREAMBLE + length..];
    let mut header: PackHeader = serde_json::from_slice(json).ok()?;
    for section in header.sections.iter_mut().filter(|it| !it.name.starts_with("lexical/")) {
        let end = section.offset.checked_add(section.bytes)?;
        section.crc32 = crc32fast::hash(content.get(section.offset..end)?);
    }
    let header = serde_json::to_vec(&header).ok()?;
    let mut pack = input[..12].to_vec();
    pack.extend((header.len() as u32).to_le_bytes());
    pack.extend(crc32fast::hash(&header).to_le_bytes());
    pack.extend(header);
    pack.extend(content);
    Some(pack)
}

/// What a question reaches in a pack.
fn search(index: &Index) {
    let chunks = index.chunks();
    assert_eq!(chunks.iter().count(), chunks.len());
    let terms = index.question_terms("Which prize in physics, and Warsaw?");
    assert!(terms.iter().all(|term| index.lexical().rarity(term).is_finite()));
    let even = |ordinal: usize| ordinal.is_multiple_of(2);
    for filter in [None, Some(&even as &dyn Fn(usize) -> bool)] {
        for found in index.lexical().search(&terms, 50, filter).unwrap_or_default() {
            assert!(chunks.get(found.ordinal).is_some());
        }
        let model = index.header().model.as_ref();
        if let Some((dense, model)) = index.dense().zip(model) {
            for near in dense.search(&vec![0.3; model.width], 50, filter) {
                assert!(chunks.get(near.ordinal).is_some());
            }
        }
    }
    for (ordinal, chunk) in chunks.iter().enumerate() {
        chunk.encoded_text();
        index.embedding(ordinal);
    }
}
