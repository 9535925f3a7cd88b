//! Damaged and hostile packs: an error or a harmless result, never a panic or a great allocation.

use super::{
    Dense, Embedding, Index, Pieces, QuestionPieces,
    pack::{describe, write},
};
use crate::{
    fakes::SeededEntropy,
    model::{Encoded, Token},
    pack::{assemble, header},
    text::{Chunk, Document, chunks},
    wire::PackHeader,
};

const SEED: u64 = 20_261_121;
const WIDTH: usize = 8;
/// Changes tried in each section.
const ROUNDS: usize = 300;

/// Ends the tests where a false length is believed: all of them together need less.
#[global_allocator]
static ALLOCATOR: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, 512 << 20);

struct Parts {
    header: PackHeader,
    sections: Vec<(String, Vec<u8>)>,
}

impl Parts {
    fn of(pack: &[u8]) -> Self {
        let (header, start) = header(pack).unwrap();
        let sections = header.sections.iter().map(|section| {
            let content = &pack[start + section.offset..][..section.bytes];
            (section.name.clone(), content.to_vec())
        });
        Self { sections: sections.collect(), header }
    }

    /// The pack with the checksums of whatever it now holds.
    fn assemble(&self) -> Vec<u8> {
        let header = PackHeader { sections: describe(&self.sections), ..self.header.clone() };
        assemble(&header, &self.sections).unwrap()
    }
}

