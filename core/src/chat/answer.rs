//! What is said to a question, and what kind of answer it is.

use crate::{
    llm::EXTRACTIVE,
    wire::{Ambiguity, AnswerRecord, ChatSource},
};

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// With `[n]` naming `sources[n - 1]`.
    pub(super) text: String,
    pub(super) sources: Vec<ChatSource>,
    pub(super) grounded: bool,
    pub(super) confidence: Option<f32>,
    /// Sentences that the passages do not support.
    pub(super) unsupported: Vec<String>,
    pub(super) kind: Kind,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) cached: bool,
}

/// How an answer came about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Kind {
    /// The question is not answered, and friendly so.
    Blocked,
    /// A courtesy.
    ChitChat,
    /// A question in return.
    Clarification,
    /// That something is not so, and what is.
    Correction,
    /// Sentences of the documents.
    #[default]
    Extractive,
    /// A model's words.
    Model,
    /// That the documents do not say.
    Refusal,
}

impl Kind {
    /// Its value of the label `kind` in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::ChitChat => "chitchat",
            Self::Clarification => "clarification",
            Self::Correction => "correction",
            Self::Extractive => "extractive",
            Self::Model => "llm",
            Self::Refusal => "refusal",
        }
    }

    /// Whether a later question may refer to it.
    pub(super) fn is_remembered(self) -> bool {
        !matches!(self, Self::Blocked | Self::ChitChat)
    }

    /// Whether an equal question gets it again. Canned answers cost less than the cache.
    pub(super) fn is_cached(self) -> bool {
        matches!(self, Self::Correction | Self::Extractive | Self::Model | Self::Refusal)
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            text: String::new(),
            sources: Vec::new(),
            grounded: false,
            confidence: None,
            unsupported: Vec::new(),
            kind: Kind::default(),
            provider: EXTRACTIVE.to_owned(),
            model: EXTRACTIVE.to_owned(),
            cached: false,
        }
    }
}

impl Answer {
    /// An answer that rests on nothing.
    pub(super) fn canned(text: impl Into<String>, kind: Kind) -> Self {
        Self { text: text.into(), kind, ..Self::default() }
    }

    /// An answer given before.
    pub(super) fn cached(record: &AnswerRecord) -> Self {
        Self {
            text: record.answer.clone(),
            sources: record.sources.clone(),
            grounded: record.grounded,
            confidence: record.confidence,
            unsupported: record.unsupported.clone(),
            kind: if record.grounded { Kind::Extractive } else { Kind::Refusal },
            provider: record.provider.clone(),
            model: record.model.clone(),
            cached: true,
        }
    }

    /// What is kept for equal questions.
    pub(super) fn record(&self) -> AnswerRecord {
        AnswerRecord {
            answer: self.text.clone(),
            sources: self.sources.clone(),
            grounded: self.grounded,
            confidence: self.confidence,
            unsupported: self.unsupported.clone(),
            provider: self.provider.clone(),
            model: self.model.clone(),
            ..AnswerRecord::default()
        }
    }

    /// What is unclear about the question, where the answer asks back.
    pub(super) fn ambiguity(&self) -> Option<Ambiguity> {
        let asks = self.kind == Kind::Clarification;
        asks.then_some(Ambiguity { is_ambiguous: true, clarification_requested: true })
    }
}
