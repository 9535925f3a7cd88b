//! Replies: JSON, problems and event streams, with the headers that every reply carries.

use bytes::Bytes;
use dossier_core::{telemetry::Context, wire::Problem};
use futures::channel::mpsc::Sender;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use spin_sdk::http::{BoxBody, FullBody, box_body};

/// A response of a component.
pub type Response = http::Response<BoxBody>;

/// A response under construction.
pub struct Reply(Response);

/// What every reply carries: no sniffing, no framing, nothing from other hosts, and TLS from now on,
/// which browsers heed only where they came by TLS.
const HOUSE: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
         object-src 'none'",
    ),
];

/// A JSON reply with status 200, or 500 where `payload` cannot be written.
pub fn json(payload: &impl serde::Serialize) -> Reply {
    match serde_json::to_vec(payload) {
        Ok(body) => Reply::full(200, "application/json", body),
        Err(_) => Reply::full(500, "application/json", b"{}".to_vec()),
    }
}

/// An event stream with status 200, and where its text goes.
pub fn stream() -> (Sender<String>, Reply) {
    let (sender, body) = spin_sdk::http::body::stream::<String>();
    let reply = Reply(Response::new(box_body(body)))
        .header(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")
        // Proxies must neither keep nor collect it.
        .header(header::CACHE_CONTROL, "no-cache, no-transform")
        .header(HeaderName::from_static("x-accel-buffering"), "no");
    (sender, reply)
}

impl Reply {
    /// A reply with its whole body.
    pub fn full(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::empty(status).header(header::CONTENT_TYPE, content_type);
        *reply.0.body_mut() = box_body(FullBody::new(body.into()));
        reply
    }

    /// A reply without a body.
    pub(crate) fn empty(status: u16) -> Self {
        let mut response = Response::new(box_body(FullBody::new(Bytes::new())));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        Self(response)
    }

    /// An error's reply.
    pub(crate) fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_vec(problem).unwrap_or_default();
        Self::full(problem.status, "application/problem+json", body)
    }

    /// Sets headers, such as those of a limit's standing.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.0.headers_mut().extend(headers);
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    /// Sets the status.
    #[must_use]
    pub fn status(mut self, status: http::StatusCode) -> Self {
        *self.0.status_mut() = status;
        self
    }

    pub(crate) fn with_house_headers(mut self, request_id: &str) -> Self {
        let headers = self.0.headers_mut();
        for (name, value) in HOUSE {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        self
    }

    /// Names the request's span, so that a caller can find it in the logs.
    pub(crate) fn with_context(mut self, context: &Context) -> Self {
        if let Ok(value) = HeaderValue::from_str(&context.traceparent()) {
            self.0.headers_mut().insert(HeaderName::from_static("traceparent"), value);
        }
        self
    }

    /// The status.
    pub fn code(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// The response.
    pub fn into_response(self) -> Response {
        self.0
    }
}
