//! Asks a provider and hands on what comes, as it comes.
//!
//! Nothing is asked twice once a piece was handed on. Before that, a fault that is likely to pass is
//! tried once more, and a model that the provider no longer serves gives way to the next one.

use std::{ops::ControlFlow, time::Duration};

use super::{
    completion::{Completion, Effort, Waits},
    fault::{Fault, Refusal, refusal},
    headers::{RateLimits, retry_after},
    outcome::{Finish, Outcome, Usage},
    provider::Provider,
    reader::Reader,
    sse::Events,
};
use crate::{
    ports::{Body, Clock, Entropy, Env, Http, HttpError, HttpRequest, Phase, Timeouts},
    wire::{ProviderMessage, ProviderRequest, ProviderStreamOptions},
};

/// Hears what a model says.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Listener {
    /// Hears a part of the thinking; `Break` ends the reply.
    async fn thinking(&mut self, text: String) -> ControlFlow<()>;

    /// Hears a part of the answer; `Break` ends the reply.
    async fn text(&mut self, text: String) -> ControlFlow<()>;
}

/// A listener that keeps everything, for replies that are sent whole.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Collected {
    /// The thinking.
    pub thinking: String,
    /// The answer.
    pub text: String,
}

impl Listener for Collected {
    async fn thinking(&mut self, text: String) -> ControlFlow<()> {
        self.thinking.push_str(&text);
        ControlFlow::Continue(())
    }

    async fn text(&mut self, text: String) -> ControlFlow<()> {
        self.text.push_str(&text);
        ControlFlow::Continue(())
    }
}

/// What to ask a provider, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What to ask.
    pub completion: &'a Completion<'a>,
    /// Models of the provider, the wanted one first.
    pub models: &'a [&'a str],
    /// How often it may be asked, as [`Permit::tries`](super::Permit::tries) says.
    pub tries: u8,
}

/// Largest reply, in bytes: four thousand tokens in events of some three hundred bytes, thrice.
const MAX_REPLY_BYTES: usize = 4 << 20;
/// Largest refusal read, in bytes; its code stands at the beginning.
const MAX_REFUSAL_BYTES: usize = 16 * 1024;
/// Shortest pause before the second try, and as much again by chance, so that those who failed
/// together do not come back together.
const PAUSE: Duration = Duration::from_millis(150);

impl Provider {
    /// Asks for a completion and hands its pieces to `listener` as they arrive.
    pub async fn complete(
        &self,
        env: &impl Env,
        call: Call<'_>,
        listener: &mut impl Listener,
    ) -> Outcome {
        let start = env.clock().now();
        let mut outcome = Outcome {
            result: Err(Fault::NoModel { models: Vec::new() }),
            began: false,
            provider: self.name(),
            model: String::new(),
            withdrawn: Vec::new(),
            tries: 0,
            usage: Usage::default(),
            micro_usd: 0,
            limits: RateLimits::default(),
            first_piece: None,
            elapsed: Duration::ZERO,
        };
        let mut models = call.models.iter();
        let mut model = models.next();
        while let Some(id) = model {
            (*id).clone_into(&mut outcome.model);
            match self.attempt(env, call.completion, &mut outcome, listener).await {
                Ok(finish) => {
                    outcome.tries += 1;
                    outcome.result = Ok(finish);
                    break;
                }
                Err(Refusal::Withdrawn) => {
                    outcome.withdrawn.push((*id).to_owned());
                    model = models.next();
                    continue;
                }
                Err(Refusal::Other(fault)) => {
                    outcome.tries += 1;
                    let again = !outcome.began && outcome.tries < call.tries;
                    let pause = (again && fault.retryable()).then(|| pause(env, &fault));
                    outcome.result = Err(fault);
                    let now = env.clock().now();
                    match pause.filter(|pause| now + *pause < call.completion.deadline) {
                        Some(pause) => env.clock().sleep(pause).await,
                        None => break,
                    }
                }
            }
        }
        if model.is_none() {
            outcome.result = Err(Fault::NoModel { models: outcome.withdrawn.clone() });
        }
        outcome.elapsed = env.clock().now().saturating_sub(start);
        // Times to the first piece were taken from the beginning of all tries.
        outcome.first_piece = outcome.first_piece.map(|at| at.saturating_sub(start));
        outcome
    }

    /// Asks `outcome.model` once. Notes in `outcome` what came, the first piece by the clock.
    async fn attempt(
        &self,
        env: &impl Env,
        completion: &Completion<'_>,
        outcome: &mut Outcome,
        listener: &mut impl Listener,
    ) -> Result<Finish, Refusal> {
        let request = self.request(env.clock().now(), completion, &outcome.model)?;
        let mut reply = env.http().send(request).await?;
        outcome.limits = RateLimits::read(&reply.headers);
        if reply.status != http::StatusCode::OK {
            // What is wrong with a request stands in the body; the rest tells its status.
            let body = match reply.status.is_client_error() {
                true => reply.body.bytes(MAX_REFUSAL_BYTES).await.unwrap_or_default(),
                false => Vec::new(),
            };
            return Err(refusal(reply.status.as_u16(), retry_after(&reply.headers), &body));
        }
        let mut reader = Reader::new(completion.effort != Effort::None);
        let mut timed = Timed { listener, clock: env.clock(), first: None };
        let result = match is_json(&reply.headers) {
            true => whole(&mut reply.body, &mut reader, &mut timed).await,
            false => pieces(&mut reply.body, &mut reader, &mut timed).await,
        };
        outcome.first_piece = timed.first;
        outcome.began = reader.began;
        outcome.usage = reader.usage(completion.prompt_tokens());
        let price = self.model(&outcome.model).map(|model| model.price).unwrap_or_default();
        outcome.micro_usd = price.cost(outcome.usage.prompt, outcome.usage.completion);
        Ok(result?)
    }

