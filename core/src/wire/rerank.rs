//! `/v1/rerank`: a query and documents out, a score for each document back.
//!
//! The shape that the clients of Cohere, Jina and Voyage share, as far as they share it. The chat
//! pipeline sends it, and `native-reranker` answers it.

use serde::{Deserialize, Serialize};

/// What is to be scored. Unknown fields are ignored.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct RerankRequest {
    /// The model's id; the service's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The question.
    pub query: String,
    /// The passages.
    pub documents: Vec<RerankDocument>,
    /// Results wanted; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_n: Option<usize>,
    /// The same, as Voyage's clients call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Whether results carry their documents; `false` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_documents: Option<bool>,
    /// Sent by Voyage's clients: whether texts that are too long are cut; `true` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncation: Option<bool>,
}

/// A passage, alone or in an object.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum RerankDocument {
    /// The text itself.
    Text(String),
    /// An object with the text.
    Object {
        /// The text.
        text: String,
    },
}

impl RerankDocument {
    /// The text.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Object { text } => text,
        }
    }
}

/// The scores, best first, as far as every dialect has them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RerankResponse {
    /// One a document, or the best `top_n`.
    #[serde(alias = "data")]
    pub results: Vec<RerankResult>,
}

/// A document's score.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RerankResult {
    /// Position of the document in the request, from 0.
    pub index: usize,
    /// How well it answers; larger is better, 0 to 1 in most services.
    pub relevance_score: f32,
    /// The document, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<RerankDocument>,
}