/// A pack with every section there is, and more than a block of postings.
fn sample() -> Vec<u8> {
    let entropy = SeededEntropy::new(SEED);
    let words = ["radium", "prize", "degree", "physics", "Warsaw", "journey", "notes", "medal"];
    let mut all: Vec<Chunk> = Vec::new();
    for document in 0..20 {
        let mut text = format!("---\ntitle: Papers {document}\nperson: Ada\n---\n");
        for section in 0..15 {
            let word = |_| words[entropy.next() as usize % words.len()];
            let passage: Vec<&str> = (0..20).map(word).collect();
            text += &format!("\n# Section {section}\n\n{}.\n", passage.join(" "));
        }
        let source = format!("{document}.md");
        all.extend(chunks(&Document::read(&source, text.into_bytes()).unwrap()));
    }
    let number = || (entropy.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
    let vectors: Vec<Vec<f32>> =
        all.iter().map(|_| (0..WIDTH).map(|_| number()).collect()).collect();
    let dense = Dense::build(&vectors).unwrap().with_graph().unwrap();
    let embeddings: Vec<Embedding> = vectors.iter().map(|vector| embedding(vector)).collect();
    write(&all, Some(("model", dense, Pieces::write(&embeddings, WIDTH)))).unwrap()
}

/// A chunk of two word pieces that point where `vector` does.
fn embedding(vector: &[f32]) -> Embedding {
    let token = |id| Token { id, piece: String::new(), span: 0..1 };
    let tokens = vec![token(7), token(8)];
    (&Encoded { pooled: vector.to_vec(), tokens, rows: [vector, vector].concat() }).into()
}

/// Everything that a question can reach.
fn use_it(index: &Index) {
    let terms = index.question_terms("Which prize in physics, and Warsaw?");
    let even = |ordinal: usize| ordinal.is_multiple_of(2);
    for filter in [None, Some(&even as &dyn Fn(usize) -> bool)] {
        for found in index.lexical().search(&terms, 50, filter).unwrap_or_default() {
            assert!(index.chunks().get(found.ordinal).is_some());
        }
        let dense = index.dense().unwrap();
        for near in dense.search(&[0.3; WIDTH], 50, filter) {
            assert!(index.chunks().get(near.ordinal).is_some());
            dense.similarity(&[0.3; WIDTH], near.ordinal);
        }
    }
    let question = QuestionPieces::new(&[&[0.3; WIDTH]]);
    let pieces = index.pieces().unwrap();
    for ordinal in 0..=index.chunks().len() {
        pieces.compare(&question, ordinal, |_, similarities| {
            assert!((-1.0..=1.0).contains(&similarities[0]));
        });
    }
    assert!([0, 7, u32::MAX].iter().all(|id| pieces.rarity(*id).is_finite()));
    assert!(terms.iter().all(|term| index.lexical().rarity(term).is_finite()));
    assert_eq!(index.chunks().iter().count(), index.chunks().len());
}

#[test]
fn every_section_is_there_and_whole() {
    let pack = sample();
    let parts = Parts::of(&pack);
    for name in
        ["documents", "chunks", "lexical/meta.json", "vectors", "graph", "pieces", "piece-counts"]
    {
        assert!(parts.sections.iter().any(|(section, _)| section == name), "{name}");
    }
    assert_eq!(parts.assemble(), pack);
    use_it(&Index::open(pack).unwrap());
}

#[test]
fn a_flipped_or_cut_byte_is_refused_in_every_section() {
    let pack = sample();
    let (head, start) = header(&pack).unwrap();
    let entropy = SeededEntropy::new(SEED);
    let mut places: Vec<usize> = (0..start).collect();
    for section in &head.sections {
        let first = start + section.offset;
        let within = || first + entropy.next() as usize % section.bytes;
        places.extend([first, first + section.bytes - 1]);
        places.extend((0..50).map(|_| within()));
    }
    for at in places {
        assert!(Index::open(pack[..at].to_vec()).is_err(), "cut at {at}");
        let mut damaged = pack.clone();
        damaged[at] ^= 1 << (entropy.next() % 8);
        assert!(Index::open(damaged).is_err(), "seed {SEED}: flipped at {at}");
    }
    assert!(Index::open([pack, vec![0]].concat()).is_err(), "longer");
}

#[test]
fn damage_under_a_right_checksum_does_no_harm() {
    let good = sample();
    let entropy = SeededEntropy::new(SEED);
    let (mut opened, mut refused) = (0, 0);
    // tantivy believes its own files: a length forged under a right checksum can make it ask for
    // more memory than there is. Only who may publish can forge one (docs/decisions/0017).
    let ours = |(_, (name, _)): &(usize, &(String, Vec<u8>))| !name.starts_with("lexical/");
    let parts = Parts::of(&good);
    for (section, _) in parts.sections.iter().enumerate().filter(ours) {
        for _ in 0..ROUNDS {
            let mut parts = Parts::of(&good);
            mutate(&mut parts.sections[section].1, &entropy);
            match Index::open(parts.assemble()) {
                Ok(index) => {
                    use_it(&index);
                    opened += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(opened > 0 && refused > 0, "seed {SEED}: {opened} opened, {refused} refused");
}

/// Flips, cuts, repeats, or writes a great length.
fn mutate(bytes: &mut Vec<u8>, entropy: &SeededEntropy) {
    let place = |bytes: &[u8]| entropy.next() as usize % bytes.len().max(1);
    for _ in 0..=entropy.next() % 4 {
        let (at, other) = (place(bytes), place(bytes));
        match entropy.next() % 5 {
            0 => bytes.truncate(at),
            1 => bytes.extend_from_within(at..),
            2 => bytes.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0xff),
            3 if at < other => drop(bytes.drain(at..other)),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = entropy.next() as u8),
        }
    }
}

#[test]
fn false_numbers_in_the_header_do_no_harm() {
    let good = sample();
    let parts = Parts::of(&good);
    let header = serde_json::to_value(&parts.header).unwrap();
    let refused = |pointer: &str, number: usize| {
        let mut header = header.clone();
        *header.pointer_mut(pointer).unwrap() = number.into();
        let header: PackHeader = serde_json::from_value(header).unwrap();
        let pack = assemble(&header, &parts.sections).unwrap();
        Index::open(pack).map(|index| use_it(&index)).is_err()
    };
    for number in [0, 1, 299, 301, 1 << 31, 1 << 62, usize::MAX] {
        assert!(refused("/chunks", number), "chunks: {number}");
        assert!(refused("/model/width", number), "width: {number}");
        for section in 0..parts.sections.len() {
            assert!(refused(&format!("/sections/{section}/bytes"), number), "bytes: {number}");
            assert!(refused(&format!("/sections/{section}/crc32"), number & 1), "checksum");
            if number != parts.header.sections[section].offset {
                refused(&format!("/sections/{section}/offset"), number);
            }
        }
    }
}
