//! `POST /v1/rerank`: scores for documents, in the dialect that the client speaks.

use std::{cmp::Reverse, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
};
use dossier_core::wire::{RerankDocument, RerankRequest, RerankResult};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::{Call, new_id};
use crate::{App, Fault, metrics::Route, model::Pair};

const ROUTE: Route = Route { route: "rerank" };

pub(super) async fn answer(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Fault> {
    let call = Call::begin(app, request.headers())?;
    let request: RerankRequest = call.json(request).await?;
    call.check("documents", request.documents.iter().map(RerankDocument::text))?;
    call.check("query", [request.query.as_str()].into_iter())?;
    let wanted = wanted(&request)?;
    let request = Arc::new(request);

    let places = call.app.admit(request.documents.len())?;
    let pairs = pairs(&call, &request).await?;
    let tokens: usize = pairs.iter().map(|pair| pair.ids.len()).sum();
    let scores = scores(&call, pairs).await?;
    drop(places);

    call.app.metrics.documents.get_or_create(&ROUTE).inc_by(scores.len() as u64);
    call.app.metrics.tokens.get_or_create(&ROUTE).inc_by(tokens as u64);
    let results = best(&scores, wanted, &request);
    Ok(Json(reply(call.app.cross_encoder.id(), &request, &results, tokens)))
}

/// How many results the client wants, under either of the two names.
fn wanted(request: &RerankRequest) -> Result<usize, Fault> {
    match (request.top_n, request.top_k) {
        (Some(0), _) | (_, Some(0)) => {
            Err(Fault::Invalid { field: "top_n", reason: "at least 1, got 0".to_owned() })
        }
        (Some(wanted), _) | (None, Some(wanted)) => Ok(wanted),
        (None, None) => Ok(request.documents.len()),
    }
}

async fn pairs(call: &Call, request: &Arc<RerankRequest>) -> Result<Vec<Pair>, Fault> {
    let (model, asked) = (Arc::clone(&call.app.cross_encoder), Arc::clone(request));
    let texts = move || {
        let documents = asked.documents.iter();
        documents.map(|it| model.pair(&asked.query, it.text())).collect::<Result<Vec<_>, _>>()
    };
    let pairs = call.run(texts).await?.map_err(|_| {
        let most = call.app.limits.max_tokens;
        let reason = format!("no room for a document: both have {most} word pieces together");
        Fault::Invalid { field: "query", reason }
    })?;
    let cut = pairs.iter().position(|pair| pair.truncated);
    match cut.filter(|_| request.truncation == Some(false)) {
        Some(at) => Err(Fault::Invalid {
            field: "documents",
            reason: format!(
                "text {at} and the query have more than {} word pieces, and truncation is false",
                call.app.limits.max_tokens
            ),
        }),
        None => Ok(pairs),
    }
}

/// Scores in the order of `pairs`. The longest go first, so that threads end together.
async fn scores(call: &Call, pairs: Vec<Pair>) -> Result<Vec<f32>, Fault> {
    let mut scores = vec![0.0; pairs.len()];
    let mut pairs: Vec<(usize, Pair)> = pairs.into_iter().enumerate().collect();
    pairs.sort_by_key(|(_, pair)| Reverse(pair.ids.len()));
    let runs = pairs.into_iter().map(|(at, pair)| {
        let model = Arc::clone(&call.app.cross_encoder);
        async move { Ok::<_, Fault>((at, call.run(move || model.score(&pair)).await??)) }
    });
    for (at, score) in try_join_all(runs).await? {
        scores[at] = score;
    }
    Ok(scores)
}

/// The `wanted` best, best first; ties go to the earlier document.
fn best(scores: &[f32], wanted: usize, request: &RerankRequest) -> Vec<RerankResult> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order.truncate(wanted);
    let with_documents = request.return_documents == Some(true);
    let result = |index: usize| RerankResult {
        index,
        // To 0…1, as all dialects have it.
        relevance_score: 1.0 / (1.0 + (-scores[index]).exp()),
        document: with_documents.then(|| request.documents[index].clone()),
    };
    order.into_iter().map(result).collect()
}

/// Cohere's and Jina's reply in one, or Voyage's for a client that uses Voyage's names.
fn reply(model: &str, request: &RerankRequest, results: &[RerankResult], tokens: usize) -> Value {
    if request.top_k.is_some() || request.truncation.is_some() {
        let data: Vec<Value> =
            results.iter().map(|result| shown(result, |text| json!(text))).collect();
        let usage = json!({"total_tokens": tokens});
        return json!({"object": "list", "data": data, "model": model, "usage": usage});
    }
    let results: Vec<Value> =
        results.iter().map(|result| shown(result, |text| json!({"text": text}))).collect();
    json!({
        "id": new_id(),
        "model": model,
        "results": results,
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"search_units": 0},
            "tokens": {"input_tokens": tokens, "output_tokens": 0},
        },
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

fn shown(result: &RerankResult, document: fn(&str) -> Value) -> Value {
    let mut shown = json!({"index": result.index, "relevance_score": result.relevance_score});
    if let Some(text) = &result.document {
        shown["document"] = document(text.text());
    }
    shown
}
