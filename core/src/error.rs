//! What can go wrong with a request, in one table: code, status, title, retryable, header fields.

use http::{HeaderMap, HeaderValue, header};

use crate::{llm::UnknownModel, policy::Refusal, setting::SettingFault, wire::FieldError};

/// Seconds after which a part that was not there may be back.
const RETRY_SECONDS: u64 = 5;

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
    /// The path names a model that is not there.
    #[error("{unknown}")]
    ModelNotFound {
        /// Which ones there are.
        unknown: UnknownModel,
    },
    /// The route has no such method.
    #[error("method {method} is not allowed here; use {allowed}")]
    MethodNotAllowed {
        /// The method.
        method: String,
        /// What is allowed, comma-separated.
        allowed: &'static str,
    },
    /// The body is not JSON.
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
    /// Fields are missing, or have types or values they may not have.
    #[error("invalid request: {}", .fields.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// The fields, each with what was expected.
        fields: Vec<FieldError>,
    },
    /// The API key is missing or wrong.
    #[error("missing or unknown API key: send it as X-API-Key, or as Authorization: Bearer")]
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
    /// A page of another site asks. Its operator is named by nothing: the page's address may be
    /// anything.
    #[error("origin not allowed: the operator lists the sites that may ask in allowed_origins")]
    OriginNotAllowed,
    /// A browser asked beforehand for what is not allowed.
    #[error("preflight refused: {reason}")]
    PreflightRefused {
        /// What is not allowed, and what is.
        reason: String,
    },
    /// Without an API key only this machine is served, and in production nobody.
    #[error(
        "without an API key only this machine is served, and in production nobody: set api_keys"
    )]
    Misdirected,
    /// A limit is used up.
    #[error("{refusal}")]
    RateLimited {
        /// Which, and until when.
        refusal: Refusal,
    },
    /// The operator has to mend the configuration; visitors are not told what.
    #[error("the service is not configured correctly; its operator finds the reason in the log")]
    Misconfigured {
        /// For the log.
        fault: String,
    },
    /// A part that the route needs is not there.
    #[error("{reason}")]
    Unavailable {
        /// Which part, and what to do.
        reason: String,
    },
}

impl From<SettingFault> for RequestError {
    fn from(fault: SettingFault) -> Self {
        Self::Misconfigured { fault: fault.to_string() }
    }
}

impl RequestError {
    /// Stable code, HTTP status and title.
    pub fn row(&self) -> (&'static str, u16, &'static str) {
        match self {
            Self::NotFound { .. } => ("not_found", 404, "Not found"),
            Self::ModelNotFound { .. } => ("model_not_found", 404, "Model not found"),
            Self::MethodNotAllowed { .. } => ("method_not_allowed", 405, "Method not allowed"),
            Self::BadJson { .. } => ("bad_json", 400, "Malformed JSON"),
            Self::TooLarge { .. } => ("too_large", 413, "Body too large"),
            Self::Invalid { .. } => ("validation_failed", 422, "Invalid request"),
            Self::AdminUnauthorized => ("unauthorized", 401, "Unauthorized"),
            Self::Forbidden { .. } => ("forbidden", 403, "Forbidden"),
            Self::Unauthorized => ("unauthorized", 401, "Unauthorized"),
            Self::OriginNotAllowed => ("origin_not_allowed", 403, "Origin not allowed"),
            Self::PreflightRefused { .. } => ("preflight_refused", 403, "Preflight refused"),
            Self::Misdirected => ("misdirected", 421, "Misdirected request"),
            Self::RateLimited { .. } => ("rate_limited", 429, "Rate limit exceeded"),
            Self::Misconfigured { .. } => ("misconfigured", 503, "Misconfigured"),
            Self::Unavailable { .. } => ("unavailable", 503, "Unavailable"),
        }
    }

    /// Whether the same request may succeed later.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unavailable { .. })
    }

    /// The header fields that belong to the status.
    pub fn headers(&self) -> HeaderMap {
        let one = |name, value| HeaderMap::from_iter([(name, value)]);
        match self {
            Self::MethodNotAllowed { allowed, .. } => {
                one(header::ALLOW, HeaderValue::from_static(allowed))
            }
            Self::AdminUnauthorized | Self::Unauthorized => {
                one(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"dossier\""))
            }
            Self::RateLimited { refusal } => refusal.headers(),
            Self::Unavailable { .. } => one(header::RETRY_AFTER, RETRY_SECONDS.into()),
            _ => HeaderMap::new(),
        }
    }

    /// The fields at fault.
    pub fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid { fields } => fields.clone(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::Limit;

    #[test]
    fn some_statuses_have_fields_of_their_own() {
        let check = |error: RequestError, status, name: &str, value: &str| {
            assert_eq!(error.row().1, status);
            assert_eq!(error.headers()[name], value, "{error}");
        };
        let refusal =
            Refusal { limit: Limit::SessionHour, allowed: 10, wait: Duration::from_secs(90) };
        let limited = RequestError::RateLimited { refusal };
        assert!(limited.retryable());
        check(limited.clone(), 429, "retry-after", "90");
        check(limited, 429, "ratelimit", "\"session\";r=0;t=90");
        let reason = "no index".to_owned();
        check(RequestError::Unavailable { reason }, 503, "retry-after", "5");
        check(RequestError::Unauthorized, 401, "www-authenticate", "Bearer realm=\"dossier\"");
        let error = RequestError::MethodNotAllowed { method: "PUT".to_owned(), allowed: "POST" };
        check(error, 405, "allow", "POST");
    }

    #[test]
    fn visitors_are_not_told_of_the_configuration() {
        let fault = SettingFault::malformed("allowed_origins", "an origin", "inner.example");
        let error = RequestError::from(fault);
        assert!(!error.to_string().contains("example") && error.row().1 == 503);
    }
}
