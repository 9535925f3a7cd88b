//! Writes the packs that the fuzzing of packs starts from, into the folder given as argument: one
//! with every section that a small pack has, one with the lexical leg alone.

use std::{fs, path::PathBuf};

use dossier_core::{
    index::{Embedding, build},
    model::{Encoded, Token},
    text::{Chunk, Document, chunks},
};

const TEXT: &str = "---\ntitle: Papers\nperson: Ada\n---\n# Prize\n\nThe prize in physics.\n\n\
                    # Journey\n\n- A journey to Warsaw, in 1913.\n- Notes.\n";

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("a folder as argument"));
    let document = Document::read("papers.md", TEXT.into()).expect("Markdown");
    let chunks: Vec<Chunk> = chunks(&document);
    let embeddings: Vec<Embedding> = (0..chunks.len()).map(embedding).collect();
    for (name, embeddings) in [("both", Some(("m", embeddings.as_slice()))), ("lexical", None)] {
        let pack = build(&chunks, embeddings).expect("a pack");
        fs::write(folder.join(name), pack).expect("a folder that can be written to");
    }
}

/// A chunk of two word pieces.
fn embedding(n: usize) -> Embedding {
    let row = [1.0 / (n + 1) as f32, -0.5, 0.25, n as f32];
    let tokens = [7, 8].map(|id| Token { id, piece: String::new(), span: 0..1 });
    (&Encoded { pooled: row.to_vec(), tokens: tokens.into(), rows: [row, row].concat() }).into()
}
