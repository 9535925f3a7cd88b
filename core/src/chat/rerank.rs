//! Retrieval with a second opinion: a service that reads the question and each passage together.
//!
//! Optional, and never in the way: whatever goes wrong with it, the order that it last gave for the
//! same question and passages stays, or else the own order, and the answer names `reranker` as
//! degraded.

use std::{rc::Rc, time::Duration};

use super::Service;
use crate::{
    model::Encoded,
    ports::{Body as _, Config, Env, Http, HttpError, HttpRequest, Timeouts},
    retrieval::{Hit, MAX_TOP_K, Query, Retrieval, Retriever, reorder},
    setting::{self, SettingFault},
    telemetry::{Stage, Trace, metrics},
    wire::{RerankDocument, RerankRequest, RerankResponse, RerankResult},
};

/// Named in `degraded` when the configured reranker gave no order.
const RERANKER: &str = "reranker";
/// Variable with the service's origin, `scheme://host[:port]`. Empty, or a host below `.invalid`,
/// which no service can have (RFC 6761): there is no reranker.
const URL: &str = "reranker_url";
/// Variable with the service's API key, sent as a bearer token; empty: none.
const KEY: &str = "reranker_api_key";
/// Variable with the time that the service may take, in milliseconds.
const BUDGET: &str = "reranker_budget_ms";
/// A visitor notices half a second; the answer around it needs the rest.
const DEFAULT_BUDGET: Duration = Duration::from_millis(400);
/// Passages sent: as many as anybody may ask for, and what a native service scores in the budget.
const POOL: usize = MAX_TOP_K;
/// Largest reply read, in bytes; scores for the pool take two thousand.
const MAX_REPLY_BYTES: usize = 64 * 1024;

impl<E: Env> Service<'_, E> {
    /// Searches, and has the configured reranker order the best of what was found.
    pub(super) async fn retrieve(&self, query: &Query<'_>, trace: &mut Trace) -> Retrieval {
        let reranker = Reranker::configured(self.env.config()).await;
        let none = matches!(reranker, Ok(None));
        let pool = if none { query.top_k } else { query.top_k.max(POOL) };
        let mut retrieval = self.search_own(&Query { top_k: pool, ..query.clone() }, trace);
        if let (false, 2..) = (none, retrieval.hits.len()) {
            self.second_opinion(reranker, query.text, &mut retrieval, trace).await;
        }
        retrieval.hits.truncate(query.top_k.max(1));
        retrieval.degraded.iter().for_each(|part| trace.degrade(part));
        retrieval
    }

    fn search_own(&self, query: &Query<'_>, trace: &mut Trace) -> Retrieval {
        let started = self.now();
        let encoded = self.encode(query, trace);
        let retrieval = self.retriever.search_encoded(query, encoded.as_deref());
        if let Some(leg) = retrieval.hits.first().and_then(|hit| hit.explanation.dense) {
            trace.count(&metrics::RETRIEVAL_DISTANCE, &[], f64::from(1.0 - leg.score));
        }
        self.note(trace, Stage::Retrieve, started, None);
        retrieval
    }

    /// What the encoder makes of a question, now or the last time. The guard and retrieval read the
    /// same vectors, so what one of them had made counts once.
    pub(super) fn encode(&self, query: &Query<'_>, trace: &mut Trace) -> Option<Rc<Encoded>> {
        let started = self.now();
        let encode = || self.retriever.encode(query);
        let (encoded, known) = self.instance.encoded(query.text, encode);
        if known && trace.steps().iter().any(|step| step.stage == Stage::Encode) {
            return encoded;
        }
        let result = if known { "hit" } else { "miss" };
        trace.count(&metrics::CACHE_LOOKUPS, &["embedding", result], 1.0);
        self.note(trace, Stage::Encode, started, None);
        encoded
    }

    /// One passage has one order, so there are at least two.
    async fn second_opinion(
        &self,
        reranker: Result<Option<Reranker>, SettingFault>,
        text: &str,
        retrieval: &mut Retrieval,
        trace: &mut Trace,
    ) {
        let started = self.now();
        let name = order_name(&self.retriever, text, &retrieval.hits);
        let scores = match reranker {
            Ok(Some(reranker)) => {
                let passages = passages(&self.retriever, &retrieval.hits);
                reranker.scores(self.env.http(), text, passages).await
            }
            Ok(None) => return,
            Err(fault) => Err(fault.into()),
        };
        match scores {
            Ok(scores) => {
                // Services without a last sigmoid score beyond 0 to 1, which is no share to show.
                for score in scores.iter().filter(|score| (0.0..=1.0).contains(*score)) {
                    let score = f64::from(*score);
                    trace.count(&metrics::RERANK_SCORES, &["cross_encoder"], score);
                }
                reorder(&mut retrieval.hits, &scores);
                self.instance.keep_order(name, scores);
                self.note(trace, Stage::Rerank, started, Some("cross_encoder"));
            }
            Err(fault) => {
                let last = self.instance.order(&name);
                let order = if last.is_some() { "order it gave before" } else { "own order" };
                self.env.warn(&format!("passages keep the {order}: {fault}"));
                if let Some(scores) = last {
                    reorder(&mut retrieval.hits, &scores);
                }
                retrieval.degraded.push(RERANKER);
                self.note(trace, Stage::Rerank, started, None);
            }
        }
    }
}

