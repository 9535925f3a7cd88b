//! Limits hold however many ask at once, on the host with its durable store.

use std::{collections::BTreeMap, sync::Barrier, thread};

use dossier_tests::{Reply, Server, ServerOptions};
use regex::Regex;
use serde_json::json;

use crate::visitor::ROUTES;

const VISITORS: usize = 100;
const ALLOWED: usize = 10;

fn options(variables: &[(&str, &str)]) -> ServerOptions {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: BTreeMap<String, String> = variables.iter().map(own).collect();
    ServerOptions { variables, ..ServerOptions::default() }
}

fn ask(server: &Server, route: &str, session: &str) -> Reply {
    let question = json!({ "question": "Where was Marie Curie born?", "session_id": session });
    server.post(route, &question).unwrap()
}

/// A hundred visitors ask at the same moment, each with the session that `session` gives him.
fn all_ask(
    server: &Server,
    route: &str,
    session: impl Fn(usize) -> String + Sync,
) -> Vec<(String, Reply)> {
    let together = Barrier::new(VISITORS);
    thread::scope(|scope| {
        let (together, session) = (&together, &session);
        let visitor = |number| {
            scope.spawn(move || {
                let session = session(number);
                together.wait();
                let reply = ask(server, route, &session);
                (session, reply)
            })
        };
        let visitors: Vec<_> = (0..VISITORS).map(visitor).collect();
        visitors.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

/// Splits into those who were answered and those who were refused, and holds both to what they must
/// be told of `limit`.
fn sorted(replies: Vec<(String, Reply)>, limit: &str) -> [Vec<(String, Reply)>; 2] {
    let (admitted, refused): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|(_, reply)| reply.status == 200);
    for (_, reply) in &admitted {
        let ends =
            reply.json()["grounded"] == true || reply.body.ends_with("event: done\ndata: \n\n");
        assert!(ends, "{}", reply.body);
        assert!(reply.headers.contains_key("ratelimit"), "{:?}", reply.headers);
    }
    for (_, reply) in &refused {
        check_refused(reply, limit);
    }
    assert_eq!((admitted.len(), refused.len()), (ALLOWED, VISITORS - ALLOWED));
    [admitted, refused]
}

fn check_refused(reply: &Reply, limit: &str) {
    let header = |name: &str| reply.headers.get(name).map_or("", String::as_str);
    assert_eq!((reply.status, header("content-type")), (429, "application/problem+json"));
    assert_eq!(reply.json()["error_code"], "rate_limited", "{}", reply.body);
    assert!(header("retry-after").parse::<u64>().unwrap() > 0, "{:?}", reply.headers);
    let (none, all) = (format!("\"{limit}\";r=0;t="), format!("\"{limit}\";q={ALLOWED}"));
    assert!(header("ratelimit").contains(&none), "{:?}", reply.headers);
    assert!(header("ratelimit-policy").contains(&all), "{:?}", reply.headers);
}

#[test]
fn a_hundred_at_once_in_one_conversation_are_ten() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let options = options(&[("session_queries_per_hour", &ALLOWED.to_string())]);
        Server::start_with(ServerOptions { state: Some(folder.path().to_owned()), ..options })
    };
    let server = start().unwrap();
    let left = Regex::new("\"session\";r=(\\d+);").unwrap();
    for route in ROUTES {
        let session = format!("crowd{}", route.replace('/', "-"));
        let [admitted, _] = sorted(all_ask(&server, route, |_| session.clone()), "session");
        // Each was told another place of the ten: no two were let in by the same one.
        let told = admitted.iter().map(|(_, reply)| {
            let places = left.captures(&reply.headers["ratelimit"]).unwrap();
            places[1].parse::<usize>().unwrap()
        });
        let mut told: Vec<usize> = told.collect();
        told.sort_unstable();
        assert_eq!(told, (0..ALLOWED).collect::<Vec<_>>(), "{route}");
    }
    // Another process on the same store knows it still.
    drop(server);
    let server = start().unwrap();
    for route in ROUTES {
        check_refused(&ask(&server, route, "crowd-chat"), "session");
    }
    assert_eq!(ask(&server, "/chat", "another").status, 200);
}

#[test]
fn a_hundred_conversations_at_once_from_one_address_are_ten() {
    for route in ROUTES {
        let own = options(&[("sessions_per_address", &ALLOWED.to_string())]);
        let server = Server::start_with(own).unwrap();
        let replies = all_ask(&server, route, |number| format!("visitor-{number}"));
        let [admitted, refused] = sorted(replies, "address-sessions");
        // Who was let in goes on, who was not stays out.
        assert_eq!(ask(&server, route, &admitted[0].0).status, 200);
        check_refused(&ask(&server, route, &refused[0].0), "address-sessions");
    }
}
