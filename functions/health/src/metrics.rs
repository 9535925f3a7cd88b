//! `/metrics`: what all instances have counted, and what can be told at the moment.

use dossier_core::{
    RequestError, auth,
    llm::State,
    policy::{self, Limits},
    ports::{Clock as _, Config as _, Env as _},
    setting::SettingFault,
    telemetry::metrics::{
        BUILD_INFO, CONTENT_TYPE, Gauge, INDEX_CHUNKS, INDEX_DOCUMENTS, Metric, SESSIONS_ACTIVE,
        STORE_UP, collect, render,
    },
};
use dossier_platform::{Reply, SpinEnv};
use http::{HeaderMap, header};

use crate::report;

/// Variable with the token that a scraper must send, as a bearer or as `X-API-Key`. Several are
/// separated by commas; empty: none is asked for.
const METRICS_TOKEN: &str = "metrics_token";

/// The page for Prometheus. Without the store it tells so, and has no counters.
pub(crate) async fn page(env: &SpinEnv, headers: &HeaderMap) -> Result<Reply, RequestError> {
    let token = env.config().get(METRICS_TOKEN).await.map_err(SettingFault::from)?;
    if !auth::knows(&token.unwrap_or_default(), offered(headers)) {
        return Err(RequestError::Unauthorized);
    }
    let counted = collect(env.kv()).await;
    let mut gauges = vec![
        gauge(&STORE_UP, u8::from(counted.is_ok()).into()),
        Gauge { labels: vec![report::VERSION.to_owned()], ..gauge(&BUILD_INFO, 1.0) },
    ];
    if let Some(index) = report::index(env).await {
        gauges.push(gauge(&INDEX_DOCUMENTS, index.documents as f64));
        gauges.push(gauge(&INDEX_CHUNKS, index.chunks as f64));
    }
    gauges.extend(shared(env).await);
    let counted = counted.inspect_err(|error| env.warn(&format!("no counters: {error}")));
    Ok(Reply::full(200, CONTENT_TYPE, render(counted.ok().as_ref(), &gauges)))
}

/// What all instances know together: conversations, breakers, used limits.
async fn shared(env: &SpinEnv) -> Vec<Gauge> {
    let Ok(shared) = policy::read(env.kv()).await else { return Vec::new() };
    let now = env.clock().now();
    let mut gauges = Vec::new();
    // Of the limits only a conversation's life is granted to this component, and needed here.
    if let Ok(limits) = Limits::configured(env.config()).await {
        let active = shared.ledger.active_sessions(&limits, now);
        gauges.push(gauge(&SESSIONS_ACTIVE, active as f64));
    }
    if let Some(catalogue) = report::catalogue(env).await {
        let state = State::decode(&shared.llm).unwrap_or_default();
        gauges.extend(state.readings(&catalogue, now));
    }
    gauges
}

fn gauge(metric: &'static Metric, value: f64) -> Gauge {
    Gauge { metric, labels: Vec::new(), value }
}

fn offered(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    bearer.or_else(|| headers.get("x-api-key")?.to_str().ok())
}
