//! Providers and a reranker in virtual time: they answer, hesitate, refuse, break off and talk
//! nonsense, by the schedule's seed. A model repeats every mark of a visitor that its prompt holds.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use dossier_core::{
    answer::REFUSAL,
    ports::{Body, Clock as _, Http, HttpError, HttpRequest, HttpResponse, Phase, Timeouts},
};
use serde_json::{Value, json};

use crate::{
    chance::Chance,
    executor::VirtualClock,
    mark::{check_own, marks},
};

/// Everybody whom a schedule's pipeline asks; clones share what they were asked.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    clock: VirtualClock,
    chance: Chance,
    /// Requests that go wrong, of 1 000.
    faults: u64,
    /// What alone goes wrong with completions, where it is always the same.
    usual: Option<Fault>,
    asked: Rc<RefCell<Vec<Asked>>>,
    /// Of the visitor for whom this handle asks.
    mark: String,
}

/// A completion that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// When.
    pub(crate) at: Duration,
    /// Of whom.
    pub(crate) host: String,
    /// Of which model.
    pub(crate) model: String,
    /// Tokens that it bills for the conversation; none where it refused.
    pub(crate) prompt: u64,
    /// Tokens that it bills for the reply.
    pub(crate) reply: u64,
}

/// What goes wrong with a completion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    /// No reply at all.
    Silence,
    /// No connection.
    Unreachable,
    /// It was asked too often.
    TooOften,
    /// It is overloaded.
    Busy,
    /// It does not serve the model any longer.
    Withdrawn,
    /// It ends without having said anything.
    Empty,
    /// The transfer breaks in the middle.
    Broken,
    /// Nothing more comes from the middle on.
    Stuck,
    /// Something that is no event comes in the middle.
    Nonsense,
    /// Everything takes a hundred times as long.
    Slow,
}

const FAULTS: [Fault; 10] = [
    Fault::Silence,
    Fault::Unreachable,
    Fault::TooOften,
    Fault::Busy,
    Fault::Withdrawn,
    Fault::Empty,
    Fault::Broken,
    Fault::Stuck,
    Fault::Nonsense,
    Fault::Slow,
];

/// A piece of a reply, and how long after the one before it.
type Piece = (Duration, Result<Vec<u8>, HttpError>);

/// A reply that is still arriving.
#[derive(Debug)]
pub(crate) struct Arriving {
    clock: VirtualClock,
    pieces: VecDeque<Piece>,
    timeouts: Timeouts,
    started: Duration,
}

impl Provider {
    /// Those of which `faults` requests of 1 000 go wrong.
    pub(crate) fn new(clock: VirtualClock, chance: Chance, faults: u64) -> Self {
        let usual = chance.hits(500).then(|| chance.one(&FAULTS));
        Self { clock, chance, faults, usual, asked: Rc::default(), mark: String::new() }
    }

    /// The same for one visitor, who must not be shown another's words.
    pub(crate) fn for_visitor(&self, mark: &str) -> Self {
        Self { mark: mark.to_owned(), ..self.clone() }
    }

