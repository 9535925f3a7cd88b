//! Health replies.

use std::collections::BTreeMap;

use serde::Serialize;

/// `/health`: that the service runs, and as what.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// `healthy`, or `alive` and `ready` / `not_ready` on the probes.
    pub status: &'static str,
    /// Who answers: `extractive`.
    pub provider: &'static str,
    /// The answerer's model.
    pub model: &'static str,
    /// The program's version.
    pub version: &'static str,
}

/// `/health/detailed`: every part by itself.
#[derive(Clone, Debug, Serialize)]
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
    /// The model that encoded them.
    pub embedding_model: Option<String>,
}
