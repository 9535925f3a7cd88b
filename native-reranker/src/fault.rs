//! What a client is told when it gets no scores: one table of statuses and codes.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{model::ModelError, pool::PoolError};

/// Seconds after which a refused client may come again: queues of the default length move on by
/// dozens of documents in that time.
const RETRY_SECONDS: u64 = 1;

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The client's: the body is not the JSON of the route.
    #[error("the body is not the JSON this route takes: {reason}")]
    BadJson {
        /// What the parser said.
        reason: String,
    },
    /// The client's: a field has a value that it may not have.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was expected and what was got.
        reason: String,
    },
    /// The client's: no key, or one nobody gave out.
    #[error("missing or unknown API key: send it as `Authorization: Bearer KEY`")]
    Unauthorized,
    /// The client's: no such route.
    #[error(
        "no such route; there are POST /v1/rerank, POST /v1/embeddings, GET /health/live, GET /health/ready and GET /metrics"
    )]
    NotFound,
    /// The client's: the route has no such method.
    #[error("the route has no such method")]
    MethodNotAllowed,
    /// The client's: the body is too large.
    #[error("the body is larger than {limit} bytes: send fewer or shorter documents")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Nobody's: more is asked than can be done.
    #[error("{waiting} of {limit} places are taken and {wanted} were asked for: try again later")]
    Full {
        /// Places taken.
        waiting: usize,
        /// Places there are.
        limit: usize,
        /// Places asked for.
        wanted: usize,
    },
    /// Nobody's: the time was over first.
    #[error("not done within {milliseconds} ms: try again later, or send fewer documents")]
    Late {
        /// The time there was.
        milliseconds: u128,
    },
    /// The operator's: the service has no such model.
    #[error("{reason}")]
    NoModel {
        /// Which one, and what to do.
        reason: &'static str,
    },
    /// The service's: a defect, or a model whose files do not fit together.
    #[error("the model failed; the service's log has more")]
    Model(#[from] ModelError),
    /// The service's: a defect.
    #[error("the service failed; its log has more")]
    Defect,
}

impl Fault {
    /// Status and stable code.
    pub fn row(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadJson { .. } => (StatusCode::BAD_REQUEST, "bad_json"),
            Self::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_request"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Full { .. } => (StatusCode::TOO_MANY_REQUESTS, "full"),
            Self::Late { .. } => (StatusCode::SERVICE_UNAVAILABLE, "late"),
            Self::NoModel { .. } => (StatusCode::NOT_FOUND, "no_model"),
            Self::Model(_) => (StatusCode::INTERNAL_SERVER_ERROR, "model_failed"),
            Self::Defect => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// What came of work in the pool, for a client that granted `milliseconds`.
    pub(crate) fn of_pool(error: PoolError, milliseconds: u128) -> Self {
        match error {
            PoolError::Late => Self::Late { milliseconds },
            PoolError::Panicked => Self::Defect,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, code) = self.row();
        if status.is_server_error() && !matches!(self, Self::Late { .. }) {
            tracing::error!(error = ?self, "request failed");
        }
        let kind = if status.is_client_error() { "invalid_request_error" } else { "server_error" };
        let message = self.to_string();
        // Cohere's clients read `message`, OpenAI's the object.
        let error = json!({"message": &message, "type": kind, "param": null, "code": code});
        let mut response =
            (status, Json(json!({"message": message, "error": error}))).into_response();
        if matches!(self, Self::Full { .. } | Self::Late { .. }) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        response
    }
}
