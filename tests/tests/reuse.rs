//! Instances serve many requests of many visitors, and nothing of one reaches another.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use dossier_host::{Limits, ReuseLimits};
use dossier_tests::{Server, ServerOptions, artefact, component};
use serde_json::{Value, json};

const REQUESTS: usize = 2_000;
const AT_ONCE: usize = 16;

/// Two visitors with one subject each, and a follow-up that only their own subject answers.
const VISITORS: [(&str, &str, &str); 2] = [
    ("visitor-one", "Who presented the gram of radium to her in 1921?", "gram"),
    ("visitor-two", "Where was Marie Curie born?", "Warsaw"),
];

fn resident_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
fn two_thousand_interleaved_requests_without_error_or_leak() {
    // Each visitor asks a thousand times and once more.
    let variables = [("session_queries_per_hour".to_owned(), "0".to_owned())].into();
    let options = ServerOptions { variables, ..ServerOptions::default() };
    let server = Server::start_with(options).unwrap();
    for (session, question, _) in VISITORS {
        // What follow-ups lean on, however many of them come before the next question in full.
        let reply = server.post("/chat", &json!({"question": question, "session_id": session}));
        assert_eq!(reply.unwrap().status, 200);
    }
    let before = resident_megabytes();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= REQUESTS {
                        break;
                    }
                    check(&server, number);
                }
            });
        }
    });
    let after = resident_megabytes();
    println!("{REQUESTS} requests, {AT_ONCE} at a time: {before} MiB before, {after} MiB after");
}

/// Instances start from one image of memory; what must be by chance is drawn after it.
#[test]
fn instances_of_one_image_name_different_conversations() {
    let reuse = ReuseLimits { requests: 1, ..ReuseLimits::default() };
    let limits = Limits { reuse, ..Limits::default() };
    let server = Server::start_with(ServerOptions { limits, ..ServerOptions::default() }).unwrap();
    let ids: BTreeSet<String> = (0..4)
        .map(|_| {
            let reply = server.post("/chat", &json!({"question": VISITORS[1].1})).unwrap();
            assert_eq!(reply.status, 200, "{}", reply.body);
            reply.json()["session_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
}

#[test]
fn initialisation_gives_the_same_bytes_again() {
    let built = component("chat").with_extension("lazy.wasm");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("chat.wasm");
    let run = |from: &Path, to: &Path| {
        let mut command = Command::new(artefact("dossier").unwrap());
        command.arg("preinitialise").arg(from).arg("--out").arg(to).output().unwrap()
    };
    assert!(run(&built, &out).status.success());
    assert!(fs::read(&out).unwrap() == fs::read(component("chat")).unwrap(), "other bytes");
    // A component without the export is refused, and nothing is left behind.
    let refused = run(&component("web"), &folder.path().join("web.wasm"));
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("wizer-initialize"), "{said}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

fn check(server: &Server, number: usize) {
    let (session, question, fact) = VISITORS[number % VISITORS.len()];
    let (_, _, foreign) = VISITORS[(number + 1) % VISITORS.len()];
    let question = if number % 4 < 2 { question } else { "And where was that?" };
    let reply =
        server.post("/chat", &json!({"question": question, "session_id": session})).unwrap();
    assert_eq!(reply.status, 200, "request {number}: {}", reply.body);
    let answer: Value = reply.json();
    assert_eq!(answer["session_id"], session);
    let text = answer["answer"].as_str().unwrap();
    assert!(
        text.contains(fact) && !text.contains(foreign),
        "request {number} of {session}: {text}"
    );
}
