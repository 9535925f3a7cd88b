//! A posted body in, the reply out.

use serde_json::{Map, Value, json};

use super::{
    message::{
        Fault, Head, INVALID_REQUEST, METHOD_NOT_FOUND, Message, PARSE_ERROR, Reply, answer, error,
    },
    modern,
    tools::{self, Tools},
};

/// Revisions whose requests stand alone, newest first.
pub const MODERN_REVISIONS: &[&str] = &["2026-07-28"];
/// Revisions that begin with `initialize`, newest first.
pub const HANDSHAKE_REVISIONS: &[&str] = &["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// The one revision over HTTP that has batches; clients of it send no header that names it.
const BATCH_REVISION: &str = "2025-03-26";
/// Most messages in a batch: each may be a whole question, and they share one request's time.
pub const MAX_BATCH: usize = 4;

/// Tells a model when to use the tools.
const INSTRUCTIONS: &str = "Documents about one person: career, education, projects, publications. \
    Use `ask` for an answer with citations, and `search_documents` for the passages themselves. \
    What neither finds is not in the documents.";

/// Answers what a client posted.
///
/// Nothing is kept between two calls. The body is a message, or a batch of at most [`MAX_BATCH`]
/// where the revision has batches.
pub async fn respond(head: &Head<'_>, body: &[u8], tools: &impl Tools) -> Reply {
    match serde_json::from_slice(body) {
        Ok(Value::Array(messages)) => batch(head, messages, tools).await,
        Ok(message) => single(head, message, tools).await,
        Err(problem) => refuse(Fault::new(PARSE_ERROR, format!("the body is no JSON: {problem}"))),
    }
}

async fn single(head: &Head<'_>, message: Value, tools: &impl Tools) -> Reply {
    let known = head.revision.is_none_or(|revision| revisions().contains(&revision));
    match Message::read(message) {
        Err(fault) => refuse(fault),
        Ok(Message::OneWay) => match head.revision {
            Some(revision) if !known => {
                modern::supported(revision).map_or_else(refuse, |()| Reply::ACCEPTED)
            }
            _ => Reply::ACCEPTED,
        },
        Ok(Message::Request { id, method, params }) => {
            let handshake = head.revision.is_none_or(|it| HANDSHAKE_REVISIONS.contains(&it));
            let alone = modern::stands_alone(&params) || !(handshake || method == "initialize");
            if !alone {
                let outcome = handshake_result(&method, params, tools).await;
                return Reply::json(200, &answer(id, outcome));
            }
            let outcome = match head.revision {
                Some(revision) if !known && !modern::stands_alone(&params) => {
                    modern::supported(revision).map(|()| Value::Null)
                }
                _ => modern_result(head, &method, params, tools).await,
            };
            let status =
                outcome.as_ref().map_or_else(|fault| modern::status(fault.code()), |_| 200);
            Reply::json(status, &answer(id, outcome))
        }
    }
}

async fn batch(head: &Head<'_>, messages: Vec<Value>, tools: &impl Tools) -> Reply {
    if head.revision.is_some_and(|revision| revision != BATCH_REVISION) {
        return refuse(Fault::new(INVALID_REQUEST, "this revision of the protocol has no batches"));
    }
    if messages.is_empty() || messages.len() > MAX_BATCH {
        let message =
            format!("a batch must have 1 to {MAX_BATCH} messages, got {}", messages.len());
        return refuse(Fault::new(INVALID_REQUEST, message));
    }
    let mut answers = Vec::new();
    for message in messages {
        match Message::read(message) {
            Ok(Message::OneWay) => {}
            Ok(Message::Request { id, method, params }) => {
                let outcome = match method.as_str() {
                    "initialize" => {
                        Err(Fault::new(INVALID_REQUEST, "initialize must not be in a batch"))
                    }
                    method => handshake_result(method, params, tools).await,
                };
                answers.push(answer(id, outcome));
            }
            Err(fault) => answers.push(error(fault)),
        }
    }
    if answers.is_empty() { Reply::ACCEPTED } else { Reply::json(200, &answers) }
}

/// What a method returns to a client of the revisions before 2026-07-28.
async fn handshake_result(
    method: &str,
    params: Map<String, Value>,
    tools: &impl Tools,
) -> Result<Value, Fault> {
    match method {
        "initialize" => Ok(json!({
            "protocolVersion": negotiated(&params),
            "capabilities": capabilities(),
            "serverInfo": server(),
            "instructions": INSTRUCTIONS,
        })),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({"tools": tools::list()})),
        "tools/call" => tools::call(params, tools).await,
        other => Err(unknown(other)),
    }
}

