//! `/search`: passages without an answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A search. Unknown fields are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SearchRequest {
    /// 3 to 2 000 characters, at most 300 words; `question` is taken too.
    #[serde(alias = "question")]
    pub query: String,
    /// Hits wanted, 1 to 20; 5 if absent.
    #[serde(default)]
    pub top_k: Option<i64>,
    /// Metadata that passages must carry.
    #[serde(default)]
    pub filter: BTreeMap<String, String>,
}

/// The passages found, best first.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SearchResponse {
    /// The query as it was searched.
    pub query: String,
    /// The hits.
    pub hits: Vec<SearchHit>,
    /// What the search had to do without: `dense`, `reranker`.
    #[serde(default)]
    pub degraded: Vec<String>,
}

/// One passage found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SearchHit {
    /// From 1.
    pub rank: usize,
    /// The chunk's id.
    pub id: String,
    /// The file, relative to the documents' folder.
    pub source: String,
    /// Headings above the passage, outermost first.
    pub heading: Vec<String>,
    /// The page of the file that the passage is on, from 1; absent in a file without pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The passage.
    pub text: String,
    /// The fused score, 0 to 1.
    pub score: f32,
    /// Where the score comes from: `bm25`, `bm25_rank`, `dense`, `dense_rank`, and each leg's share
    /// of the fused score; `crowded`, what it lost to better passages of its document where several
    /// things are asked for; with a reranker its `reranker` score, and `reranker_before`, the rank
    /// without it.
    pub scores: BTreeMap<String, f32>,
}
