//! `POST /v1/embeddings`, in OpenAI's shape.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use crate::{App, Fault, metrics::Route};

const ROUTE: Route = Route { route: "embeddings" };

#[derive(Deserialize)]
struct EmbeddingRequest {
    input: Input,
    #[serde(default)]
    encoding_format: Format,
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Float,
    Base64,
}

pub(super) async fn answer(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Fault> {
    let call = Call::begin(app, request.headers())?;
    let embedder = call.app.embedder.as_ref().ok_or(Fault::NoModel {
        reason: "no embedding model: run `dossier model`, or pass --encoder DIR, and start again",
    })?;
    let request: EmbeddingRequest = call.json(request).await?;
    let texts = match request.input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
    };
    call.check("input", texts.iter().map(String::as_str))?;
    if let Some(wanted) = request.dimensions.filter(|&wanted| wanted != embedder.width()) {
        let reason = format!("the model has {}, got {wanted}", embedder.width());
        return Err(Fault::Invalid { field: "dimensions", reason });
    }

    let places = call.app.admit(texts.len())?;
    let runs = texts.into_iter().map(|text| {
        let embedder = Arc::clone(embedder);
        async { Ok::<_, Fault>(call.run(move || embedder.embed(&text)).await??) }
    });
    let embedded = try_join_all(runs).await?;
    drop(places);

    let tokens: usize = embedded.iter().map(|(_, tokens)| tokens).sum();
    call.app.metrics.documents.get_or_create(&ROUTE).inc_by(embedded.len() as u64);
    call.app.metrics.tokens.get_or_create(&ROUTE).inc_by(tokens as u64);
    let data = embedded.iter().enumerate().map(|(index, (vector, _))| {
        let embedding = match request.encoding_format {
            Format::Float => json!(vector),
            Format::Base64 => {
                let bytes: Vec<u8> = vector.iter().flat_map(|it| it.to_le_bytes()).collect();
                json!(BASE64_STANDARD.encode(bytes))
            }
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    Ok(Json(json!({
        "object": "list",
        "data": data.collect::<Vec<_>>(),
        "model": embedder.id(),
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })))
}
