//! The stages of a request: a closed list, because each is a label of a metric.

use super::metrics::{self, Metric};

/// A part of the way of one question.
///
/// Stages may lie in one another: [`Encode`](Self::Encode) is a part of
/// [`Retrieve`](Self::Retrieve).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Validation, session, limits.
    Admit,
    /// Lookup among earlier answers; outcome `hit` or `miss`.
    Cache,
    /// The local guard of input; outcome `safe` or `blocked`.
    Guard,
    /// The remote prompt guard; outcome `safe`, `blocked` or `error`.
    PromptGuard,
    /// Chit-chat, ambiguity, follow-ups.
    Understand,
    /// Rewriting of the query by patterns.
    Rewrite,
    /// The question's vectors.
    Encode,
    /// Candidates, fusion and evidence.
    Retrieve,
    /// The order of passages by another service; outcome the method, `cross_encoder` if none is told.
    Rerank,
    /// From the start of generation to its last byte.
    Generate,
    /// Citations, support and output checks.
    Check,
    /// Writes after the answer.
    Record,
}

impl Stage {
    /// Its name in headers, logs and labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Cache => "cache",
            Self::Guard => "guard",
            Self::PromptGuard => "prompt_guard",
            Self::Understand => "understand",
            Self::Rewrite => "rewrite",
            Self::Encode => "encode",
            Self::Retrieve => "retrieve",
            Self::Rerank => "rerank",
            Self::Generate => "generate",
            Self::Check => "check",
            Self::Record => "record",
        }
    }

    /// The histogram of its own that dashboards know, beside `rag_stage_duration_seconds`.
    pub(super) fn histogram(self) -> Option<&'static Metric> {
        match self {
            Self::PromptGuard => Some(&metrics::PROMPT_GUARD_SECONDS),
            Self::Rewrite => Some(&metrics::REWRITE_SECONDS),
            Self::Retrieve => Some(&metrics::RETRIEVAL_SECONDS),
            _ => None,
        }
    }
}
