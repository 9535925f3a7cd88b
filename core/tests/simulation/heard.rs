//! What a visitor gets: the events of a stream, and what every answer must be.

use dossier_core::{
    answer::{Event, Sequence, is_refusal},
    chat::{Sink, Spoken},
    wire::{ChatResponse, ChatSource},
};

use crate::mark::check_own;

/// A live visitor's events, held to their order as they come.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    order: Sequence,
    text: String,
    /// Ids of the sources, as the last event that has them says.
    sources: Vec<String>,
    /// Of the visitor.
    mark: String,
}

impl Sink for Heard {
    async fn send(&mut self, event: Event) {
        self.order.admit(&event).unwrap();
        check_own(&event.encode(), &self.mark, "a stream");
        let ids = |sources: &[ChatSource]| sources.iter().map(|source| source.id.clone()).collect();
        match event {
            Event::Token(text) => self.text += &text,
            Event::Metadata(metadata) => self.sources = ids(&metadata.sources),
            Event::SourcesReorder(sources) => self.sources = ids(&sources),
            _ => {}
        }
    }

    fn is_live(&self) -> bool {
        true
    }
}

impl Heard {
    /// For the visitor of this mark.
    pub(crate) fn new(mark: &str) -> Self {
        Self { mark: mark.to_owned(), ..Self::default() }
    }

    /// Holds the stream, which is over, to what was recorded of it.
    ///
    /// # Panics
    /// It has no end, or says something else.
    pub(crate) fn check(&self, spoken: &Spoken) {
        self.order.end().unwrap();
        if spoken.is_complete {
            let response = &spoken.response;
            assert_eq!(self.text, response.answer);
            for number in citations(&self.text) {
                let source = response.sources.get(number - 1).map(|source| &source.id);
                assert_eq!(self.sources.get(number - 1), source, "[{number}] {self:?} {spoken:?}");
            }
        }
    }
}

/// Holds a whole answer to what every answer must be: it cites, or says that it has nothing to cite.
///
/// # Panics
/// It does not.
pub(crate) fn check_answer(response: &ChatResponse, is_courtesy: bool) {
    let ChatResponse { answer, sources, grounded, .. } = response;
    assert!(!answer.trim().is_empty(), "{response:?}");
    let cited = citations(answer);
    assert!(cited.iter().all(|it| (1..=sources.len()).contains(it)), "{response:?}");
    let numbered = sources.iter().zip(1..).all(|(source, number)| source.citation_index == number);
    assert!(numbered, "{response:?}");
    if *grounded {
        return assert!(!cited.is_empty(), "grounded without a citation: {response:?}");
    }
    if is_refusal(answer) {
        return assert!(sources.is_empty(), "a refusal with sources: {response:?}");
    }
    let asks = response.ambiguity.as_ref().is_some_and(|it| it.clarification_requested);
    // A model may talk without citing; then nothing vouches for it, and the answer says so.
    let disowned = response.provider != "extractive" && response.confidence == Some(0.0);
    assert!(asks || is_courtesy || disowned, "neither cites nor refuses: {response:?}");
}

/// The numbers in square brackets.
fn citations(text: &str) -> Vec<usize> {
    let parts = text.split('[').skip(1);
    parts.filter_map(|part| part.split_once(']')?.0.parse().ok()).collect()
}
