//! Outgoing requests as the HTTP port.

use dossier_core::ports::{Body, Http, HttpError, HttpRequest, HttpResponse};
use http_body_util::BodyExt as _;
use spin_sdk::{
    http::{FullBody, Response},
    wasip3::{http::types::ErrorCode, http_compat::IncomingResponseBody},
};

/// Sends requests through the platform, to the hosts that `spin.toml` allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinHttp;

/// A reply's body as it arrives.
pub struct SpinBody(IncomingResponseBody);

impl Http for SpinHttp {
    type Body = SpinBody;

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse<SpinBody>, HttpError> {
        let authority = request.uri.authority().map(ToString::to_string).unwrap_or_default();
        let mut outgoing = http::Request::new(FullBody::new(bytes::Bytes::from(request.body)));
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = request.uri;
        *outgoing.headers_mut() = request.headers;
        let reply: Response =
            spin_sdk::http::send(outgoing).await.map_err(|error| match error {
                ErrorCode::HttpRequestDenied => HttpError::Denied { authority },
                other => HttpError::Failed { reason: other.to_string() },
            })?;
        let (head, body) = reply.into_parts();
        Ok(HttpResponse { status: head.status, headers: head.headers, body: SpinBody(body) })
    }
}

impl Body for SpinBody {
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, HttpError>> {
        loop {
            match self.0.frame().await? {
                Ok(frame) => {
                    // Trailers are no data.
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data.to_vec()));
                    }
                }
                Err(error) => return Some(Err(HttpError::Failed { reason: error.to_string() })),
            }
        }
    }
}
