//! The lexical leg: BM25 over the terms of chunks, by tantivy.

use std::{
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::Arc,
};

use tantivy::{
    Index, IndexSettings, ReloadPolicy, Searcher, SegmentReader, TantivyDocument, TantivyError,
    Term,
    collector::TopDocs,
    directory::{Directory as _, OwnedBytes, RamDirectory},
    index::SegmentId,
    query::{BooleanQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
};

use super::directory::PackDirectory;
use crate::text::terms;

/// Memory that tantivy may use while writing; its smallest is 15 MB.
const WRITER_BYTES: usize = 50_000_000;

const META: &str = "meta.json";

/// Name of the one segment. tantivy's own is random, and stands in `META` and in files' names.
const SEGMENT: &str = "00000000000000000000000000000000";

/// A chunk that shares terms with a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Position of the chunk.
    pub ordinal: usize,
    /// BM25 score (Robertson and Zaragoza 2009; k1 1.2, b 0.75), unbounded above 0.
    pub score: f32,
}

/// The opened inverted index.
pub struct Lexical {
    searcher: Searcher,
    text: Field,
}

impl std::fmt::Debug for Lexical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lexical").field("chunks", &self.len()).finish()
    }
}

impl Lexical {
    /// Indexes `texts` in order and returns tantivy's files, always the same for the same texts. One
    /// segment and one thread: a chunk's document number is its ordinal, and components can build
    /// too.
    pub(super) fn build(
        texts: impl Iterator<Item = String>,
    ) -> tantivy::Result<Vec<(String, Vec<u8>)>> {
        let (schema, field) = schema();
        let directory = RamDirectory::create();
        let settings = IndexSettings {
            // Its default starts a thread, which components do not have.
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let mut analyzers = tantivy::tokenizer::TokenizerManager::new();
        register(&mut analyzers);
        let mut writer = Index::builder()
            .schema(schema)
            .settings(settings)
            .tokenizers(analyzers)
            .single_segment_index_writer(directory.clone(), WRITER_BYTES)?;
        for text in texts {
            let mut document = TantivyDocument::default();
            document.add_text(field, text);
            writer.add_document(document)?;
        }
        let index = writer.finalize()?;
        let mut names = vec![PathBuf::from(META)];
        names.extend(index.load_metas()?.list_segment_files());
        let segment = index.searchable_segment_ids()?.first().map(SegmentId::uuid_string);
        let segment = segment.unwrap_or_default();
        let mut files = Vec::new();
        for name in names {
            if directory.exists(&name)? {
                let bytes = directory.atomic_read(&name)?;
                let bytes = if name == Path::new(META) { rename_segment(&bytes)? } else { bytes };
                files.push((name.display().to_string().replace(&segment, SEGMENT), bytes));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Opens the files that [`build`](Self::build) returned.
    pub(super) fn open(files: impl Iterator<Item = (String, OwnedBytes)>) -> tantivy::Result<Self> {
        guarded(|| {
            let index = Index::open(PackDirectory::new(files))?;
            let text = index.schema().get_field("text")?;
            let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
            Ok(Self { searcher: reader.searcher(), text })
        })
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.searcher.num_docs() as usize
    }

    /// Whether there is no chunk.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the `limit` best chunks that have any of `terms` and pass the filter, best first;
    /// ties go to the earlier chunk.
    ///
    /// # Errors
    /// A damaged index.
    pub fn search(
        &self,
        terms: &[String],
        limit: usize,
        filter: Option<&dyn Fn(usize) -> bool>,
    ) -> tantivy::Result<Vec<Match>> {
        if terms.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let clauses = terms.iter().map(|term| {
            let term = Term::from_field_text(self.text, term);
            let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
            (Occur::Should, Box::new(query) as Box<dyn Query>)
        });
        let query = BooleanQuery::new(clauses.collect());
        let best = TopDocs::with_limit(limit);
        let found = match filter {
            // Without a look at each match, tantivy skips blocks that cannot come to the top.
            None => guarded(|| self.searcher.search(&query, &best.order_by_score()))?,
            Some(allowed) => {
                // The collector needs `'static`; the filter becomes a table of the chunks.
                let admitted: Arc<[bool]> = (0..self.len()).map(allowed).collect();
                let collector = best.tweak_score(move |_: &SegmentReader| {
                    let admitted = Arc::clone(&admitted);
                    let admits = move |doc| admitted.get(doc as usize).is_some_and(|it| *it);
                    move |doc: u32, score: f32| if admits(doc) { score } else { -1.0 }
                });
                guarded(|| self.searcher.search(&query, &collector))?
            }
        };
        let mut matches: Vec<Match> = found
            .into_iter()
            .filter(|(score, address)| *score > 0.0 && (address.doc_id as usize) < self.len())
            .map(|(score, address)| Match { ordinal: address.doc_id as usize, score })
            .collect();
        matches.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.ordinal.cmp(&b.ordinal)));
        Ok(matches)
    }

    /// Inverse document frequency of `term`: `ln(1 + (N − n + ½) / (n + ½))`, highest for a term
    /// that no chunk has.
    pub fn rarity(&self, term: &str) -> f32 {
        let (all, with) = (self.len() as f32, self.frequency(term) as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }

    /// Number of chunks that have `term`; none where the index is damaged.
    pub fn frequency(&self, term: &str) -> usize {
        let term = Term::from_field_text(self.text, term);
        guarded(|| self.searcher.doc_freq(&term)).unwrap_or(0) as usize
    }

    /// Whether `test` holds for any term of the index; looks at all of them.
    ///
    /// # Errors
    /// A damaged index.
    pub fn any_term(&self, test: impl Fn(&str) -> bool) -> tantivy::Result<bool> {
        guarded(|| {
            for segment in self.searcher.segment_readers() {
                let inverted = segment.inverted_index(self.text)?;
                let mut terms = inverted.terms().stream()?;
                while terms.advance() {
                    if std::str::from_utf8(terms.key()).is_ok_and(&test) {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        })
    }
}

/// Runs what trusts tantivy's files. One that was forged under a right checksum can make it panic:
/// that is an error here, natively; in a component it ends the instance, and nothing else.
fn guarded<T>(run: impl FnOnce() -> tantivy::Result<T>) -> tantivy::Result<T> {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(TantivyError::InternalError("the files contradict themselves".into()))
    })
}

/// Gives the segment its fixed name in the list of segments.
fn rename_segment(meta: &[u8]) -> tantivy::Result<Vec<u8>> {
    let mut meta: serde_json::Value = serde_json::from_slice(meta)?;
    meta["segments"][0]["segment_id"] = SEGMENT.into();
    Ok(serde_json::to_vec(&meta)?)
}

fn schema() -> (Schema, Field) {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(terms::ANALYZER)
        .set_index_option(IndexRecordOption::WithFreqs);
    let mut builder = Schema::builder();
    let field =
        builder.add_text_field("text", TextOptions::default().set_indexing_options(indexing));
    (builder.build(), field)
}

fn register(analyzers: &mut tantivy::tokenizer::TokenizerManager) {
    analyzers.register(terms::ANALYZER, terms::analyzer());
}
