//! Where a component may send requests, and the hook that enforces it.
//!
//! The rules themselves are in `allowed`. Raw sockets are outside: the WASI context denies them all.

mod allowed;

pub use allowed::{AllowedHosts, HostPatternError};

use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// One component's outgoing HTTP.
#[derive(Clone)]
pub(crate) struct Outbound {
    pub(crate) component: Arc<str>,
    pub(crate) allowed: Arc<AllowedHosts>,
    /// Bounds each wait (connect, first byte, between bytes) that the guest leaves open.
    pub(crate) timeout: Duration,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_read: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send> {
        if !self.allowed.permit(request.uri()) {
            // The path and query may carry secrets; where it wanted to go is enough.
            tracing::warn!(
                component = %self.component,
                scheme = request.uri().scheme_str().unwrap_or_default(),
                authority = request.uri().authority().map_or("", |authority| authority.as_str()),
                "outgoing request refused; {}", self.allowed.remedy()
            );
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let options = options.unwrap_or_default();
        let options = RequestOptions {
            connect_timeout: options.connect_timeout.or(Some(self.timeout)),
            first_byte_timeout: options.first_byte_timeout.or(Some(self.timeout)),
            between_bytes_timeout: options.between_bytes_timeout.or(Some(self.timeout)),
        };
        Box::new(async move {
            let (response, io) = default_send_request(request, Some(options)).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(io) as Io))
        })
    }
}
