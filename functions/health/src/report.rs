//! What each health route reports, from real probes.

use std::collections::BTreeMap;

use dossier_core::{
    pack::published,
    ports::{Env, Kv as _},
    wire::{Detailed, Health, PackHeader},
};
use dossier_platform::{Reply, SpinEnv, json};
use http::StatusCode;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Header of the pack that is embedded in the chat component; `null` where it was built without.
const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/pack.json"));
/// A key that is never written: reading it shows that the store answers.
const PROBE: &str = "health:probe";

pub(crate) fn health(status: &'static str) -> Health {
    Health { status, provider: "extractive", model: "extractive", version: VERSION }
}

/// 200 where questions can be answered, else 503.
pub(crate) async fn ready(env: &SpinEnv) -> Reply {
    match index(env).await {
        Some(_) => json(&health("ready")),
        None => json(&health("not_ready")).status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// 200 where questions can be answered, if with less than everything; else 503.
pub(crate) async fn detailed(env: &SpinEnv) -> Reply {
    let store = env.kv().get(PROBE).await.is_ok();
    let index = index(env).await;
    let mut degraded = Vec::new();
    let mut grade = |name, well: bool, otherwise| {
        if !well {
            degraded.push(name);
        }
        if well { "healthy" } else { otherwise }
    };
    let encoder = index.as_ref().is_some_and(|index| index.model.is_some());
    let components = BTreeMap::from([
        ("store", grade("store", store, "degraded")),
        ("index", grade("index", index.is_some(), "unhealthy")),
        ("encoder", grade("encoder", encoder, "degraded")),
        ("llm", "not_configured"),
    ]);
    let status = match (&index, degraded.is_empty()) {
        (None, _) => "unhealthy",
        (Some(_), true) => "healthy",
        (Some(_), false) => "degraded",
    };
    let reply = json(&Detailed {
        status,
        version: VERSION,
        components,
        degraded,
        documents: index.as_ref().map_or(0, |index| index.documents),
        chunks: index.as_ref().map_or(0, |index| index.chunks),
        embedding_model: index.as_ref().and_then(|index| index.model.clone()),
    });
    if index.is_some() { reply } else { reply.status(StatusCode::SERVICE_UNAVAILABLE) }
}

pub(crate) struct Summary {
    pub(crate) documents: usize,
    pub(crate) chunks: usize,
    model: Option<String>,
}

/// The index that serves: the published one, else the embedded one.
pub(crate) async fn index(env: &SpinEnv) -> Option<Summary> {
    if let Ok(Some(pointer)) = published::current(env.kv()).await {
        let (documents, chunks) = (pointer.documents, pointer.chunks);
        return Some(Summary { documents, chunks, model: pointer.model });
    }
    let header: Option<PackHeader> = serde_json::from_str(EMBEDDED).ok()?;
    let header = header?;
    let model = header.model.map(|model| model.id);
    Some(Summary { documents: header.documents, chunks: header.chunks, model })
}
