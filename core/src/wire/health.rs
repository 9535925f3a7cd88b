//! Health replies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Subject;

/// `/health`: that the service runs, and as what.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Health {
    /// `healthy`, or `alive` and `ready` / `not_ready` on the probes.
    pub status: &'static str,
    /// Who is asked first; `extractive` where documents are quoted without a model, `misconfigured`
    /// where that cannot be told.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// The program's version.
    pub version: &'static str,
}

/// `/health/detailed`: every part by itself.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Detailed {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// `store`, `index`, `encoder`, `llm`: each `healthy`, `degraded`, `unhealthy` or
    /// `not_configured`.
    pub components: BTreeMap<&'static str, &'static str>,
    /// What answers have to do without.
    pub degraded: Vec<&'static str>,
    /// Documents in the index.
    pub documents: usize,
    /// Chunks in the index.
    pub chunks: usize,
    /// Whose documents they are, and what visitors may ask.
    pub subject: Subject,
    /// The model that encoded them.
    pub embedding_model: Option<String>,
}

/// `/health/llm`: whether a model would answer now.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LlmHealth {
    /// The provider that is asked first; `extractive` where none is configured.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// `available`, `busy`, `error` or `not_configured`.
    pub status: &'static str,
    /// Whether another provider answers in its place.
    pub fallback_available: bool,
    /// Which one; `null` where there is none.
    pub fallback_provider: Option<String>,
    /// How long the provider took when it was last asked, in milliseconds; 0 where it was not,
    /// because it is known that it would not answer.
    pub response_time_ms: u64,
    /// Whether that was quick; only where it is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_hot: Option<bool>,
    /// What is wrong, in at most 200 characters; only where it is not available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
