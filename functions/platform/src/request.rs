//! An incoming request: its identity, its path within the API, who may read the reply, its body within
//! limits.

use std::time::Duration;

use dossier_core::{
    RequestError,
    auth::Origins,
    policy::Cors,
    ports::{Clock as _, Config},
    telemetry::{Context, request_id},
    wire::Problem,
};
use http::{Method, header};
use http_body_util::BodyExt as _;
use spin_sdk::http::Request;

use crate::{Reply, SystemClock, SystemEntropy};

/// Largest body of a JSON request.
pub const MAX_BODY_BYTES: usize = 32 * 1024;

/// Prefix under which every API route answers too.
pub const PREFIX: &str = "/api/v1";

/// What is known of a request before its body is read, and what every reply to it carries.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Names the request in logs, headers and errors: the caller's, if well formed, else new.
    pub request_id: String,
    /// Its place in a trace across services.
    pub context: Context,
    /// When it came in, since the Unix epoch.
    pub started: Duration,
    /// Path without the API prefix and without a slash at its end.
    pub route: String,
    /// Host and port that the service was addressed as.
    pub authority: Option<String>,
    path: String,
    cors: Cors,
}

impl Exchange {
    /// Looks at the head of `request`; `config` says which sites may read replies.
    pub async fn new(request: &Request, config: &impl Config) -> Self {
        let path = request.uri().path().to_owned();
        let route = match path.strip_prefix(PREFIX) {
            Some(rest) if rest.starts_with('/') => rest,
            _ => &path,
        };
        // Hosts route `/chat/` as they route `/chat`.
        let route = route.trim_end_matches('/').to_owned();
        let headers = request.headers();
        let request_id = request_id(headers, &SystemEntropy);
        let context = Context::incoming(headers, &SystemEntropy);
        let authority = request.uri().authority().map(ToString::to_string).or_else(|| {
            headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)
        });
        // A list that cannot be read shares nothing with other sites; guarded routes then refuse all.
        let origins = Origins::configured(config).await.unwrap_or_else(|fault| {
            eprintln!("replies are not shared with other sites: {fault}");
            Origins::default()
        });
        let cors = Cors::of(&origins, request.method(), authority.as_deref(), headers);
        Self { request_id, context, started: SystemClock.now(), route, authority, path, cors }
    }

    /// Time since it came in.
    pub fn elapsed(&self) -> Duration {
        SystemClock.now().saturating_sub(self.started)
    }

    /// The answer to an `OPTIONS` request, which no route needs to see; `None` for any other.
    pub fn preflight(&self) -> Option<Result<Reply, RequestError>> {
        Some(self.cors.preflight()?.map(|headers| Reply::empty(204).headers(headers)))
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

    /// Completes a reply: errors become problems, and every reply gets the headers of the house and
    /// those by which a browser lets a page of an allowed site read it.
    pub fn finish(&self, reply: Result<Reply, RequestError>) -> Reply {
        let reply = reply.unwrap_or_else(|error| {
            if let RequestError::Misconfigured { fault } = &error {
                eprintln!("request {} is refused: {fault}", self.request_id);
            }
            Reply::problem(&self.problem(&error)).headers(error.headers())
        });
        let reply = reply.headers(self.cors.headers()).with_house_headers(&self.request_id);
        reply.with_context(&self.context)
    }
}

/// Whether the method only reads; hosts send no body in reply to `HEAD`.
pub fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
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
