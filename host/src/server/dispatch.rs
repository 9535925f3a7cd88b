//! One request: find its function, wait for a place, call it, and always answer.

use super::body::{Limited, Tracked};
use super::intake::{self, REQUEST_ID};
use crate::host::Host;
use crate::instance::GRACE;
use crate::lanes::Lanes;
use crate::problem::{Problem, text};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wasmtime::PoolConcurrencyLimitError;
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError, TrapOrPanicError};
use wasmtime_wasi_http::{WasiBody, p2, p3};

/// The path Spin keeps for itself.
const HEALTH: &str = "/.well-known/spin/health";

/// How long a request counts as beginning. Most have been answered by then or wait for a model; what
/// has neither waits for something else or computes for long, and must not hold up the others.
const BEGINNING: Duration = Duration::from_millis(100);

/// How often to look for a free instance when all are taken.
const RETRY: Duration = Duration::from_millis(20);

/// Everything that answering needs.
pub(crate) struct Dispatch {
    host: Host,
    local: SocketAddr,
    places: Arc<Semaphore>,
}

impl Dispatch {
    pub(crate) fn new(host: Host, local: SocketAddr) -> Self {
        let places = Arc::new(Semaphore::new(host.limits.concurrent_requests));
        Self { host, local, places }
    }

    /// Answers one request; every path ends in a response.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<Tracked> {
        let start = Instant::now();
        let id = intake::request_id(request.headers());
        let method = request.method().clone();
        // The query stays out of the log: it may hold what a visitor asked.
        let path = request.uri().path().to_owned();
        let (mut response, permit) = match self.route(request, client, &id).await {
            Ok((response, permit)) => (response, permit),
            Err(problem) => (problem.response(&id, &path), None),
        };
        if !response.headers().contains_key(REQUEST_ID)
            && let Ok(value) = HeaderValue::from_str(&id)
        {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        tracing::info!(
            %method,
            path,
            status = response.status().as_u16(),
            milliseconds = start.elapsed().as_millis() as u64,
            request_id = id,
            "request"
        );
        response.map(|body| Tracked::new(body, permit))
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        id: &str,
    ) -> Result<(Response<WasiBody>, Option<OwnedSemaphorePermit>), Problem> {
        let deadline = Instant::now() + self.host.limits.request_timeout;
        if request.uri().path() == HEALTH && [Method::GET, Method::HEAD].contains(request.method())
        {
            return Ok((healthy(), None));
        }
        if self.host.local_names_only && !intake::is_for_this_machine(&request) {
            return Err(Problem::Misdirected);
        }
        let found = self.host.routes.find(request.uri().path()).ok_or(Problem::NotFound)?;
        let function =
            self.host.functions.get(&found.trigger.component).ok_or(Problem::NotFound)?;

        let limit = self.host.limits.request_body;
        if declared_length(request.headers()).is_some_and(|length| length > limit as u64) {
            return Err(Problem::BodyTooLarge { limit });
        }
        let permit = self.take_place().await?;
        let (mut parts, body) = request.into_parts();
        intake::prepare(&mut parts, &found, client, self.local, id);
        let exceeded = Arc::new(AtomicBool::new(false));
        let body = Limited::new(body, limit, Arc::clone(&exceeded)).boxed_unsync();
        let request = Request::from_parts(parts, body);

        // The instance watches the deadline itself; this one also covers time spent in queues.
        let called =
            tokio::time::timeout_at(deadline + GRACE * 2, self.call(function, request, deadline))
                .await
                .unwrap_or(Err(Problem::Timeout));
        if exceeded.load(Ordering::Relaxed) {
            // The guest saw a broken body and may have said anything; this is what happened.
            return Err(Problem::BodyTooLarge { limit });
        }
        Ok((called?, Some(permit)))
    }

    async fn take_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.host.limits.queue_wait, place).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Problem::Overloaded),
        }
    }

    async fn call(
        &self,
        function: &Lanes,
        mut request: Request<WasiBody>,
        deadline: Instant,
    ) -> Result<Response<WasiBody>, Problem> {
        let patience = Instant::now() + self.host.limits.queue_wait;
        loop {
            let begins = tokio::time::timeout_at(patience, function.begin()).await;
            let begins = begins.map_err(|_| Problem::Overloaded)?;
            let lane = function.pick();
            let mut handled = pin!(lane.handle(deadline, request));
            let begun = tokio::time::timeout(BEGINNING, &mut handled).await;
            drop(begins);
            let outcome = match begun {
                Ok(outcome) => outcome,
                Err(_) => handled.await,
            };
            let error = match outcome {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let error = match error.downcast::<InstantiationError<Instant>>() {
                Ok(refused) if refused.error.is::<PoolConcurrencyLimitError>() => {
                    // The request comes back unharmed, and instances end all the time.
                    if Instant::now() + RETRY > patience {
                        return Err(Problem::Overloaded);
                    }
                    tokio::time::sleep(RETRY).await;
                    request = refused.request.into_inner().unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                Ok(refused) => {
                    let component = function.id();
                    tracing::error!(component, "instantiation failed: {:?}", refused.error);
                    return Err(Problem::Trapped);
                }
                Err(error) => error,
            };
            return Err(classify(&error, function, deadline));
        }
    }
}

/// What a failed call looks like from outside. Details go to the log only.
fn classify(error: &wasmtime::Error, function: &Lanes, deadline: Instant) -> Problem {
    let component = function.id();
    if error.is::<ExpirationError>() {
        tracing::warn!(component, "the function did not answer in time");
        Problem::Timeout
    } else if error.is::<TrapOrPanicError>() {
        // An overdue instance is dropped with all its requests, which looks like a trap from here.
        if Instant::now() >= deadline {
            tracing::warn!(component, "the function did not give way in time");
            Problem::Timeout
        } else {
            Problem::Trapped
        }
    } else if error.is::<p3::bindings::http::types::ErrorCode>()
        || error.is::<p2::bindings::http::types::ErrorCode>()
    {
        tracing::error!(component, "the function answered with an error: {error:#}");
        Problem::Failed
    } else {
        tracing::error!(component, "the call failed: {error:?}");
        Problem::Failed
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn healthy() -> Response<WasiBody> {
    let mut response = Response::new(text("OK"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
