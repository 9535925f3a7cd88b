//! `/chat` and `/chat/stream`: question, answer, sources, events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RewriteMetadata;

/// A question. Unknown fields are ignored.
///
/// What is optional may be `null`. Everything but `question`, `session_id` and `filter` may stand
/// among the parameters of the URL instead, where older clients have it; the body wins.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChatRequest {
    /// 3 to 2 000 characters, at most 300 words.
    pub question: String,
    /// Continues a conversation; at most 64 of `[A-Za-z0-9_-]`.
    #[serde(default)]
    pub session_id: Option<String>,
    /// Passages to answer from, 1 to 20; 5 if absent.
    #[serde(default)]
    pub top_k: Option<i64>,
    /// Metadata that passages must carry, such as `doc_type: resume`.
    #[serde(default)]
    pub filter: BTreeMap<String, String>,
    /// The model to answer with: one of those configured, or an alias; the first configured if
    /// absent or `dossier`.
    #[serde(default)]
    pub model: Option<String>,
    /// `none`, `low`, `medium` or `high`; how much a model that can be told thinks first.
    #[serde(default)]
    pub reasoning_effort: Option<String>,
    /// Randomness of the model, 0 to 2.
    #[serde(default)]
    pub temperature: Option<f32>,
    /// Longest answer of the model in tokens, 1 to 4 096.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// Same as `doc_type` in `filter`.
    #[serde(default)]
    pub doc_type: Option<String>,
    /// Same as `term` in `filter`.
    #[serde(default)]
    pub term_id: Option<String>,
    /// Same as `level` in `filter`.
    #[serde(default)]
    pub level: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChatResponse {
    /// The answer, with `[n]` naming `sources[n - 1]`.
    pub answer: String,
    /// The passages cited, in the order of first citation.
    pub sources: Vec<ChatSource>,
    /// Whether the answer rests on the documents; `false` for a refusal.
    pub grounded: bool,
    /// Probability that the passages answer the question, 0 to 1.
    pub confidence: Option<f32>,
    /// Set when the question needs to be made clearer.
    pub ambiguity: Option<Ambiguity>,
    /// To be sent with the next question.
    pub session_id: String,
    /// How the question was rewritten before the search; absent if it was not.
    pub rewrite_metadata: Option<RewriteMetadata>,
    /// Sentences that the passages do not support.
    pub unsupported: Vec<String>,
    /// Who answered: a provider, or `extractive` for words of the documents themselves.
    pub provider: String,
    /// With which model.
    pub model: String,
    /// Whether an equal question got this answer before.
    pub cached: bool,
    /// What this answer had to do without: `bm25`, `dense`, `reranker`, `llm`, `store`,
    /// `prompt_guard`.
    pub degraded: Vec<String>,
}

/// A passage that an answer cites.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChatSource {
    /// The chunk's id.
    pub id: String,
    /// The file, relative to the documents' folder.
    pub source: String,
    /// The document's title.
    pub title: String,
    /// Headings above the passage, outermost first.
    pub heading: Vec<String>,
    /// The page of the file that the passage is on, from 1; absent in a file without pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The passage.
    pub text: String,
    /// Cosine distance from the question, 0 to 2; absent without the dense leg.
    pub distance: Option<f32>,
    /// The `n` of `[n]`.
    pub citation_index: usize,
}

/// What is unclear about a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Ambiguity {
    /// Whether the answer asks back.
    pub is_ambiguous: bool,
    /// Same as `is_ambiguous`; for clients that read this name.
    pub clarification_requested: bool,
}

/// The `metadata` event, first of every stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StreamMetadata {
    /// The passages that the answer may cite.
    pub sources: Vec<ChatSource>,
    /// As in [`ChatResponse`].
    pub grounded: bool,
    /// As in [`ChatResponse`].
    pub confidence: Option<f32>,
    /// As in [`ChatResponse`].
    pub session_id: String,
    /// As in [`Ambiguity`].
    pub is_ambiguous: bool,
    /// As in [`Ambiguity`].
    pub clarification_requested: bool,
    /// As in [`ChatResponse`].
    pub rewrite_metadata: Option<RewriteMetadata>,
    /// As in [`ChatResponse`].
    pub degraded: Vec<String>,
}

/// The `fallback` event: another provider took over.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StreamFallback {
    /// The provider that answers.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// Why; `primary_unavailable` where the one before it failed.
    pub reason: String,
}

/// The `sources_reorder` event: what the answer cites, in the order of first citation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StreamSources<'a> {
    /// `[n]` in the answer names the one at `n - 1`.
    pub reordered_sources: &'a [ChatSource],
}

/// The `result` event: what is known of an answer only when it is complete.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StreamResult {
    /// As in [`ChatResponse`].
    pub grounded: bool,
    /// As in [`ChatResponse`].
    pub confidence: Option<f32>,
    /// As in [`ChatResponse`].
    pub unsupported: Vec<String>,
    /// As in [`ChatResponse`].
    pub provider: String,
    /// As in [`ChatResponse`].
    pub model: String,
    /// As in [`ChatResponse`].
    pub cached: bool,
    /// As in [`ChatResponse`].
    pub degraded: Vec<String>,
}

/// The `error` event, last of a stream that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StreamError {
    /// What a visitor can be told.
    pub detail: String,
    /// As in [`Problem`](super::Problem).
    pub error_code: String,
}
