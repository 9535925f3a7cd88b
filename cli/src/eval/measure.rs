//! The measurement of one case: searched at every stage, answered as chat answers.

use anyhow::Context as _;
use dossier_core::{
    chat::Question,
    retrieval::{Evidence, Query, Retrieval, Retriever},
    text::Chunk,
    understanding::condense,
    wire::{ChatRequest, ChatResponse, TurnRecord},
};

use super::{
    answer,
    case::Case,
    metrics::{self, DEPTH, Ranking, Scores},
    stage::STAGES,
};
use crate::env::NativeChat;

/// The conversation of a case; each has a store of its own.
const SESSION: &str = "eval";
/// Passages that answers are made of.
const PASSAGES: usize = 5;
/// A case passes with this share of its places among those passages.
const RECALL_TO_PASS: f64 = 0.8;

/// What happened to one case.
pub(crate) struct Measured {
    /// Every figure the case gives.
    pub(crate) scores: Scores,
    /// The ranking's figures at each of [`STAGES`]; empty where the case expects no passages.
    pub(crate) stages: Vec<Scores>,
    /// What the chosen stage had to do without.
    pub(crate) degraded: Vec<&'static str>,
    /// What the chosen stage's passages say for an answer being there.
    pub(crate) evidence: Evidence,
    /// Ids of the first passages found.
    pub(crate) found: Vec<String>,
    /// What was answered; `None` where the case asks for passages alone.
    pub(crate) response: Option<ChatResponse>,
}

impl Measured {
    /// Whether the answer was declined.
    pub(crate) fn refused(&self) -> Option<bool> {
        self.response.as_ref().map(|response| !response.grounded)
    }
}

/// Measures `case`; `chosen` is the position of the stage whose passages are judged.
///
/// # Errors
/// A question outside of the limits.
pub(crate) fn measure(
    retriever: &Retriever<'_>,
    case: &Case,
    chosen: usize,
) -> anyhow::Result<Measured> {
    let conversation = Conversation::of(retriever, case).with_context(|| case.id.clone())?;
    let searched: Vec<Retrieval> =
        STAGES.iter().map(|stage| search(retriever, &conversation.text, stage.set)).collect();
    let index = retriever.index();
    let ids = |retrieval: &Retrieval| -> Vec<&str> {
        let chunks = retrieval.hits.iter().filter_map(|hit| index.chunks().get(hit.ordinal));
        chunks.map(|chunk| chunk.id.as_str()).collect()
    };
    let stages: Vec<Scores> = match case.relevant.is_empty() {
        true => Vec::new(),
        false => {
            let judge = |it| Ranking::judge(&ids(it), &case.relevant).scores();
            searched.iter().map(judge).collect()
        }
    };
    let retrieval = &searched[chosen];
    let first = retrieval.hits.iter().take(PASSAGES);
    let passages = first.filter_map(|hit| index.chunks().get(hit.ordinal));
    let passages: Vec<String> = passages.map(Chunk::passage).collect();

    let mut scores = stages.get(chosen).cloned().unwrap_or_default();
    scores.extend(named([(metrics::CONTENT, answer::content(case, &passages))]));
    if let Some(response) = &conversation.response {
        scores.extend(answer_scores(case, response));
    }
    scores.extend(named([(metrics::PASSED, passed(case, &scores))]));
    Ok(Measured {
        found: ids(retrieval).into_iter().take(PASSAGES).map(str::to_owned).collect(),
        degraded: retrieval.degraded.clone(),
        evidence: retrieval.evidence,
        response: conversation.response,
        scores,
        stages,
    })
}

fn answer_scores(case: &Case, response: &ChatResponse) -> Scores {
    let said = response.answer.to_lowercase();
    let refused = !response.grounded;
    let prohibited =
        (!case.must_not_contain.is_empty()).then(|| truth(answer::says_prohibited(case, &said)));
    let confidence = response.confidence.map(f64::from);
    let answerable = case.refuse.map(|refuse| truth(!refuse));
    named([
        (metrics::FACTS, answer::facts(case, &said)),
        (metrics::PROHIBITED, prohibited),
        (metrics::CITATIONS, answer::citation_precision(case, response)),
        (metrics::REFUSALS, case.refuse.map(|refuse| truth(refuse == refused))),
        (metrics::FALSE_REFUSALS, (case.refuse == Some(false)).then(|| truth(refused))),
        (metrics::FALSE_ANSWERS, (case.refuse == Some(true)).then(|| truth(!refused))),
        (metrics::BRIER, confidence.zip(answerable).map(|(said, is)| (said - is).powi(2))),
    ])
}

fn named<const N: usize>(scores: [(&str, Option<f64>); N]) -> Scores {
    scores.into_iter().filter_map(|(name, score)| Some((name.to_owned(), score?))).collect()
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// Whether everything that the case asks for is there; `None` where it asks for nothing but a
/// ranking.
fn passed(case: &Case, scores: &Scores) -> Option<f64> {
    let asks = case.judges_answer() || !case.required_content.is_empty();
    let at_least = |name: &str, bar: f64| scores.get(name).is_none_or(|score| *score >= bar);
    let is_whole = |name: &str| scores.get(name).is_none_or(|score| metrics::is_whole(*score));
    let passed = at_least(metrics::RECALL, RECALL_TO_PASS)
        && [metrics::CONTENT, metrics::FACTS, metrics::REFUSALS].into_iter().all(is_whole);
    asks.then(|| truth(passed))
}

fn search(retriever: &Retriever<'_>, text: &str, set: fn(&mut Query<'_>)) -> Retrieval {
    let mut query = Query { text, top_k: DEPTH, ..Query::default() };
    set(&mut query);
    retriever.search(&query)
}

/// A case's questions, asked.
struct Conversation {
    /// What chat searches for.
    text: String,
    /// What it answered.
    response: Option<ChatResponse>,
}

impl Conversation {
    fn of(retriever: &Retriever<'_>, case: &Case) -> anyhow::Result<Self> {
        let chat = NativeChat::new()?;
        let request = |question: &str| ChatRequest {
            question: question.to_owned(),
            session_id: Some(SESSION.to_owned()),
            ..ChatRequest::default()
        };
        let mut turns: Vec<TurnRecord> = Vec::new();
        for question in &case.history {
            let answer = chat.ask(*retriever, request(question))?.answer;
            let about = condense(question, &turns, retriever.index()).about(&turns);
            turns.push(TurnRecord { question: question.clone(), answer, about });
        }
        let text = match Question::from_chat(request(&case.query)) {
            Ok(question) => question.text,
            // Queries of a collection may be longer than what a visitor may ask.
            Err(_) if !case.judges_answer() => case.query.clone(),
            Err(error) => return Err(error.into()),
        };
        let response = match case.judges_answer() {
            true => Some(chat.ask(*retriever, request(&case.query))?),
            false => None,
        };
        let text = condense(&text, &turns, retriever.index()).search;
        Ok(Self { text, response })
    }
}
