//! What each health route reports, from real probes.

use std::collections::BTreeMap;

use dossier_core::{
    llm::{Availability, Catalogue, MISCONFIGURED, availability},
    pack::published,
    ports::{Env, Kv as _},
    wire::{Detailed, Health, LlmHealth, PackHeader, PackPointer, Subject},
};
use dossier_platform::{Reply, SpinEnv, json};
use http::StatusCode;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Header of the pack that is embedded in the chat component; `null` where it was built without.
const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/pack.json"));
/// A key that is never written: reading it shows that the store answers.
const PROBE: &str = "health:probe";

/// 200: what it says of the answerer is read from the configuration, and nothing is probed.
pub(crate) async fn health(env: &SpinEnv, status: &'static str) -> Reply {
    let catalogue = catalogue(env).await;
    let named = catalogue.as_ref().map(Catalogue::answerer);
    let (provider, model) = named.unwrap_or((MISCONFIGURED, MISCONFIGURED));
    let (provider, model) = (provider.to_owned(), model.to_owned());
    json(&Health { status, provider, model, version: VERSION })
}

/// 200 where questions can be answered, else 503.
pub(crate) async fn ready(env: &SpinEnv) -> Reply {
    if index(env).await.is_some() && catalogue(env).await.is_some() {
        return health(env, "ready").await;
    }
    health(env, "not_ready").await.status(StatusCode::SERVICE_UNAVAILABLE)
}

/// 200 where a model answers, or none is configured; else 503.
pub(crate) async fn llm(env: &SpinEnv) -> Reply {
    let known = models(env).await;
    let is_well = known.is_well();
    let reply = json(&LlmHealth::from(known));
    if is_well { reply } else { reply.status(StatusCode::SERVICE_UNAVAILABLE) }
}

/// 200 where questions can be answered, if with less than everything; else 503.
pub(crate) async fn detailed(env: &SpinEnv) -> Reply {
    let store = env.kv().get(PROBE).await.is_ok();
    let index = index(env).await;
    let grade = |well: bool, otherwise| if well { "healthy" } else { otherwise };
    let encoder = index.as_ref().is_some_and(|index| index.model.is_some());
    let components = BTreeMap::from([
        ("store", grade(store, "degraded")),
        ("index", grade(index.is_some(), "unhealthy")),
        ("encoder", grade(encoder, "degraded")),
        ("llm", models(env).await.grade()),
    ]);
    let lacking = |(name, grade): (&&'static str, &&'static str)| {
        matches!(*grade, "degraded" | "unhealthy").then_some(*name)
    };
    let degraded: Vec<&'static str> = components.iter().filter_map(lacking).collect();
    let is_down = components.values().any(|grade| *grade == "unhealthy");
    let status = match (is_down, degraded.is_empty()) {
        (true, _) => "unhealthy",
        (false, true) => "healthy",
        (false, false) => "degraded",
    };
    let reply = json(&Detailed {
        status,
        version: VERSION,
        components,
        degraded,
        documents: index.as_ref().map_or(0, |index| index.documents),
        chunks: index.as_ref().map_or(0, |index| index.chunks),
        embedding_model: index.as_ref().and_then(|index| index.model.clone()),
        subject: index.map(|index| index.subject).unwrap_or_default(),
    });
    if is_down { reply.status(StatusCode::SERVICE_UNAVAILABLE) } else { reply }
}

/// Whether a model would answer.
async fn models(env: &SpinEnv) -> Availability {
    match catalogue(env).await {
        Some(catalogue) => availability(env, &catalogue).await,
        None => Availability::misconfigured(),
    }
}

/// The configured providers; `None` where a variable has to be mended.
pub(crate) async fn catalogue(env: &SpinEnv) -> Option<Catalogue> {
    let read = Catalogue::configured(env.config()).await;
    read.inspect_err(|fault| env.warn(&format!("no question is answered: {fault}"))).ok()
}

pub(crate) struct Summary {
    pub(crate) documents: usize,
    pub(crate) chunks: usize,
    subject: Subject,
    model: Option<String>,
}

/// The index that serves: the published one, else the embedded one.
pub(crate) async fn index(env: &SpinEnv) -> Option<Summary> {
    if let Ok(Some(pointer)) = published::current(env.kv()).await {
        let PackPointer { documents, chunks, subject, model, .. } = pointer;
        return Some(Summary { documents, chunks, subject, model });
    }
    let header: Option<PackHeader> = serde_json::from_str(EMBEDDED).ok()?;
    let PackHeader { documents, chunks, subject, model, .. } = header?;
    Some(Summary { documents, chunks, subject, model: model.map(|model| model.id) })
}
