//! An incoming request: its identity, its path within the API, its body within limits.

use dossier_core::{
    RequestError,
    ports::{Clock as _, Entropy as _},
    wire::Problem,
};
use http_body_util::BodyExt as _;
use spin_sdk::http::Request;

use crate::{Reply, SystemClock, SystemEntropy};

/// Largest body of a JSON request.
pub const MAX_BODY_BYTES: usize = 32 * 1024;

/// Prefix under which every API route answers too.
pub const PREFIX: &str = "/api/v1";
const REQUEST_ID: &str = "x-request-id";

/// What is known of a request before its body is read, and what every reply to it carries.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Names the request in logs, headers and errors: the caller's, if well formed, else new.
    pub request_id: String,
    /// Path without the API prefix and without a slash at its end.
    pub route: String,
    path: String,
}

impl Exchange {
    /// Looks at the head of `request`.
    pub fn new(request: &Request) -> Self {
        let path = request.uri().path().to_owned();
        let route = match path.strip_prefix(PREFIX) {
            Some(rest) if rest.starts_with('/') => rest,
            _ => &path,
        };
        // Hosts route `/chat/` as they route `/chat`.
        let route = route.trim_end_matches('/').to_owned();
        let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let request_id = given.filter(|id| well_formed(id)).map_or_else(new_id, str::to_owned);
        Self { request_id, route, path }
    }

    /// The error's body, for this request.
    pub fn problem(&self, error: &RequestError) -> Problem {
        let (error_code, status, title) = error.row();
        Problem {
            kind: format!("/problems/{error_code}"),
            title,
            status,
            detail: error.to_string(),
            instance: self.path.clone(),
            error_code,
            message: error.to_string(),
            details: error.fields(),
            timestamp: SystemClock.now().as_secs(),
            request_id: self.request_id.clone(),
        }
    }

    /// Completes a reply: errors become problems, and every reply gets the headers of the house.
    pub fn finish(&self, reply: Result<Reply, RequestError>) -> Reply {
        let reply = reply.unwrap_or_else(|error| Reply::problem(&self.problem(&error), &error));
        reply.with_house_headers(&self.request_id)
    }
}

/// Reads the whole body of `request`.
///
/// # Errors
/// [`RequestError::TooLarge`] as soon as more than [`MAX_BODY_BYTES`] arrive;
/// [`RequestError::BadJson`] when the transfer breaks.
pub async fn body(request: Request) -> Result<Vec<u8>, RequestError> {
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| RequestError::BadJson { reason: error.to_string() })?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref()));
        if bytes.len() > MAX_BODY_BYTES {
            return Err(RequestError::TooLarge { limit: MAX_BODY_BYTES });
        }
    }
    Ok(bytes)
}

fn well_formed(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn new_id() -> String {
    let mut bytes = [0; 16];
    SystemEntropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