/// Names a question with its passages: another index, another name.
fn order_name(retriever: &Retriever<'_>, text: &str, hits: &[Hit]) -> String {
    let ordinals: Vec<String> = hits.iter().map(|hit| hit.ordinal.to_string()).collect();
    format!("{} {} {text}", retriever.index().header().corpus, ordinals.join(","))
}

fn passages(retriever: &Retriever<'_>, hits: &[Hit]) -> Vec<RerankDocument> {
    let chunks = hits.iter().map(|hit| &retriever.index().chunks()[hit.ordinal]);
    chunks.map(|chunk| RerankDocument::Text(chunk.encoded_text())).collect()
}

/// A configured service.
#[derive(Debug)]
struct Reranker {
    uri: http::Uri,
    headers: http::HeaderMap,
    budget: Duration,
}

impl Reranker {
    /// Reads the configuration; `None` where it names no service.
    async fn configured(config: &impl Config) -> Result<Option<Self>, SettingFault> {
        let Some(origin) = config.get(URL).await? else { return Ok(None) };
        let Some(uri) = setting::address(URL, &origin, "/v1/rerank")? else { return Ok(None) };
        let budget = setting::milliseconds(config, BUDGET, DEFAULT_BUDGET, 1..=60_000).await?;
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, JSON);
        // A service that knows how long it is waited for need not finish what nobody reads.
        headers.insert("x-request-timeout-ms", (budget.as_millis() as u64).into());
        let key = setting::bearer(config, KEY).await?;
        headers.extend(key.map(|key| (http::header::AUTHORIZATION, key)));
        Ok(Some(Self { uri, headers, budget }))
    }

    /// Asks for the scores of `documents`, in their order.
    async fn scores(
        &self,
        http: &impl Http,
        query: &str,
        documents: Vec<RerankDocument>,
    ) -> Result<Vec<f32>, RerankFault> {
        let count = documents.len();
        let request =
            RerankRequest { query: query.to_owned(), documents, ..RerankRequest::default() };
        let mut reply = http
            .send(HttpRequest {
                method: http::Method::POST,
                uri: self.uri.clone(),
                headers: self.headers.clone(),
                body: serde_json::to_vec(&request).map_err(RerankFault::malformed)?,
                timeouts: Timeouts::whole(self.budget),
            })
            .await?;
        if reply.status != http::StatusCode::OK {
            return Err(RerankFault::Refused { status: reply.status.as_u16() });
        }
        let body = reply.body.bytes(MAX_REPLY_BYTES).await?;
        let reply: RerankResponse =
            serde_json::from_slice(&body).map_err(RerankFault::malformed)?;
        in_order(&reply.results, count)
    }
}

const JSON: http::HeaderValue = http::HeaderValue::from_static("application/json");

