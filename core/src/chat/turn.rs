//! One turn: a question in, an answer out, the conversation recorded.

use std::time::Duration;

use super::{Question, rerank::retrieve};
use crate::{
    RequestError,
    answer::{Extract, extract, refusal},
    auth::Visitor,
    index::Index,
    policy::Limits,
    ports::{Clock as _, Env},
    retrieval::{Hit, Mode, Query, Retrieval, Retriever},
    session::{self, Session, SessionKey},
    understanding::condense,
    wire::{
        ChatRequest, ChatResponse, ChatSource, SearchHit, SearchRequest, SearchResponse, TurnRecord,
    },
};

/// Named in `degraded` when the conversation cannot be read or written.
const STORE: &str = "store";
/// Document titles named in a refusal.
const REFUSAL_TITLES: usize = 3;

/// An answered question, still to be recorded.
#[derive(Debug)]
pub struct Turn {
    /// What the visitor gets.
    pub response: ChatResponse,
    question: String,
    key: SessionKey,
    limits: Limits,
    now: Duration,
}

/// Answers a question of `visitor`: admit, understand, retrieve, answer.
///
/// The same for JSON and stream. Without the store the answer comes all the same, without the
/// conversation before it, and names `store` as degraded.
///
/// # Errors
/// [`RequestError::Invalid`] for a question outside of the limits; [`RequestError::Misconfigured`].
pub async fn answer(
    env: &impl Env,
    retriever: &Retriever<'_>,
    visitor: Visitor,
    request: ChatRequest,
) -> Result<Turn, RequestError> {
    let question = Question::from_chat(request)?;
    let limits = Limits::configured(env.config()).await?;
    let now = env.clock().now();
    let mut degraded = Vec::new();
    let id = question.session_id.clone().unwrap_or_else(|| session::new_id(env.entropy()));
    let key = SessionKey::new(&id, visitor);
    let session = match &question.session_id {
        None => Session::default(),
        Some(_) => Session::load(env.kv(), &key, now).await.unwrap_or_else(|_| {
            degraded.push(STORE.to_owned());
            Session::default()
        }),
    };
    let text = condense(&question.text, &session.turns, retriever.index()).search;
    let query = Query {
        text: &text,
        top_k: question.top_k,
        filters: &question.filters,
        mode: Mode::Hybrid,
    };
    let retrieval = retrieve(env, retriever, &query).await;
    degraded.extend(retrieval.degraded.iter().map(|leg| (*leg).to_owned()));

    let index = retriever.index();
    let extract = match retrieval.evidence.suffices() {
        true => extract(index, &text, &retrieval),
        false => Extract::default(),
    };
    let grounded = !extract.cited.is_empty();
    let sources = extract
        .cited
        .iter()
        .enumerate()
        .map(|(at, ordinal)| source(index, &retrieval, *ordinal, at + 1));
    let response = ChatResponse {
        sources: sources.collect(),
        answer: if grounded { extract.text } else { refuse(index, &retrieval.hits) },
        grounded,
        confidence: Some(retrieval.evidence.confidence()),
        ambiguity: None,
        session_id: id,
        rewrite_metadata: None,
        degraded,
    };
    Ok(Turn { response, question: question.text, key, limits, now })
}

impl Turn {
    /// Appends the turn to its conversation: one write. A store that does not take it is named in
    /// the response's `degraded`.
    ///
    /// Called when the answer's text is out and before the visitor can send a follow-up, which must
    /// find it.
    pub async fn record(&mut self, env: &impl Env) {
        let (question, answer) = (self.question.clone(), self.response.answer.clone());
        let turn = TurnRecord { question, answer };
        let kept = Session::append(env.kv(), &self.key, turn, &self.limits, self.now).await;
        if kept.is_err() && !self.response.degraded.iter().any(|it| it == STORE) {
            self.response.degraded.push(STORE.to_owned());
        }
    }
}

/// Finds passages without answering.
///
/// # Errors
/// [`RequestError::Invalid`] for a query outside of the limits.
pub async fn search(
    env: &impl Env,
    retriever: &Retriever<'_>,
    request: SearchRequest,
) -> Result<SearchResponse, RequestError> {
    let question = Question::from_search(request)?;
    let query = Query {
        text: &question.text,
        top_k: question.top_k,
        filters: &question.filters,
        mode: Mode::Hybrid,
    };
    let retrieval = retrieve(env, retriever, &query).await;
    let hits = retrieval.hits.iter().enumerate();
    Ok(SearchResponse {
        hits: hits.map(|(at, hit)| search_hit(retriever.index(), hit, at + 1)).collect(),
        query: question.text,
        degraded: retrieval.degraded.iter().map(|leg| (*leg).to_owned()).collect(),
    })
}

