//! What the service counts, in the text format of OpenMetrics.

use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Seconds: from a handful of short pairs to the longest a client waits.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8];

/// The counters; names start with `reranker_`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answer, Counter>,
    duration: Family<Route, Histogram>,
    pub(crate) documents: Family<Route, Counter>,
    pub(crate) tokens: Family<Route, Counter>,
    pub(crate) queue: Gauge,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Answer {
    route: &'static str,
    status: u16,
}

/// A route by its name.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(crate) struct Route {
    pub(crate) route: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut registry = Registry::with_prefix("reranker");
        let requests = Family::default();
        registry.register("requests", "Requests answered", requests.clone());
        let duration = Family::new_with_constructor(histogram);
        registry.register_with_unit(
            "request_duration",
            "From a request's head to its answer",
            Unit::Seconds,
            duration.clone(),
        );
        let documents = Family::default();
        registry.register("documents", "Documents scored or texts embedded", documents.clone());
        let tokens = Family::default();
        registry.register("tokens", "Word pieces read", tokens.clone());
        let queue = Gauge::default();
        registry.register("queue", "Documents that wait or are worked on", queue.clone());
        Self { registry, requests, duration, documents, tokens, queue }
    }
}

impl Metrics {
    pub(crate) fn answered(&self, route: &'static str, status: StatusCode, took: Duration) {
        self.requests.get_or_create(&Answer { route, status: status.as_u16() }).inc();
        self.duration.get_or_create(&Route { route }).observe(took.as_secs_f64());
    }

    /// The text that is scraped.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}