/// What a method returns to a request that stands alone.
async fn modern_result(
    head: &Head<'_>,
    method: &str,
    params: Map<String, Value>,
    tools: &impl Tools,
) -> Result<Value, Fault> {
    modern::check(head, method, &params)?;
    let result = match method {
        "server/discover" => modern::discovered(capabilities(), INSTRUCTIONS),
        "tools/list" => modern::fresh(json!({"tools": tools::list()})),
        "tools/call" => tools::call(params, tools).await?,
        other => return Err(unknown(other)),
    };
    Ok(modern::complete(result, server()))
}

/// The revision asked for, or the newest with a handshake.
fn negotiated(params: &Map<String, Value>) -> &'static str {
    let asked = params.get("protocolVersion").and_then(Value::as_str);
    let found = HANDSHAKE_REVISIONS.iter().find(|revision| Some(**revision) == asked);
    found.or(HANDSHAKE_REVISIONS.first()).copied().unwrap_or_default()
}

/// Every revision, newest first.
pub(super) fn revisions() -> Vec<&'static str> {
    [MODERN_REVISIONS, HANDSHAKE_REVISIONS].concat()
}

fn capabilities() -> Value {
    json!({"tools": {"listChanged": false}})
}

fn server() -> Value {
    json!({"name": "dossier", "title": "Dossier", "version": env!("CARGO_PKG_VERSION")})
}

fn unknown(method: &str) -> Fault {
    let method: String = method.chars().take(64).collect();
    Fault::new(METHOD_NOT_FOUND, format!("there is no method {method:?}"))
}

