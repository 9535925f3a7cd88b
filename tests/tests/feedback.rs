//! Votes over real HTTP, on SQLite and on Postgres: recorded once, listed in pages, kept.

use std::{collections::BTreeSet, fs, path::Path, thread};

use dossier_tests::{Postgres, Reply, Server, ServerOptions};
use serde_json::{Value, json};

const OWNER: &str = "Bearer owner's key";

fn start(state: Option<&Path>, variables: &[(&str, &str)]) -> Server {
    let variables = [("admin_key", "owner's key")].iter().chain(variables);
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let state = state.map(Path::to_owned);
    let options = ServerOptions { variables: variables.collect(), state, ..Default::default() };
    Server::start_with(options).unwrap()
}

fn on(postgres: &Postgres) -> Server {
    let (url, origin) = (postgres.url(), postgres.origin());
    start(None, &[("database_url", &url), ("database_host", &origin)])
}

fn postgres() -> Option<Postgres> {
    let postgres = Postgres::start().unwrap();
    if postgres.is_none() {
        println!("SKIP: no Postgres (DOSSIER_POSTGRES is not set)");
    }
    postgres
}

fn vote(server: &Server, message: &str, thumb: bool) -> Reply {
    let vote = json!({"session_id": "s-1", "message_id": message, "thumbs_up": thumb});
    server.post("/api/v1/feedback", &vote).unwrap()
}

fn list(server: &Server, query: &str) -> Value {
    let path = format!("/feedback{query}");
    let reply = server.send("GET", &path, &[("authorization", OWNER)], "").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn id(reply: &Reply) -> String {
    let receipt = reply.json();
    assert_eq!(receipt["status"], "received", "{}", reply.body);
    receipt["id"].as_str().unwrap().to_owned()
}

fn messages(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["message_id"].as_str().unwrap()).collect()
}

/// Everything that must hold whatever the database is; begins with an empty one.
fn check_a_table(server: &Server) {
    // The first requests of all cross: each finds the table or makes it, and one vote is new.
    let receipts: Vec<Reply> = thread::scope(|scope| {
        let votes =
            (0..16).map(|number| scope.spawn(move || vote(server, "same", number % 2 == 0)));
        let votes: Vec<_> = votes.collect();
        votes.into_iter().map(|vote| vote.join().unwrap()).collect()
    });
    let statuses: Vec<u16> = receipts.iter().map(|receipt| receipt.status).collect();
    let created = statuses.iter().filter(|status| **status == 201).count();
    let changed = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!((created, changed), (1, 15), "{statuses:?}");
    let ids: BTreeSet<String> = receipts.iter().map(id).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let page = list(server, "");
    assert_eq!((messages(&page), &page["next_cursor"]), (vec!["same"], &Value::Null));

    // A second vote changes the first, comment and all.
    let comment = json!({
        "session_id": "s-1", "message_id": "same", "thumbs_up": false,
        "comment": "  it's \"good\";\n-- ünder $1 ✓ "
    });
    let changed = server.post("/feedback", &comment).unwrap();
    assert_eq!((changed.status, BTreeSet::from([id(&changed)])), (200, ids));
    let page = list(server, "");
    assert_eq!(page["items"][0]["comment"], "it's \"good\";\n-- ünder $1 ✓");
    assert_eq!(page["items"][0]["thumbs_up"], false);
    let times = (&page["items"][0]["created_at"], &page["items"][0]["updated_at"]);
    assert!(times.0.as_u64().unwrap() <= times.1.as_u64().unwrap(), "{page}");

    // Many writers at once, then pages that cover everything once, in order.
    thread::scope(|scope| {
        for writer in 0..8 {
            scope.spawn(move || {
                for number in 0..5 {
                    let reply = vote(server, &format!("{writer}-{number}"), number % 2 == 0);
                    assert_eq!(reply.status, 201, "{}", reply.body);
                }
            });
        }
    });
    let whole = list(server, "?limit=100");
    let whole = messages(&whole);
    assert_eq!(whole.len(), 41);
    assert_eq!(whole.last(), Some(&"same"), "the oldest comes last");
    let (mut seen, mut query) = (Vec::new(), "?limit=7".to_owned());
    loop {
        let page = list(server, &query);
        seen.extend(messages(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=7&cursor={cursor}");
    }
    assert_eq!(seen, whole);
    let good = list(server, "?thumbs_up=true&limit=100");
    assert_eq!(messages(&good).len(), 24);
    assert!(good["items"].as_array().unwrap().iter().all(|item| item["thumbs_up"] == true));
}

/// What a client sees while the database is away.
fn check_unavailable(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert_eq!(reply.headers["retry-after"], "5");
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    let problem = reply.json();
    assert_eq!(problem["error_code"], "unavailable");
    assert_eq!(problem["detail"], "feedback is not available just now; try again");
}

#[test]
fn votes_live_in_sqlite_without_any_set_up() {
    let server = start(None, &[]);
    check_a_table(&server);
    // Counters leave after the reply; each vote pushes them on.
    let mut tries = 0..100;
    while !server.get("/metrics").unwrap().body.contains("rag_feedback_total{thumbs_up=\"true\"}") {
        assert!(tries.next().is_some(), "votes are not counted");
        vote(&server, "same", true);
    }
}

#[test]
fn votes_survive_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let first = {
        let server = start(Some(state.path()), &[]);
        id(&vote(&server, "kept", true))
    };
    let server = start(Some(state.path()), &[]);
    assert_eq!(messages(&list(&server, "")), ["kept"]);
    let again = vote(&server, "kept", false);
    assert_eq!((again.status, id(&again)), (200, first));
}

#[test]
fn a_broken_sqlite_file_is_a_503_until_it_is_gone() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("sqlite");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("default.db"), "no database ".repeat(1_000)).unwrap();
    let server = start(Some(state.path()), &[]);
    check_unavailable(&vote(&server, "m", true));
    fs::remove_file(folder.join("default.db")).unwrap();
    assert_eq!(vote(&server, "m", true).status, 201);
}

