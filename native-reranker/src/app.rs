//! The service behind the routes: models, threads, places in the queue, keys.

use std::sync::Arc;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use dossier_core::auth;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Fault, Limits, Metrics, Pool,
    model::{CrossEncoder, Embedder},
};

/// Everything that requests share.
#[derive(Debug)]
pub struct App {
    /// Scores documents.
    pub cross_encoder: Arc<CrossEncoder>,
    /// Turns texts to vectors, where there is a model for it.
    pub embedder: Option<Arc<Embedder>>,
    /// The threads.
    pub pool: Pool,
    /// The bounds.
    pub limits: Limits,
    /// The counters.
    pub metrics: Metrics,
    places: Arc<Semaphore>,
    keys: String,
}

/// Places in the queue, given back when dropped.
pub(crate) type Places = OwnedSemaphorePermit;

impl App {
    /// Joins the parts; `keys` are the accepted API keys, comma-separated, and none are asked for
    /// where it names none.
    pub fn new(
        cross_encoder: CrossEncoder,
        embedder: Option<Embedder>,
        pool: Pool,
        limits: Limits,
        keys: String,
    ) -> Self {
        Self {
            cross_encoder: Arc::new(cross_encoder),
            embedder: embedder.map(Arc::new),
            pool,
            metrics: Metrics::default(),
            places: Arc::new(Semaphore::new(limits.max_queue)),
            limits,
            keys,
        }
    }

    /// Takes a place in the queue for each of `wanted` documents, or none.
    pub(crate) fn admit(&self, wanted: usize) -> Result<Places, Fault> {
        let limit = self.limits.max_queue;
        u32::try_from(wanted)
            .ok()
            .and_then(|count| Arc::clone(&self.places).try_acquire_many_owned(count).ok())
            .ok_or_else(|| Fault::Full { waiting: self.waiting(), limit, wanted })
    }

    /// Documents that wait or are worked on.
    pub(crate) fn waiting(&self) -> usize {
        self.limits.max_queue - self.places.available_permits()
    }

    /// Whether a request offers an accepted key, or none is asked for.
    pub(crate) fn knows(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
        });
        let header = headers.get("x-api-key").and_then(|value| value.to_str().ok());
        auth::knows(&self.keys, bearer.or(header))
    }
}
