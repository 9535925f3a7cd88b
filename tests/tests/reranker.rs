//! A reranker beside the chat: it orders the passages, and nothing it does wrong shows in an answer.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use dossier_tests::{Reply, Server, ServerOptions};
use serde_json::{Value, json};

const QUESTION: &str = "Which prize did she receive in 1911?";
/// Long enough for a loopback answer on a busy machine.
const PATIENT: &str = "30000";

/// What a service does with a request once it has read it.
type Behaviour = fn(&mut TcpStream, &Value);

/// A service on loopback, which lives as long as the process. Returns its origin.
fn service(behaviour: Behaviour) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            thread::spawn(move || {
                if let Some(request) = read_request(&mut connection) {
                    behaviour(&mut connection, &request);
                }
            });
        }
    });
    origin
}

/// Reads one request to the end of its JSON.
fn read_request(connection: &mut TcpStream) -> Option<Value> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = connection.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        // A body of unknown length comes in chunks, whose sizes stand on lines of their own.
        let from = text.find('{')?;
        if let Some(value) = serde_json::Deserializer::from_str(&text[from..])
            .into_iter::<Value>()
            .next()
            .and_then(Result::ok)
        {
            return Some(value);
        }
    }
}

fn answer(connection: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // A client that has seen enough may be gone.
    let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body.as_bytes()));
}

/// Answers with the scores that `score` gives to index and number of documents.
fn score(connection: &mut TcpStream, request: &Value, score: fn(usize, usize) -> Value) {
    let count = request["documents"].as_array().map_or(0, Vec::len);
    let results: Vec<Value> = (0..count).map(|index| score(index, count)).collect();
    answer(connection, "200 OK", &json!({"results": results}).to_string());
}

fn start(origin: &str, budget: &str) -> Server {
    let variables = [("reranker_url", origin), ("reranker_budget_ms", budget)];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Server::start_with(ServerOptions { variables, ..ServerOptions::default() }).unwrap()
}

fn search(server: &Server) -> Value {
    let reply = server.post("/search", &json!({"query": QUESTION})).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn ask(server: &Server) -> Value {
    let Reply { status, body, .. } =
        server.post("/chat", &json!({"question": QUESTION, "session_id": "one"})).unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn ids(response: &Value) -> Vec<&str> {
    response["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap()).collect()
}

#[test]
fn its_order_counts_and_each_hit_says_so() {
    let own = search(&Server::start().unwrap());
    // The last of the pool becomes the first.
    let backwards = service(|connection, request| {
        score(connection, request, |index, _| json!({"index": index, "relevance_score": index}));
    });
    let server = start(&backwards, PATIENT);
    let reranked = search(&server);
    assert_eq!(reranked["degraded"], json!([]), "{reranked}");
    let (own, hits) = (ids(&own), reranked["hits"].as_array().unwrap());
    assert!(hits.iter().all(|hit| !own.contains(&hit["id"].as_str().unwrap())), "{reranked}");
    for (at, hit) in hits.iter().enumerate() {
        assert_eq!(hit["rank"], at + 1);
        let (before, score) = (&hit["scores"]["reranker_before"], &hit["scores"]["reranker"]);
        assert_eq!(before.as_f64().unwrap() - 1.0, score.as_f64().unwrap());
    }
    assert!(ask(&server)["degraded"].as_array().unwrap().is_empty());
}

#[test]
fn nothing_it_does_wrong_shows_in_an_answer() {
    let own = Server::start().unwrap();
    let (own_search, own_answer) = (search(&own), ask(&own));
    drop(own);
    let check = |case: &str, origin: &str, budget: &str| {
        let server = start(origin, budget);
        for (mut response, own) in
            [(search(&server), own_search.clone()), (ask(&server), own_answer.clone())]
        {
            assert_eq!(response["degraded"].take(), json!(["reranker"]), "{case}");
            response["degraded"] = json!([]);
            assert_eq!(response, own, "{case}");
        }
    };
    let wrong = |case, behaviour: Behaviour| check(case, &service(behaviour), PATIENT);

    // A port that was free a moment ago, and that nobody listens on.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check("down", &format!("http://{free}"), PATIENT);
    let silent: Behaviour = |connection, _| {
        // Returns when the caller gives up.
        let _ = connection.read(&mut [0]);
    };
    check("silent", &service(silent), "20");
    let endless: Behaviour = |connection, _| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{");
        let _ = connection.read(&mut [0]);
    };
    check("stopped in the middle", &service(endless), "100");

    wrong("hangs up", |_, _| {});
    wrong("500", |connection, _| answer(connection, "500 Internal Server Error", "{}"));
    wrong("HTML", |connection, _| answer(connection, "200 OK", "<html>busy</html>"));
    wrong("huge", |connection, _| answer(connection, "200 OK", &" ".repeat(1 << 20)));
    wrong("NaN", |connection, _| {
        let body = "{\"results\": [{\"index\": 0, \"relevance_score\": NaN}]}";
        answer(connection, "200 OK", body);
    });
    wrong("infinite", |connection, request| {
        score(connection, request, |index, _| json!({"index": index, "relevance_score": 1e300}));
    });
    wrong("too few", |connection, _| answer(connection, "200 OK", "{\"results\": []}"));
    wrong("twice", |connection, request| {
        score(connection, request, |_, _| json!({"index": 0, "relevance_score": 1}));
    });
    wrong("out of range", |connection, request| {
        score(connection, request, |index, _| json!({"index": index + 1, "relevance_score": 1}));
    });
}