/// The scores by index, where there is exactly one finite score for each of `count` documents.
fn in_order(results: &[RerankResult], count: usize) -> Result<Vec<f32>, RerankFault> {
    if results.len() != count {
        let got = results.len();
        return Err(RerankFault::malformed(format!("{got} results for {count} documents")));
    }
    let mut scores: Vec<Option<f32>> = vec![None; count];
    for RerankResult { index, relevance_score: score, .. } in results {
        match scores.get_mut(*index) {
            _ if !score.is_finite() => {
                return Err(RerankFault::malformed(format!("score {score} for document {index}")));
            }
            Some(place @ None) => *place = Some(*score),
            Some(Some(_)) => {
                return Err(RerankFault::malformed(format!("two results for document {index}")));
            }
            None => {
                return Err(RerankFault::malformed(format!("index {index} of {count} documents")));
            }
        }
    }
    // As many results as documents and none twice: every place is taken.
    Ok(scores.into_iter().flatten().collect())
}

/// Why there is no second opinion.
#[derive(Debug, thiserror::Error)]
enum RerankFault {
    /// The operator's: a variable has a value that it cannot have.
    #[error(transparent)]
    Setting(#[from] SettingFault),
    /// The service's, or the network's: no reply, or not in time.
    #[error("reranker: {0}")]
    Unreachable(#[from] HttpError),
    /// The service's: it answered, but not with scores.
    #[error("reranker: status {status}; see the service's log")]
    Refused { status: u16 },
    /// The service's: scores that cannot be.
    #[error("reranker: not a reply of /v1/rerank: {reason}")]
    Malformed { reason: String },
}

impl RerankFault {
    fn malformed(reason: impl ToString) -> Self {
        Self::Malformed { reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        chat::{Instance, Settings},
        fakes::{MemoryEnv, Reply, ScriptedHttp},
        index::{Index, build},
        ports::Phase,
        text::{Document, chunks},
    };

    const TEXT: &str = "---\ntitle: Papers\n---\n# Papers\n\n## Davy Medal\n\nThe Davy Medal, 1903.\n\n\
                        ## Matteucci Medal\n\nThe Matteucci Medal, 1904.\n\n## Elliott Cresson Medal\n\n\
                        The Elliott Cresson Medal, 1909.";

    fn index() -> Index {
        let document = Document::read("a.md", TEXT.as_bytes().to_vec()).unwrap();
        Index::open(build(&chunks(&document), None).unwrap()).unwrap()
    }

    fn env(variables: &[(&str, &str)], reply: Result<Reply, HttpError>) -> MemoryEnv {
        let mut env = MemoryEnv { http: ScriptedHttp::new([reply]), ..MemoryEnv::default() };
        for (name, value) in variables {
            env.config.0.insert((*name).to_owned(), (*value).to_owned());
        }
        env
    }

    fn ask(env: &MemoryEnv, index: &Index) -> Retrieval {
        let instance = Instance::new(&env.entropy);
        ask_again(env, index, &instance)
    }

    fn ask_again(env: &MemoryEnv, index: &Index, instance: &Instance) -> Retrieval {
        let settings = block_on(Settings::configured(&env.config)).unwrap();
        let retriever = Retriever::new(index, None);
        let service = Service { env, settings: &settings, instance, retriever };
        let query = Query { text: "Which medal came first?", top_k: 2, ..Query::default() };
        block_on(service.retrieve(&query, &mut Trace::default()))
    }

    fn ordinals(retrieval: &Retrieval) -> Vec<usize> {
        retrieval.hits.iter().map(|hit| hit.ordinal).collect()
    }

    fn reply(status: u16, body: &str) -> Result<Reply, HttpError> {
        let status = http::StatusCode::from_u16(status).unwrap();
        let chunks = vec![Ok(body.as_bytes().to_vec())];
        Ok(Reply { status, headers: http::HeaderMap::new(), chunks })
    }

    const ON: &[(&str, &str)] = &[(URL, "https://reranker.example/")];
    const GOOD: &str = r#"{"results": [{"index": 2, "relevance_score": 0.9},
        {"index": 0, "relevance_score": 0.2}, {"index": 1, "relevance_score": -4}]}"#;

    #[test]
    fn the_service_orders_the_pool_and_only_then_it_is_cut() {
        let index = index();
        let own = ordinals(&ask(&env(&[], reply(200, GOOD)), &index));
        let key = [ON[0], (KEY, "secret"), (BUDGET, "70")];
        let env = env(&key, reply(200, GOOD));
        let retrieval = ask(&env, &index);
        assert_eq!(retrieval.degraded, ["dense"]);
        let third = (0..3).find(|ordinal| !own.contains(ordinal)).unwrap();
        assert_eq!(ordinals(&retrieval), [third, own[0]]);
        assert_eq!(retrieval.hits[0].explanation.reranked.unwrap().before, 3);

        let [sent] = &env.http.requests()[..] else { panic!("one request") };
        assert_eq!(sent.uri, "https://reranker.example/v1/rerank");
        assert_eq!(sent.headers["authorization"], "Bearer secret");
        assert_eq!(sent.timeouts, Timeouts::whole(Duration::from_millis(70)));
        let body: RerankRequest = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(body.documents.len(), 3);
        assert!(body.documents[0].text().starts_with("Papers › "), "{body:?}");
    }

    #[test]
    fn the_last_order_stands_in_for_a_reranker_that_is_gone() {
        let index = index();
        let mut env = env(ON, reply(200, GOOD));
        let instance = Instance::new(&env.entropy);
        let ordered = ordinals(&ask_again(&env, &index, &instance));
        env.http = ScriptedHttp::new([reply(500, "")]);
        let again = ask_again(&env, &index, &instance);
        assert_eq!((ordinals(&again), again.degraded), (ordered, vec!["dense", RERANKER]));
    }

    #[test]
    fn nothing_is_sent_where_there_is_none() {
        for none in ["", "http://off.invalid"] {
            let env = env(&[(URL, none)], reply(200, GOOD));
            assert_eq!(ask(&env, &index()).degraded, ["dense"]);
            assert!(env.http.requests().is_empty());
        }
    }

    #[test]
    fn whatever_goes_wrong_the_own_order_stays() {
        let index = index();
        let own = ordinals(&ask(&env(&[], reply(200, GOOD)), &index));
        let check = |variables: &[(&str, &str)], reply| {
            let shown = format!("{variables:?} {reply:?}");
            let retrieval = ask(&env(variables, reply), &index);
            assert_eq!(ordinals(&retrieval), own, "{shown}");
            assert_eq!(retrieval.degraded, ["dense", RERANKER], "{shown}");
            assert!(retrieval.hits.iter().all(|hit| hit.explanation.reranked.is_none()));
        };
        let of = |scores: &[(usize, &str)]| {
            let results = scores.iter().map(|(index, score)| {
                format!("{{\"index\": {index}, \"relevance_score\": {score}}}")
            });
            reply(200, &format!("{{\"results\": [{}]}}", results.collect::<Vec<_>>().join(", ")))
        };
        check(ON, Err(HttpError::TimedOut { phase: Phase::Total, limit: DEFAULT_BUDGET }));
        check(ON, Err(HttpError::Denied { authority: "reranker.example".to_owned() }));
        check(ON, reply(500, GOOD));
        check(ON, reply(204, ""));
        check(ON, reply(200, "<html>"));
        check(ON, reply(200, &format!("{GOOD}{}", " ".repeat(MAX_REPLY_BYTES))));
        check(ON, of(&[(0, "1"), (1, "2")]));
        check(ON, of(&[(0, "1"), (1, "2"), (2, "3"), (3, "4")]));
        check(ON, of(&[(0, "1"), (1, "2"), (1, "3")]));
        check(ON, of(&[(0, "1"), (1, "2"), (3, "3")]));
        check(ON, of(&[(0, "1"), (1, "2"), (2, "1e300")]));
        check(ON, of(&[(0, "1"), (1, "2"), (2, "NaN")]));
        check(ON, of(&[(0, "1"), (1, "2"), (2, "null")]));
        check(&[(URL, "no address at all")], reply(200, GOOD));
        check(&[(URL, "/path")], reply(200, GOOD));
        check(&[ON[0], (BUDGET, "0")], reply(200, GOOD));
        check(&[ON[0], (BUDGET, "soon")], reply(200, GOOD));
        check(&[ON[0], (KEY, "line\nbreak")], reply(200, GOOD));
    }
}
