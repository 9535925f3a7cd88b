//! The answers the host gives in place of a guest, as RFC 9457 problem details.
//!
//! What a guest answers, errors included, passes through untouched and is none of this. Clients read
//! one dialect all the same: members and codes are like those of the guests that run here.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::time::SystemTime;
use wasmtime_wasi_http::WasiBody;

/// What went wrong with a request, as far as its sender may know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Problem {
    BodyTooLarge { limit: usize },
    Failed,
    Misdirected,
    NotFound,
    Overloaded,
    Timeout,
    Trapped,
}

impl Problem {
    /// The whole response.
    pub(crate) fn response(self, request_id: &str, path: &str) -> Response<WasiBody> {
        let (status, code, message) = self.describe();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let body = serde_json::json!({
            "type": format!("/problems/{code}"),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": message,
            "instance": path,
            "error_code": code,
            "message": message,
            "details": [],
            "timestamp": now.as_secs(),
            "request_id": request_id,
        });
        let mut response = Response::new(text(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in SECURITY {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self == Self::Overloaded {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn describe(self) -> (StatusCode, &'static str, String) {
        match self {
            Self::BodyTooLarge { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the request body is larger than {limit} bytes"),
            ),
            Self::Failed => (
                StatusCode::BAD_GATEWAY,
                "function_failed",
                "the function gave no valid response".to_owned(),
            ),
            Self::Misdirected => (
                StatusCode::MISDIRECTED_REQUEST,
                "misdirected",
                "without an API key this server answers to localhost only".to_owned(),
            ),
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "not_found", "no route matches this path".to_owned())
            }
            Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "all instances are busy; try again in a moment".to_owned(),
            ),
            Self::Timeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "function_timeout",
                "the function did not answer in time".to_owned(),
            ),
            Self::Trapped => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "function_trapped",
                "the function crashed".to_owned(),
            ),
        }
    }
}

/// A body that is there at once.
pub(crate) fn text(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into()).map_err(wasmtime_wasi_http::Error::from).boxed_unsync()
}

/// For a browser that shows an error as a page: no script, no frame, no guessing.
const SECURITY: [(&str, &str); 5] = [
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_has_every_member_and_header() {
        let response = Problem::Overloaded.response("r-1", "/chat");
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        for member in ["title", "status", "detail", "message", "details", "timestamp"] {
            assert!(!body[member].is_null(), "{member}");
        }
        assert_eq!(body["type"], "/problems/overloaded");
        assert_eq!(body["error_code"], "overloaded");
        assert_eq!((&body["request_id"], &body["instance"]), (&"r-1".into(), &"/chat".into()));
    }
}