fn search_hit(index: &Index, hit: &Hit, rank: usize) -> SearchHit {
    let chunk = &index.chunks()[hit.ordinal];
    let mut scores = std::collections::BTreeMap::new();
    for (name, leg) in hit.explanation.legs() {
        scores.insert(name.to_owned(), leg.score);
        scores.insert(format!("{name}_share"), leg.share);
        leg.rank.map(|rank| scores.insert(format!("{name}_rank"), rank as f32));
    }
    if let Some(reranked) = hit.explanation.reranked {
        scores.insert("reranker".to_owned(), reranked.score);
        scores.insert("reranker_before".to_owned(), reranked.before as f32);
    }
    SearchHit {
        rank,
        id: chunk.id.clone(),
        source: chunk.source.clone(),
        heading: chunk.heading.clone(),
        page: chunk.page,
        text: chunk.passage(),
        score: hit.score,
        scores,
    }
}

fn source(index: &Index, retrieval: &Retrieval, ordinal: usize, number: usize) -> ChatSource {
    let chunk = &index.chunks()[ordinal];
    let hit = retrieval.hits.iter().find(|hit| hit.ordinal == ordinal);
    ChatSource {
        id: chunk.id.clone(),
        source: chunk.source.clone(),
        title: chunk.title.clone(),
        heading: chunk.heading.clone(),
        page: chunk.page,
        text: chunk.passage(),
        distance: hit.and_then(|hit| hit.explanation.dense).map(|leg| 1.0 - leg.score),
        citation_index: number,
    }
}

/// Says that the documents do not say, and what the nearest of them are about.
fn refuse(index: &Index, hits: &[Hit]) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for chunk in hits.iter().filter_map(|hit| index.chunks().get(hit.ordinal)) {
        if !titles.contains(&chunk.title.as_str()) && titles.len() < REFUSAL_TITLES {
            titles.push(&chunk.title);
        }
    }
    refusal(&titles)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        fakes::MemoryEnv,
        index::build,
        text::{Document, chunks},
    };

    const TEXT: &str = "---\ntitle: Papers\n---\n# Papers\n\n## Davy Medal\n\nThe Royal Society gave \
        her the Davy Medal in 1903.\n\n## Matteucci Medal\n\nShe received the Matteucci Medal in 1904.";

    fn index() -> Index {
        let document = Document::read("a.md", TEXT.as_bytes().to_vec()).unwrap();
        Index::open(build(&chunks(&document), None).unwrap()).unwrap()
    }

    fn ask(env: &MemoryEnv, question: &str, session: Option<&str>) -> ChatResponse {
        let index = index();
        let retriever = Retriever::new(&index, None);
        let request = ChatRequest {
            question: question.to_owned(),
            session_id: session.map(str::to_owned),
            ..ChatRequest::default()
        };
        block_on(async {
            let mut turn = answer(env, &retriever, Visitor::default(), request).await.unwrap();
            turn.record(env).await;
            turn.response
        })
    }

    #[test]
    fn answers_with_citations_and_refuses_without_evidence() {
        let env = MemoryEnv::default();
        let response = ask(&env, "Who gave the Davy Medal?", None);
        assert!(
            response.grounded && response.answer.contains("Royal Society"),
            "{}",
            response.answer
        );
        assert!(
            response.answer.contains("[1]") && response.sources[0].id == "a#papers-davy-medal:0"
        );
        let refused = ask(&env, "What is the capital of Australia?", None);
        assert!(!refused.grounded && refused.sources.is_empty(), "{}", refused.answer);
        assert_eq!(refused.degraded, ["dense"]);
    }

    #[test]
    fn remembers_the_conversation_and_keeps_two_apart() {
        let env = MemoryEnv::default();
        ask(&env, "Tell me of the Matteucci Medal", Some("one"));
        ask(&env, "Tell me of the Davy Medal", Some("two"));
        assert!(ask(&env, "When was that?", Some("one")).answer.contains("1904"));
        assert!(ask(&env, "When was that?", Some("two")).answer.contains("1903"));
    }

    #[test]
    fn answers_without_the_store_and_says_so() {
        let env = MemoryEnv::default();
        env.kv.set_down(true);
        let response = ask(&env, "Who gave the Davy Medal?", Some("s"));
        assert!(response.grounded && response.degraded.contains(&"store".to_owned()));
    }
}