    /// Every completion that was asked for.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// Hesitates, as long as the caller waits for it.
    async fn hesitate(&self, span: Duration, timeouts: Timeouts) -> Result<(), HttpError> {
        let limits = [(timeouts.head, Phase::Head), (timeouts.total, Phase::Total)];
        let limits = limits.into_iter().filter_map(|(limit, phase)| Some((limit?, phase)));
        match limits.min_by_key(|(limit, _)| *limit) {
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

    async fn complete(&self, request: &HttpRequest) -> Result<(u16, Vec<Piece>), HttpError> {
        let prompt = String::from_utf8(request.body.clone()).unwrap();
        let wanted: Value = serde_json::from_str(&prompt).unwrap();
        let fault = self.chance.hits(self.faults);
        let fault = fault.then(|| self.usual.unwrap_or_else(|| self.chance.one(&FAULTS)));
        let text = self.text(&prompt, fault);
        let thinks = wanted.get("reasoning_effort").is_some() && self.chance.hits(500);
        // Half of the time it uses up all that it may, in thoughts that it keeps to itself.
        let said = text.split_whitespace().count() as u64;
        let most = wanted["max_tokens"].as_u64().unwrap();
        let reply = if self.chance.hits(500) { most } else { said };
        let billed = match fault {
            None
            | Some(
                Fault::Empty
                | Fault::Broken
                | Fault::Stuck
                | Fault::Nonsense
                | Fault::Slow
                | Fault::Silence,
            ) => (prompt.len() as u64 / 4, reply),
            Some(Fault::Unreachable | Fault::TooOften | Fault::Busy | Fault::Withdrawn) => (0, 0),
        };
        if fault != Some(Fault::Withdrawn) {
            self.asked.borrow_mut().push(Asked {
                at: self.clock.now(),
                host: request.uri.host().unwrap().to_owned(),
                model: wanted["model"].as_str().unwrap().to_owned(),
                prompt: billed.0,
                reply: billed.1,
            });
        }
        let hesitation = match fault {
            Some(Fault::Silence) => Duration::from_secs(60),
            _ => Duration::from_millis(20 + self.chance.below(800)),
        };
        if fault == Some(Fault::Unreachable) {
            return Err(HttpError::Failed { reason: "connection refused".to_owned() });
        }
        self.hesitate(hesitation, request.timeouts).await?;
        let whole = |text: &str| vec![(Duration::ZERO, Ok(text.as_bytes().to_vec()))];
        let (pause, mut pieces) = match fault {
            Some(Fault::TooOften) => return Ok((429, whole(r#"{"error":{"type":"tokens"}}"#))),
            Some(Fault::Busy) => return Ok((503, whole("<html>busy</html>"))),
            Some(Fault::Withdrawn) => return Ok((404, whole("{}"))),
            Some(Fault::Slow) => (6_000, Vec::new()),
            _ => (60, Vec::new()),
        };
        let mut push = |delta: Value| {
            let data = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
            let line = format!("data: {data}\n\n").into_bytes();
            // A border in the middle of an event.
            let (head, tail) = line.split_at(self.chance.below(line.len() as u64) as usize);
            let after = Duration::from_millis(self.chance.below(pause));
            pieces.push((after, Ok(head.to_vec())));
            pieces.push((Duration::ZERO, Ok(tail.to_vec())));
        };
        if thinks {
            text.split_inclusive(' ').take(5).for_each(|word| push(json!({"reasoning": word})));
        }
        text.split_inclusive(' ').for_each(|word| push(json!({"content": word})));
        let middle = pieces.len() * self.chance.below(100) as usize / 100;
        let usage = json!({"choices": [], "usage": {"prompt_tokens": billed.0,
            "completion_tokens": billed.1, "total_tokens": billed.0 + billed.1}});
        let stop = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
        let end = format!("data: {stop}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
        pieces.push((Duration::from_millis(5), Ok(end.into_bytes())));
        match fault {
            Some(Fault::Broken) => {
                pieces.truncate(middle);
                let reset = HttpError::Failed { reason: "reset".to_owned() };
                pieces.push((Duration::ZERO, Err(reset)));
            }
            Some(Fault::Stuck) => {
                pieces.truncate(middle);
                pieces.push((Duration::from_secs(3_600), Ok(Vec::new())));
            }
            Some(Fault::Nonsense) => {
                pieces
                    .insert(middle, (Duration::ZERO, Ok(b"\n\ndata: {\"choices\":\n\n".to_vec())));
            }
            _ => {}
        }
        Ok((200, pieces))
    }

    /// What a model says: mostly a quotation, at times nothing that the passages support. All of it
    /// repeats the marks of the prompt.
    fn text(&self, prompt: &str, fault: Option<Fault>) -> String {
        let marks: Vec<String> = marks(prompt).into_iter().collect();
        let marks = marks.join(" and ");
        match self.chance.below(10) {
            _ if fault == Some(Fault::Empty) => String::new(),
            0 => REFUSAL.to_owned(),
            1 => format!("She lived in a castle by the sea [7]. Asked by {marks}."),
            2 => format!("Nobody knows {marks}."),
            _ => format!("The Royal Society gave {marks} her the Davy Medal in 1903 [1]."),
        }
    }

    async fn rerank(&self, request: &HttpRequest) -> Result<(u16, Vec<Piece>), HttpError> {
        let wanted: Value = serde_json::from_slice(&request.body).unwrap();
        let wrong = self.chance.hits(self.faults);
        self.hesitate(Duration::from_millis(self.chance.below(500)), request.timeouts).await?;
        let results: Vec<Value> = wanted["documents"].as_array().unwrap().iter().enumerate().map(|(index, _)| {
            json!({"index": index, "relevance_score": self.chance.below(1_000) as f32 / 1_000.0})
        }).collect();
        let reply = json!({"model": "m", "results": results}).to_string().into_bytes();
        Ok(match wrong.then(|| self.chance.below(3)) {
            None => (200, vec![(Duration::from_millis(1), Ok(reply))]),
            Some(0) => (503, Vec::new()),
            Some(1) => (200, vec![(Duration::ZERO, Ok(b"{}".to_vec()))]),
            Some(_) => (200, vec![(Duration::from_secs(60), Ok(reply))]),
        })
    }
}

impl Http for Provider {
    type Body = Arriving;

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse<Arriving>, HttpError> {
        check_own(&String::from_utf8_lossy(&request.body), &self.mark, "a request");
        let started = self.clock.now();
        let (status, pieces) = match request.uri.path().ends_with("/rerank") {
            true => self.rerank(&request).await?,
            false => self.complete(&request).await?,
        };
        let mut headers = http::HeaderMap::new();
        if status == 429 {
            headers.insert("retry-after", self.chance.one(&[1, 7]).into());
        }
        Ok(HttpResponse {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers,
            body: Arriving {
                clock: self.clock.clone(),
                pieces: pieces.into(),
                timeouts: request.timeouts,
                started,
            },
        })
    }
}

impl Body for Arriving {
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, HttpError>> {
        let (after, piece) = self.pieces.pop_front()?;
        let spent = self.clock.now().saturating_sub(self.started);
        let Timeouts { idle, total, .. } = self.timeouts;
        let left = total.map(|total| total.saturating_sub(spent));
        let limits = [(idle, idle, Phase::Idle), (left, total, Phase::Total)];
        let limits = limits.into_iter();
        let limits = limits.filter_map(|(wait, limit, phase)| Some((wait?, limit?, phase)));
        match limits.min_by_key(|(wait, ..)| *wait) {
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