    fn request(
        &self,
        now: Duration,
        completion: &Completion<'_>,
        model: &str,
    ) -> Result<HttpRequest, Fault> {
        let Waits { head, idle, total } = completion.waits;
        let left = completion.deadline.saturating_sub(now).min(total);
        if left.is_zero() {
            return Err(Fault::TimedOut { phase: Phase::Total, limit: total });
        }
        let messages = completion
            .messages
            .iter()
            .map(|message| ProviderMessage { role: message.role.name(), content: &message.text });
        let body = serde_json::to_vec(&ProviderRequest {
            model,
            messages: messages.collect(),
            temperature: completion.temperature,
            max_tokens: completion.max_tokens,
            reasoning_effort: self.model(model).and_then(|it| it.effort(completion.effort)),
            stream: true,
            stream_options: ProviderStreamOptions { include_usage: true },
        });
        let malformed = |error: serde_json::Error| Fault::Malformed { reason: error.to_string() };
        Ok(HttpRequest {
            method: http::Method::POST,
            uri: self.completions.clone(),
            headers: self.headers().clone(),
            body: body.map_err(malformed)?,
            timeouts: Timeouts { head: Some(head), idle: Some(idle), total: Some(left) },
        })
    }
}

/// How long to wait before the second try.
fn pause(env: &impl Env, fault: &Fault) -> Duration {
    let mut chance = [0; 1];
    env.entropy().fill(&mut chance);
    let least = match fault {
        Fault::RateLimited { retry_after: Some(wait) } => (*wait).max(PAUSE),
        _ => PAUSE,
    };
    least + PAUSE * u32::from(chance[0]) / 256
}

/// Whether the reply is no stream: some servers have none, whatever they are asked for.
fn is_json(headers: &http::HeaderMap) -> bool {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/json"))
}

async fn whole(
    body: &mut impl Body,
    reader: &mut Reader,
    listener: &mut impl Listener,
) -> Result<Finish, Fault> {
    let body = body.bytes(MAX_REPLY_BYTES).await.map_err(broken)?;
    reader.accept(&body, listener).await?;
    reader.end(true, listener).await
}

async fn pieces(
    body: &mut impl Body,
    reader: &mut Reader,
    listener: &mut impl Listener,
) -> Result<Finish, Fault> {
    let mut events = Events::default();
    let mut read = 0;
    while let Some(piece) = body.chunk().await {
        let piece = match piece {
            Ok(piece) => piece,
            // The answer is whole; only the count of tokens did not come.
            Err(_) if reader.finish.is_some() => break,
            Err(error) => return Err(broken(error)),
        };
        read += piece.len();
        if read > MAX_REPLY_BYTES {
            return Err(broken(HttpError::TooLarge { limit: MAX_REPLY_BYTES }));
        }
        let too_long = |error: super::sse::TooLong| Fault::Malformed { reason: error.to_string() };
        events.push(&piece).map_err(too_long)?;
        while let Some(data) = events.next_event() {
            if data.trim() == DONE {
                return reader.end(true, listener).await;
            }
            reader.accept(data.as_bytes(), listener).await?;
        }
    }
    let rest = events.finish().unwrap_or_default();
    let done = rest.trim() == DONE;
    if !done && !rest.is_empty() {
        match reader.accept(rest.as_bytes(), listener).await {
            // An event that was cut off is no event.
            Ok(()) | Err(Fault::Malformed { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    reader.end(done, listener).await
}

/// What ends a stream.
const DONE: &str = "[DONE]";

/// What went wrong after the head of a reply.
fn broken(error: HttpError) -> Fault {
    match error {
        HttpError::TimedOut { phase, limit } => Fault::TimedOut { phase, limit },
        HttpError::TooLarge { .. } => Fault::Malformed { reason: error.to_string() },
        _ => Fault::Cut,
    }
}

/// Notes when the first piece was handed on.
struct Timed<'a, L, C> {
    listener: &'a mut L,
    clock: &'a C,
    first: Option<Duration>,
}

impl<L: Listener, C: Clock> Listener for Timed<'_, L, C> {
    async fn thinking(&mut self, text: String) -> ControlFlow<()> {
        self.first.get_or_insert_with(|| self.clock.now());
        self.listener.thinking(text).await
    }

    async fn text(&mut self, text: String) -> ControlFlow<()> {
        self.first.get_or_insert_with(|| self.clock.now());
        self.listener.text(text).await
    }
}