#[test]
fn votes_live_in_postgres_where_it_is_configured() {
    let Some(mut postgres) = postgres() else { return };
    let server = on(&postgres);
    check_a_table(&server);

    postgres.stop();
    check_unavailable(&vote(&server, "lost", true));
    postgres.resume().unwrap();
    assert_eq!(vote(&server, "same", true).status, 200, "what was there is there again");
    assert_eq!(vote(&server, "lost", true).status, 201);
}

#[test]
fn postgres_is_reached_over_tls_and_only_where_the_manifest_allows() {
    let Some(mut postgres) = postgres() else { return };
    let url = postgres.url();
    check_unavailable(&vote(&start(None, &[("database_url", &url)]), "m", true));

    postgres.stop();
    postgres.require_tls().unwrap();
    postgres.resume().unwrap();
    let origin = postgres.origin();
    let with = |mode: &str| {
        let url = format!("{url}?sslmode={mode}");
        let server = start(None, &[("database_url", &url), ("database_host", &origin)]);
        vote(&server, mode, true)
    };
    assert_eq!(with("require").status, 201);
    check_unavailable(&with("disable"));
    check_unavailable(&with("verify-full"));
}

#[test]
fn only_the_owner_reads_votes() {
    let server = start(None, &[("api_keys", "visitor")]);
    let get =
        |headers: &[(&str, &str)]| server.send("GET", "/api/v1/feedback", headers, "").unwrap();
    let refused = get(&[]);
    assert_eq!(refused.status, 401);
    assert!(refused.headers["www-authenticate"].starts_with("Bearer"));
    assert_eq!(get(&[("x-api-key", "visitor")]).status, 401);
    assert_eq!(get(&[("authorization", "Bearer visitor")]).status, 401);
    assert_eq!(get(&[("authorization", OWNER)]).status, 200);
    assert_eq!(vote(&server, "m", true).status, 401, "a vote needs the visitors' key");
    let body = json!({"session_id": "s", "message_id": "m", "thumbs_up": true}).to_string();
    let reply = server.send("POST", "/feedback", &[("x-api-key", "visitor")], body).unwrap();
    assert_eq!(reply.status, 201, "{}", reply.body);

    let closed =
        Server::start().unwrap().send("GET", "/feedback", &[("authorization", "Bearer ")], "");
    let closed = closed.unwrap();
    assert_eq!((closed.status, &closed.json()["error_code"]), (403, &json!("forbidden")));
}

#[test]
fn bad_votes_and_queries_get_problems() {
    let server = start(None, &[]);
    let good = json!({"session_id": "s", "message_id": "m", "thumbs_up": true});
    let with = |field: &str, value: Value| {
        let mut vote = good.clone();
        vote[field] = value;
        vote.to_string()
    };
    let without = |field: &str| {
        let mut vote = good.clone();
        vote.as_object_mut().unwrap().remove(field);
        vote.to_string()
    };
    let cases = [
        ("POST", "", with("session_id", json!("")), 422, "session_id"),
        ("POST", "", with("session_id", json!("../x")), 422, "session_id"),
        ("POST", "", with("message_id", json!("m".repeat(65))), 422, "got 65"),
        ("POST", "", with("comment", json!("c".repeat(1_001))), 422, "got 1001"),
        ("POST", "", with("thumbs_up", json!("yes")), 422, "boolean"),
        ("POST", "", without("thumbs_up"), 422, "thumbs_up"),
        ("POST", "", "{".to_owned(), 400, "EOF"),
        ("POST", "", with("comment", json!("c".repeat(40_000))), 413, "32768"),
        ("DELETE", "", String::new(), 405, "use GET, HEAD, POST, OPTIONS"),
        ("GET", "?limit=101", String::new(), 422, "limit must be 1 to 100"),
        ("GET", "?cursor=1.x'--", String::new(), 422, "cursor must be"),
        ("GET", "?thumbs_up=2", String::new(), 422, "thumbs_up must be"),
    ];
    for (method, query, body, status, words) in cases {
        let headers = [("authorization", OWNER), ("content-type", "application/json")];
        let reply = server.send(method, &format!("/feedback{query}"), &headers, body).unwrap();
        assert_eq!(reply.status, status, "{method} {query}: {}", reply.body);
        assert!(reply.json()["detail"].as_str().unwrap().contains(words), "{}", reply.body);
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    }
    assert_eq!(server.get("/feedback/x").unwrap().status, 404);
    assert_eq!(list(&server, "")["items"], json!([]));
}
