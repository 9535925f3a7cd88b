//! What can go wrong with a request, in one table: code, status, title, retryable.

use crate::wire::FieldError;

/// Why a request is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No route has this path.
    #[error("no such route: {path}")]
    NotFound {
        /// The path.
        path: String,
    },
    /// The route has no such method.
    #[error("method {method} is not allowed here; use {allowed}")]
    MethodNotAllowed {
        /// The method.
        method: String,
        /// What is allowed, comma-separated.
        allowed: &'static str,
    },
    /// The body is not JSON of the right shape.
    #[error("the body is not the JSON this route takes: {reason}")]
    BadJson {
        /// What the parser said.
        reason: String,
    },
    /// The body is too large.
    #[error("the body is too large: at most {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Fields have values they may not have.
    #[error("invalid request: {}", .fields.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// The fields, each with what was expected.
        fields: Vec<FieldError>,
    },
    /// The API key is missing or wrong.
    #[error("missing or unknown API key: send it as X-API-Key")]
    Unauthorized,
    /// The owner's key is missing or wrong.
    #[error("missing or wrong admin key: send it as a bearer token")]
    AdminUnauthorized,
    /// Nobody may do this.
    #[error("{reason}")]
    Forbidden {
        /// Why, and who can change it.
        reason: String,
    },
    /// A part that the route needs is not there.
    #[error("{reason}")]
    Unavailable {
        /// Which part, and what to do.
        reason: String,
    },
}

impl RequestError {
    /// Stable code, HTTP status and title.
    pub fn row(&self) -> (&'static str, u16, &'static str) {
        match self {
            Self::NotFound { .. } => ("not_found", 404, "Not found"),
            Self::MethodNotAllowed { .. } => ("method_not_allowed", 405, "Method not allowed"),
            Self::BadJson { .. } => ("bad_json", 400, "Malformed JSON"),
            Self::TooLarge { .. } => ("too_large", 413, "Body too large"),
            Self::Invalid { .. } => ("validation_failed", 422, "Invalid request"),
            Self::AdminUnauthorized => ("unauthorized", 401, "Unauthorized"),
            Self::Forbidden { .. } => ("forbidden", 403, "Forbidden"),
            Self::Unauthorized => ("unauthorized", 401, "Unauthorized"),
            Self::Unavailable { .. } => ("unavailable", 503, "Unavailable"),
        }
    }

    /// Whether the same request may succeed later.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// The fields at fault.
    pub fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid { fields } => fields.clone(),
            _ => Vec::new(),
        }
    }
}
