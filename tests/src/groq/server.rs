//! The server: routes, scenarios in turn, and what it was asked.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use futures::stream;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime, time::sleep};

use super::{
    answer::{last_message, question},
    plan::{Pace, Plan, Step, guard, plan, refusal},
    scenario::{Scenario, Script},
};

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port; 0 for a free one.
    pub port: u16,
    /// How fast it is.
    pub pace: Pace,
    /// What happens where nothing else says so.
    pub always: Scenario,
    /// What happens to which question, after the queue.
    pub script: Script,
    /// Whether a question may name its scenario: `Which medal? #cut`.
    pub marked: bool,
    /// Models that it no longer serves.
    pub withdrawn: Vec<String>,
}

/// A running double; dropping it stops it at once.
pub struct Groq {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

/// A completion that was asked for.
#[derive(Clone, Debug)]
pub struct Received {
    /// The header `authorization`.
    pub authorization: String,
    /// The request.
    pub body: Value,
    /// What happened to it.
    pub scenario: Scenario,
}

struct Shared {
    options: Options,
    state: Mutex<Changing>,
}

#[derive(Default)]
struct Changing {
    queue: VecDeque<Scenario>,
    script: Script,
    always: Scenario,
    guard: Scenario,
    received: Vec<Received>,
}

impl Groq {
    /// Starts on a free port, as fast as can be.
    ///
    /// # Errors
    /// The system has no sockets.
    pub fn start() -> Result<Self> {
        Self::start_with(Options::default())
    }

    /// Starts with `options`.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start_with(options: Options) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", options.port)))?;
        let address = listener.local_addr()?;
        let state = Changing {
            script: options.script.clone(),
            always: options.always.clone(),
            ..Changing::default()
        };
        let shared = Arc::new(Shared { options, state: Mutex::new(state) });
        let router = Router::new()
            .route("/openai/v1/chat/completions", post(completions))
            .route("/openai/v1/models", get(models))
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    /// Its address, as `groq_base_url` takes it.
    pub fn base(&self) -> String {
        format!("http://{}/openai/v1", self.address)
    }

    /// What happens to the next completions, one each.
    pub fn queue(&self, scenarios: impl IntoIterator<Item = Scenario>) {
        self.shared.changing().queue.extend(scenarios);
    }

    /// What happens from now on where nothing else says so.
    pub fn always(&self, scenario: Scenario) {
        self.shared.changing().always = scenario;
    }

    /// What happens to Prompt Guard from now on; [`Scenario::Ok`] gives a score.
    pub fn guard(&self, scenario: Scenario) {
        self.shared.changing().guard = scenario;
    }

    /// Returns the completions that were asked for so far, those of Prompt Guard included.
    pub fn received(&self) -> Vec<Received> {
        self.shared.changing().received.clone()
    }
}

impl Drop for Groq {
    fn drop(&mut self) {
        // Replies that hang would be waited for otherwise.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn changing(&self) -> MutexGuard<'_, Changing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Picks the scenario of a request, notes both, and plans the reply.
    fn plan(&self, authorization: &str, request: Value) -> Plan {
        let model = request["model"].as_str().unwrap_or_default().to_owned();
        let question = question(last_message(&request)).to_owned();
        let is_guard = model.contains("prompt-guard");
        let mut changing = self.changing();
        let marked = self.options.marked.then(|| Scenario::marked(&question)).flatten();
        let scenario = match is_guard {
            true => changing.guard.clone(),
            false => marked
                .or_else(|| changing.queue.pop_front())
                .or_else(|| changing.script.next(&question))
                .unwrap_or_else(|| changing.always.clone()),
        };
        let id = changing.received.len() as u64;
        changing.received.push(Received {
            authorization: authorization.to_owned(),
            body: request.clone(),
            scenario: scenario.clone(),
        });
        drop(changing);
        match authorization.strip_prefix("Bearer ") {
            None | Some("") => {
                refusal(401, "no API key", "invalid_request_error", Some("invalid_api_key"))
            }
            Some(_) if self.options.withdrawn.contains(&model) => {
                plan(&Scenario::Withdrawn, &request, &self.options.pace, id)
            }
            Some(_) if is_guard && scenario == Scenario::Ok => guard(&request, id),
            Some(_) => plan(&scenario, &request, &self.options.pace, id),
        }
    }
}

async fn completions(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = headers.get("authorization").and_then(|value| value.to_str().ok());
    let plan = match serde_json::from_slice(&body) {
        Ok(request) => shared.plan(key.unwrap_or_default(), request),
        Err(_) => refusal(400, "the body is no JSON", "invalid_request_error", None),
    };
    match plan.wait {
        Some(wait) => sleep(wait).await,
        None => std::future::pending().await,
    }
    reply(plan)
}

async fn models(State(shared): State<Arc<Shared>>) -> Response {
    let served = [
        "openai/gpt-oss-20b",
        "openai/gpt-oss-120b",
        "qwen/qwen3-32b",
        "meta-llama/llama-prompt-guard-2-22m",
        "meta-llama/llama-prompt-guard-2-86m",
    ];
    let withdrawn = &shared.options.withdrawn;
    let served = served.iter().filter(|id| !withdrawn.iter().any(|other| other == *id));
    let list = served.map(|id| json!({ "id": id, "object": "model", "owned_by": "double" }));
    let body = json!({ "object": "list", "data": list.collect::<Vec<_>>() });
    let headers = vec![("content-type", "application/json".to_owned())];
    let steps = vec![Step::Bytes(body.to_string().into_bytes())];
    reply(Plan { status: 200, headers, wait: None, steps })
}

fn reply(plan: Plan) -> Response {
    let steps = stream::unfold(plan.steps.into_iter(), async |mut steps| {
        loop {
            match steps.next()? {
                Step::Bytes(bytes) => return Some((Ok(Bytes::from(bytes)), steps)),
                Step::Wait(wait) => sleep(wait).await,
                Step::Hang => std::future::pending().await,
                Step::Break => return Some((Err(io::Error::other("as planned")), steps)),
            }
        }
    });
    let mut reply = Response::new(Body::from_stream(steps));
    *reply.status_mut() = StatusCode::from_u16(plan.status).unwrap_or_default();
    for (name, value) in plan.headers {
        if let Ok(value) = value.parse() {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}