/// The reply to a body that holds no message.
fn refuse(fault: Fault) -> Reply {
    Reply::json(400, &error(fault))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::executor::block_on;

    use super::*;
    use crate::{
        RequestError,
        wire::{ChatRequest, ChatResponse, ChatSource, SearchHit, SearchRequest, SearchResponse},
    };

    /// Answers every question alike, and remembers what was asked.
    #[derive(Default)]
    struct Canned {
        asked: RefCell<Vec<String>>,
    }

    impl Tools for Canned {
        async fn ask(&self, request: ChatRequest) -> Result<ChatResponse, RequestError> {
            if request.question.len() < 3 {
                let reason = "question must have 3 characters".to_owned();
                return Err(RequestError::BadJson { reason });
            }
            self.asked.borrow_mut().push(request.question);
            let source = ChatSource {
                id: "cv:0".to_owned(),
                source: "cv.pdf".to_owned(),
                title: "CV".to_owned(),
                heading: vec!["Languages".to_owned()],
                page: Some(2),
                text: "Polish and French.".to_owned(),
                distance: None,
                citation_index: 1,
            };
            Ok(ChatResponse {
                answer: "Polish and French [1].".to_owned(),
                sources: vec![source],
                grounded: true,
                confidence: None,
                session_id: request.session_id.unwrap_or_else(|| "new".to_owned()),
                degraded: Vec::new(),
                ..ChatResponse::default()
            })
        }

        async fn search(&self, request: SearchRequest) -> Result<SearchResponse, RequestError> {
            self.asked.borrow_mut().push(request.query.clone());
            let hits = (1..=request.top_k.unwrap_or(1) as usize).map(|rank| SearchHit {
                rank,
                id: format!("cv:{rank}"),
                source: "cv.pdf".to_owned(),
                heading: Vec::new(),
                page: None,
                text: "Polish.".to_owned(),
                score: 0.5,
                scores: std::collections::BTreeMap::new(),
            });
            let hits = hits.collect();
            Ok(SearchResponse { query: request.query, hits, degraded: Vec::new() })
        }
    }

    fn post(head: Head<'_>, body: &str) -> (u16, Value) {
        let reply = block_on(respond(&head, body.as_bytes(), &Canned::default()));
        (reply.status, reply.body.map_or(Value::Null, |body| serde_json::from_str(&body).unwrap()))
    }

    /// Whether `got` has everything that `expected` has.
    fn holds(got: &Value, expected: &Value) -> bool {
        match (got, expected) {
            (Value::Object(got), Value::Object(expected)) => expected
                .iter()
                .all(|(name, value)| got.get(name).is_some_and(|got| holds(got, value))),
            (Value::Array(got), Value::Array(expected)) => {
                got.len() == expected.len()
                    && got.iter().zip(expected).all(|(got, expected)| holds(got, expected))
            }
            _ => got == expected,
        }
    }

    fn check(head: Head<'_>, message: &Value, expected: (u16, Value)) {
        let (status, got) = post(head, &message.to_string());
        assert_eq!(status, expected.0, "{message} {got}");
        assert!(holds(&got, &expected.1), "{message}\n{got}\n{}", expected.1);
    }

    fn request(method: &str, params: Value) -> Value {
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    }

    fn result(result: Value) -> (u16, Value) {
        (200, json!({"jsonrpc": "2.0", "id": 1, "result": result}))
    }

    fn error(status: u16, code: i32) -> (u16, Value) {
        (status, json!({"jsonrpc": "2.0", "error": {"code": code}}))
    }

    const OLD: Head<'_> = Head { revision: Some("2025-11-25"), method: None, name: None };

    #[test]
    fn a_client_with_a_handshake_is_served() {
        for (asked, given) in [
            ("2025-11-25", "2025-11-25"),
            ("2025-06-18", "2025-06-18"),
            ("2024-11-05", "2024-11-05"),
            ("2099-01-01", "2025-11-25"),
        ] {
            let params = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": {}});
            let server = json!({"name": "dossier"});
            check(
                Head::default(),
                &request("initialize", params),
                result(json!({"protocolVersion": given, "capabilities": {"tools": {}},
                    "serverInfo": server})),
            );
        }
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        check(OLD, &initialized, (202, Value::Null));
        check(OLD, &request("ping", json!({})), result(json!({})));
        let names = json!({"tools": [{"name": "ask"}, {"name": "search_documents"}]});
        check(OLD, &request("tools/list", json!({})), result(names));
        let (_, listed) = post(OLD, &request("tools/list", json!({})).to_string());
        assert!(listed["result"].get("resultType").is_none(), "{listed}");
    }

    #[test]
    fn tools_answer_for_models_and_for_programs() {
        let arguments = json!({"question": "Which languages?", "session_id": "mine"});
        let text = "Polish and French [1].\n\nSources:\n[1] CV › Languages, page 2 (cv.pdf): Polish \
                    and French.";
        check(
            OLD,
            &request("tools/call", json!({"name": "ask", "arguments": arguments})),
            result(json!({
                "isError": false, "content": [{"type": "text", "text": text}],
                "structuredContent": {"grounded": true, "session_id": "mine"},
            })),
        );
        let arguments = json!({"query": "languages", "top_k": 2});
        check(
            Head::default(),
            &request("tools/call", json!({"name": "search_documents", "arguments": arguments})),
            result(json!({
                "content": [{"text": "1. cv.pdf: Polish.\n\n2. cv.pdf: Polish."}],
                "structuredContent": {"hits": [{"rank": 1}, {"rank": 2}]},
            })),
        );
        // What a model can mend is told to it; what a program got wrong is an error.
        for arguments in [json!({}), json!({"question": 7}), json!({"question": "?"})] {
            let call = request("tools/call", json!({"name": "ask", "arguments": arguments}));
            check(OLD, &call, result(json!({"isError": true, "content": [{"type": "text"}]})));
        }
        for params in
            [json!({}), json!({"name": "delete"}), json!({"name": "ask", "arguments": [1]})]
        {
            check(OLD, &request("tools/call", params), error(200, -32_602));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (body, code) in [
            ("", -32_700),
            ("{\"jsonrpc\": ", -32_700),
            ("7", -32_600),
            ("{}", -32_600),
            ("[]", -32_600),
            ("{\"jsonrpc\": \"1.0\", \"id\": 1, \"method\": \"ping\"}", -32_600),
            ("{\"jsonrpc\": \"2.0\", \"id\": null, \"method\": \"ping\"}", -32_600),
            ("{\"jsonrpc\": \"2.0\", \"id\": 1.5, \"method\": \"ping\"}", -32_600),
            ("{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": 7}", -32_600),
            ("{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"ping\", \"params\": []}", -32_600),
        ] {
            let (status, reply) = post(Head::default(), body);
            assert_eq!((status, &reply["error"]["code"]), (400, &json!(code)), "{body}");
        }
        check(OLD, &request("resources/list", json!({})), error(200, METHOD_NOT_FOUND));
        let answered = json!({"jsonrpc": "2.0", "id": 3, "result": {}});
        check(OLD, &answered, (202, Value::Null));
    }

    #[test]
    fn batches_belong_to_one_revision() {
        let call = json!({"name": "search_documents", "arguments": {"query": "languages"}});
        let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled"});
        let mixed = json!([request("ping", json!({})), note, request("tools/call", call), 7]);
        let answers = json!([
            {"id": 1, "result": {}},
            {"id": 1, "result": {"isError": false}},
            {"id": null, "error": {"code": -32_600}},
        ]);
        check(Head::default(), &mixed, (200, answers.clone()));
        check(Head { revision: Some(BATCH_REVISION), ..Head::default() }, &mixed, (200, answers));
        check(Head::default(), &json!([note]), (202, Value::Null));
        check(OLD, &mixed, error(400, INVALID_REQUEST));
        let many = vec![request("ping", json!({})); MAX_BATCH + 1];
        check(Head::default(), &json!(many), error(400, INVALID_REQUEST));
        let initialize = json!([request("initialize", json!({}))]);
        check(Head::default(), &initialize, (200, json!([{"error": {"code": INVALID_REQUEST}}])));
    }

    fn alone(method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        request(method, params)
    }

    const NEW: Option<&str> = Some("2026-07-28");

    #[test]
    fn a_request_that_stands_alone_is_served() {
        let head = |method, name| Head { revision: NEW, method: Some(method), name };
        let complete = |mut expected: Value| {
            expected["resultType"] = json!("complete");
            expected["_meta"] = json!({"io.modelcontextprotocol/serverInfo": {"name": "dossier"}});
            result(expected)
        };
        check(
            head("server/discover", None),
            &alone("server/discover", json!({})),
            complete(json!({"supportedVersions": revisions(), "cacheScope": "public"})),
        );
        check(
            head("tools/list", None),
            &alone("tools/list", json!({})),
            complete(json!({"tools": [{"name": "ask"}, {"name": "search_documents"}]})),
        );
        let call = alone("tools/call", json!({"name": "ask", "arguments": {"question": "Who?"}}));
        for name in ["ask", "=?base64?YXNr?="] {
            check(head("tools/call", Some(name)), &call, complete(json!({"isError": false})));
        }
        check(head("ping", None), &alone("ping", json!({})), error(404, METHOD_NOT_FOUND));
        let nothing = alone("tools/call", json!({"name": "nothing"}));
        check(head("tools/call", Some("nothing")), &nothing, error(400, -32_602));
    }

    #[test]
    fn head_and_body_must_agree() {
        let list = alone("tools/list", json!({}));
        let call = alone("tools/call", json!({"name": "ask", "arguments": {"question": "Who?"}}));
        let good = Head { revision: NEW, method: Some("tools/call"), name: Some("ask") };
        for (head, message) in [
            (Head::default(), &list),
            (Head { revision: NEW, ..Head::default() }, &list),
            (Head { revision: NEW, method: Some("ping"), name: None }, &list),
            (Head { revision: Some("2025-11-25"), method: Some("tools/list"), name: None }, &list),
            (Head { name: None, ..good }, &call),
            (Head { name: Some("search_documents"), ..good }, &call),
            (Head { name: Some("=?base64?!?="), ..good }, &call),
        ] {
            check(head, message, error(400, modern::HEADER_MISMATCH));
        }
        let bare = request("tools/list", json!({}));
        let head = Head { revision: NEW, method: Some("tools/list"), name: None };
        check(head, &bare, error(400, -32_602));
        let mut poor = list;
        let meta = poor["params"]["_meta"].as_object_mut().unwrap();
        meta.remove("io.modelcontextprotocol/clientCapabilities");
        check(head, &poor, error(400, -32_602));
    }

    #[test]
    fn a_revision_that_is_not_spoken_is_answered_with_those_that_are() {
        let mut message = alone("tools/list", json!({}));
        message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("1900-01-01");
        let old = Head { revision: Some("1900-01-01"), method: Some("tools/list"), name: None };
        let data = json!({"supported": revisions(), "requested": "1900-01-01"});
        let fault = json!({"code": modern::UNSUPPORTED_REVISION, "data": data});
        check(old, &message, (400, json!({"id": 1, "error": fault})));
        check(old, &request("tools/list", json!({})), (400, json!({"error": fault})));
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        check(old, &note, (400, json!({"error": fault})));
    }
}
