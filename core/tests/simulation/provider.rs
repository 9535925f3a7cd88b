//! A provider in virtual time: it answers, hesitates, refuses, breaks off and talks nonsense, by the
//! schedule's seed, and repeats every mark of a visitor that its prompt holds.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use dossier_core::{
    fakes::SeededEntropy,
    ports::{Body, Clock as _, Http, HttpError, HttpRequest, HttpResponse, Phase, Timeouts},
};

use crate::executor::VirtualClock;

/// How a visitor's words are told from another's: `visitor-` and letters.
pub const MARK: &str = "visitor";

/// The provider of a schedule; clones share what it was asked.
#[derive(Clone, Debug)]
pub struct Provider {
    clock: VirtualClock,
    entropy: Rc<SeededEntropy>,
    /// Requests that go wrong, of 1 000.
    faults: u64,
    asked: Rc<RefCell<Vec<Asked>>>,
}

/// A completion that was started.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// When.
    pub at: Duration,
    /// Tokens that it said it used, in all.
    pub tokens: u64,
}

/// A reply that is still arriving.
#[derive(Debug)]
pub struct Arriving {
    clock: VirtualClock,
    pieces: VecDeque<(Duration, Result<Vec<u8>, HttpError>)>,
    timeouts: Timeouts,
    started: Duration,
}

impl Provider {
    /// A provider of which `faults` requests of 1 000 go wrong.
    pub fn new(clock: VirtualClock, entropy: Rc<SeededEntropy>, faults: u64) -> Self {
        Self { clock, entropy, faults, asked: Rc::default() }
    }

    /// Every completion that was started.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    fn below(&self, bound: u64) -> u64 {
        self.entropy.next() % bound
    }

    async fn wait(&self, span: Duration, timeouts: Timeouts) -> Result<(), HttpError> {
        let limit = [(timeouts.head, Phase::Head), (timeouts.total, Phase::Total)]
            .into_iter()
            .filter_map(|(limit, phase)| Some((limit?, phase)))
            .min_by_key(|(limit, _)| *limit);
        match limit {
            Some((limit, phase)) if span > limit => {
                self.clock.sleep(limit).await;
                Err(HttpError::TimedOut { phase, limit })
            }
            _ => {
                self.clock.sleep(span).await;
                Ok(())
            }
        }
    }
}

impl Http for Provider {
    type Body = Arriving;

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse<Arriving>, HttpError> {
        let started = self.clock.now();
        let prompt = String::from_utf8_lossy(&request.body).into_owned();
        let wrong = self.below(1_000) < self.faults;
        let kind = if wrong { self.below(7) } else { 99 };
        let hesitation = Duration::from_millis(20 + self.below(800));
        let mut headers = http::HeaderMap::new();
        let mut reply = |status: u16, pieces: Vec<(Duration, Result<Vec<u8>, HttpError>)>| {
            Ok(HttpResponse {
                status: http::StatusCode::from_u16(status).unwrap(),
                headers: std::mem::take(&mut headers),
                body: Arriving {
                    clock: self.clock.clone(),
                    pieces: pieces.into(),
                    timeouts: request.timeouts,
                    started,
                },
            })
        };
        let whole = |text: &str| vec![(Duration::ZERO, Ok(text.as_bytes().to_vec()))];
        match kind {
            0 => {
                self.wait(Duration::from_secs(60), request.timeouts).await?;
                return reply(504, Vec::new());
            }
            1 => return Err(HttpError::Failed { reason: "connection refused".to_owned() }),
            2 => {
                self.wait(hesitation, request.timeouts).await?;
                let mut reply = reply(429, whole(r#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#))?;
                reply.headers.insert("retry-after", "7".parse().unwrap());
                return Ok(reply);
            }
            3 => {
                self.wait(hesitation, request.timeouts).await?;
                return reply(503, whole("<html>busy</html>"));
            }
            _ => self.wait(hesitation, request.timeouts).await?,
        }
        let mut pieces = Vec::new();
        let mut push = |after: u64, bytes: Vec<u8>| pieces.push((Duration::from_millis(after), Ok(bytes)));
        let mut tokens = 0;
        for word in answer(&prompt).split_inclusive(' ') {
            let data = serde_json::json!({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": null}]});
            let line = format!("data: {data}\n\n").into_bytes();
            // A border in the middle of an event.
            let cut = self.below(line.len() as u64) as usize;
            push(self.below(60), line[..cut].to_vec());
            push(0, line[cut..].to_vec());
            tokens += 1;
        }
        let used = prompt.len() as u64 / 5 + tokens;
        let usage = serde_json::json!({"choices": [], "usage": {"prompt_tokens": used - tokens, "completion_tokens": tokens, "total_tokens": used}});
        push(5, b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n".to_vec());
        push(0, format!("data: {usage}\n\ndata: [DONE]\n\n").into_bytes());
        self.asked.borrow_mut().push(Asked { at: started, tokens: used });
        let end = pieces.len() * self.below(100) as usize / 100;
        match kind {
            4 => {
                pieces.truncate(end);
                pieces.push((Duration::ZERO, Err(HttpError::Failed { reason: "reset".to_owned() })));
            }
            5 => {
                pieces.truncate(end);
                pieces.push((Duration::from_secs(3_600), Ok(Vec::new())));
            }
            6 => pieces.insert(end, (Duration::ZERO, Ok(b"data: {\"choices\":\n\n".to_vec()))),
            _ => {}
        }
        reply(200, pieces)
    }
}

/// Quotes the first passage and repeats the marks.
fn answer(prompt: &str) -> String {
    let mut marks: Vec<&str> = prompt
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| word.starts_with(MARK))
        .collect();
    marks.sort_unstable();
    marks.dedup();
    format!("The Royal Society gave her the Davy Medal in 1903 [1]. Asked by {}.", marks.join(" and "))
}

impl Body for Arriving {
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, HttpError>> {
        let (after, piece) = self.pieces.pop_front()?;
        let spent = self.clock.now().saturating_sub(self.started);
        let left = self.timeouts.total.map(|total| total.saturating_sub(spent));
        let limits = [(self.timeouts.idle, self.timeouts.idle, Phase::Idle), (left, self.timeouts.total, Phase::Total)];
        let first = limits
            .into_iter()
            .filter_map(|(wait, limit, phase)| Some((wait?, limit?, phase)))
            .min_by_key(|(wait, ..)| *wait);
        match first {
            Some((wait, limit, phase)) if after > wait => {
                self.clock.sleep(wait).await;
                Some(Err(HttpError::TimedOut { phase, limit }))
            }
            _ => {
                self.clock.sleep(after).await;
                Some(piece)
            }
        }
    }
}
