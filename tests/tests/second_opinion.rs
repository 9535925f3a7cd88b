//! A reranker beside the chat: it orders the passages, and nothing it does wrong shows in an answer.

use std::{io::Write as _, net::TcpListener, net::TcpStream};

use dossier_core::retrieval::MAX_TOP_K;
use dossier_tests::{Server, ServerOptions};
use serde_json::{Value, json};

use crate::loopback::{answer, service, wait};

const QUESTION: &str = "Which prize did she receive in 1911?";
/// Long enough for a loopback answer on a busy machine.
const PATIENT: &str = "30000";

/// Answers with `score` of each index; the sample has more passages than are sent.
fn scores(connection: &mut TcpStream, score: fn(usize) -> Value) {
    let results: Vec<Value> = (0..MAX_TOP_K).map(score).collect();
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
    let question = json!({"question": QUESTION, "session_id": "one"});
    let reply = server.post("/chat", &question).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn ids(response: &Value) -> Vec<&str> {
    response["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap()).collect()
}

#[test]
fn its_order_counts_and_each_hit_says_so() {
    let own = search(&Server::start().unwrap());
    // The last of the pool becomes the first.
    let backwards = service(|connection, _| {
        scores(connection, |index| json!({"index": index, "relevance_score": index}));
    });
    let server = start(&backwards, PATIENT);
    let reranked = search(&server);
    assert_eq!(reranked["degraded"], json!([]), "{reranked}");
    let (own, hits) = (ids(&own), reranked["hits"].as_array().unwrap());
    assert!(hits.iter().all(|hit| !own.contains(&hit["id"].as_str().unwrap())), "{reranked}");
    for (at, hit) in hits.iter().enumerate() {
        assert_eq!(hit["rank"], at + 1);
        let (before, score) = (&hit["scores"]["reranker_before"], &hit["scores"]["reranker"]);
        assert!((before.as_f64().unwrap() - 1.0 - score.as_f64().unwrap()).abs() < 1e-6);
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
    // A port that was free a moment ago, and that nobody listens on.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check("down", &format!("http://{free}"), PATIENT);
    check("silent", &service(|connection, _| wait(connection)), "20");
    let stuck = service(|connection, _| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{");
        wait(connection);
    });
    check("stuck in the middle", &stuck, "100");

    let wrong = |case, reply: fn(&mut TcpStream)| {
        check(case, &service(move |connection, _| reply(connection)), PATIENT);
    };
    wrong("hangs up", |_| {});
    wrong("500", |connection| answer(connection, "500 Internal Server Error", "{}"));
    wrong("HTML", |connection| answer(connection, "200 OK", "<html>busy</html>"));
    wrong("huge", |connection| answer(connection, "200 OK", &" ".repeat(1 << 20)));
    wrong("NaN", |connection| {
        answer(connection, "200 OK", r#"{"results": [{"index": 0, "relevance_score": NaN}]}"#);
    });
    wrong("infinite", |connection| {
        scores(connection, |index| json!({"index": index, "relevance_score": 1e300}));
    });
    wrong("too few", |connection| answer(connection, "200 OK", r#"{"results": []}"#));
    wrong("twice", |connection| {
        scores(connection, |_| json!({"index": 0, "relevance_score": 1}));
    });
    wrong("out of range", |connection| {
        scores(connection, |index| json!({"index": index + 1, "relevance_score": 1}));
    });
}
