//! Outgoing requests as the HTTP port.

use std::{future::poll_fn, mem::replace, pin::pin, time::Duration};

use dossier_core::ports::{Body, Http, HttpError, HttpRequest, HttpResponse, Phase, Timeouts};
use futures::future::{Either, select};
use http_body_util::BodyExt;
use spin_sdk::{
    http::{FullBody, Response},
    wasip3::{
        clocks::monotonic_clock::{now, wait_until},
        http::types::ErrorCode,
        http_compat::IncomingResponseBody,
    },
};

/// Sends requests through the platform, to the hosts that `spin.toml` allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinHttp;

/// A reply's body as it arrives.
pub struct SpinBody {
    body: IncomingResponseBody,
    idle: Option<Duration>,
    /// When the whole exchange must be over.
    end: Option<Deadline>,
}

impl Http for SpinHttp {
    type Body = SpinBody;

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse<SpinBody>, HttpError> {
        let authority = request.uri.authority().map(ToString::to_string).unwrap_or_default();
        let Timeouts { head, idle, total } = request.timeouts;
        let end = total.map(|limit| Deadline::after(Phase::Total, limit));
        let first = Deadline::earlier(end, Phase::Head, head);
        let mut outgoing = http::Request::new(FullBody::new(bytes::Bytes::from(request.body)));
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = request.uri;
        *outgoing.headers_mut() = request.headers;
        let reply: Response = within(first, polled_twice(spin_sdk::http::send(outgoing)))
            .await?
            .map_err(|error| match error {
                ErrorCode::HttpRequestDenied => HttpError::Denied { authority },
                other => HttpError::Failed { reason: other.to_string() },
            })?;
        let (head, body) = reply.into_parts();
        let body = SpinBody { body, idle, end };
        Ok(HttpResponse { status: head.status, headers: head.headers, body })
    }
}

impl Body for SpinBody {
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, HttpError>> {
        loop {
            let next = Deadline::earlier(self.end, Phase::Idle, self.idle);
            match within(next, BodyExt::frame(&mut self.body)).await {
                Err(late) => return Some(Err(late)),
                Ok(None) => return None,
                Ok(Some(Ok(frame))) => {
                    // Trailers are no data.
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data.to_vec()));
                    }
                }
                Ok(Some(Err(error))) => {
                    return Some(Err(HttpError::Failed { reason: error.to_string() }));
                }
            }
        }
    }
}

/// When an exchange, or a phase of it, must be over.
#[derive(Clone, Copy)]
struct Deadline {
    phase: Phase,
    /// Nanoseconds of the platform's monotonic clock.
    mark: u64,
    limit: Duration,
}

impl Deadline {
    fn after(phase: Phase, limit: Duration) -> Self {
        let mark = now().saturating_add(nanoseconds(limit));
        Self { phase, mark, limit }
    }

    /// The end of the whole, or of a phase that begins now, whichever comes first.
    fn earlier(end: Option<Self>, phase: Phase, limit: Option<Duration>) -> Option<Self> {
        let own = limit.map(|limit| Self::after(phase, limit));
        end.into_iter().chain(own).min_by_key(|deadline| deadline.mark)
    }
}

/// Waits for `work`, up to the deadline.
async fn within<T>(
    deadline: Option<Deadline>,
    work: impl Future<Output = T>,
) -> Result<T, HttpError> {
    let Some(Deadline { phase, mark, limit }) = deadline else { return Ok(work.await) };
    match select(pin!(work), pin!(wait_until(mark))).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(_) => Err(HttpError::TimedOut { phase, limit }),
    }
}

/// Has `work` polled again right after the first time. It spawns a task that writes the request's
/// body, and the runtime looks at what was spawned only when something wakes it: where nothing else
/// goes on in the instance, the request would never leave.
async fn polled_twice<T>(work: impl Future<Output = T>) -> T {
    let (mut work, mut polled) = (pin!(work), false);
    poll_fn(|context| {
        if !replace(&mut polled, true) {
            context.waker().wake_by_ref();
        }
        work.as_mut().poll(context)
    })
    .await
}

/// A span as WASI's clocks take it.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
