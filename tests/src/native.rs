//! The ports natively: real requests and a real clock, everything else in memory.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use dossier_core::{
    fakes::{MapConfig, MemoryKv, SeededEntropy},
    ports::{Body, Clock, Env, Http, HttpError, HttpRequest, HttpResponse, Phase, Timeouts},
};
use tokio::time::{Instant, timeout_at};

/// Requests by reqwest; each phase has its time limit.
#[derive(Clone, Debug)]
pub struct NativeHttp(reqwest::Client);

impl NativeHttp {
    /// Creates a client.
    ///
    /// # Errors
    /// The system has no sockets.
    pub fn new() -> Result<Self> {
        // A second call finds the provider installed and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self(reqwest::Client::builder().build()?))
    }
}

/// A reply's body as it arrives.
#[derive(Debug)]
pub struct NativeBody {
    reply: reqwest::Response,
    idle: Option<Duration>,
    end: Option<Deadline>,
}

type Deadline = (Instant, Phase, Duration);

impl Http for NativeHttp {
    type Body = NativeBody;

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse<NativeBody>, HttpError> {
        let Timeouts { head, idle, total } = request.timeouts;
        let end = after(Phase::Total, total);
        let outgoing = self
            .0
            .request(request.method, request.uri.to_string())
            .headers(request.headers)
            .body(request.body);
        let reply = within(earlier(end, after(Phase::Head, head)), outgoing.send()).await?;
        let (status, headers) = (reply.status(), reply.headers().clone());
        Ok(HttpResponse { status, headers, body: NativeBody { reply, idle, end } })
    }
}

impl Body for NativeBody {
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, HttpError>> {
        let next = earlier(self.end, after(Phase::Idle, self.idle));
        let chunk = within(next, self.reply.chunk()).await.transpose()?;
        Some(chunk.map(|bytes| bytes.to_vec()))
    }
}

fn after(phase: Phase, limit: Option<Duration>) -> Option<Deadline> {
    limit.map(|limit| (Instant::now() + limit, phase, limit))
}

fn earlier(one: Option<Deadline>, other: Option<Deadline>) -> Option<Deadline> {
    one.into_iter().chain(other).min_by_key(|(mark, ..)| *mark)
}

async fn within<T>(
    deadline: Option<Deadline>,
    work: impl Future<Output = reqwest::Result<T>>,
) -> Result<T, HttpError> {
    let done = match deadline {
        None => work.await,
        Some((mark, phase, limit)) => match timeout_at(mark, work).await {
            Ok(done) => done,
            Err(_) => return Err(HttpError::TimedOut { phase, limit }),
        },
    };
    done.map_err(|error| HttpError::Failed { reason: error.to_string() })
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// Every port; runs inside of tokio.
#[derive(Debug)]
pub struct NativeEnv {
    /// The store, in memory.
    pub kv: MemoryKv,
    /// The client.
    pub http: NativeHttp,
    /// The clock.
    pub clock: SystemClock,
    /// Seeded randomness.
    pub entropy: SeededEntropy,
    /// Configuration, from a map.
    pub config: MapConfig,
}

impl NativeEnv {
    /// Creates an environment with these variables.
    ///
    /// # Errors
    /// The system has no sockets.
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, String)>) -> Result<Self> {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(Self {
            kv: MemoryKv::default(),
            http: NativeHttp::new()?,
            clock: SystemClock,
            entropy: SeededEntropy::default(),
            config: MapConfig(variables.collect()),
        })
    }
}

impl Env for NativeEnv {
    type Kv = MemoryKv;
    type Http = NativeHttp;
    type Clock = SystemClock;
    type Entropy = SeededEntropy;
    type Config = MapConfig;

    fn kv(&self) -> &MemoryKv {
        &self.kv
    }
    fn http(&self) -> &NativeHttp {
        &self.http
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn entropy(&self) -> &SeededEntropy {
        &self.entropy
    }
    fn config(&self) -> &MapConfig {
        &self.config
    }
}
