//! The adapters keep the ports' contracts: the suites run inside a guest, on the real host.

use std::{fs, time::Duration};

use dossier_host::{Limits, SqlLimits};
use dossier_tests::{Postgres, Server, ServerOptions, component};

use crate::loopback::{answer, service, stall, wait};

/// Answers each `POST` with 201, `x-echo: yes` and the body it was sent; one to `/silent` never, and
/// one to `/stalled` with the first word alone.
fn echo_service() -> String {
    const HEAD: &str = "201 Created\r\nx-echo: yes";
    service(|connection, head| match head.split(' ').nth(1) {
        Some("/silent") => wait(connection),
        Some("/stalled") => stall(connection, HEAD, "hello"),
        _ => answer(connection, HEAD, &"hello".repeat(20_000)),
    })
}

/// Starts the probe with more lines in its manifest, and where its feedback is kept.
fn probe(extra: &str, database: &str) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "spin_manifest_version = 2\n[application]\nname = \"probe\"\n[[trigger.http]]\nroute = \"/...\"\n\
         component = \"probe\"\n[component.probe]\nsource = {:?}\nkey_value_stores = [\"default\"]\n{extra}\n\
         [component.probe.variables]\ncontract_set = \"value\"\ncontract_empty = \"\"\ndatabase_url = {database:?}\n",
        component("probe").canonicalize().expect("run `cargo xtask build`")
    );
    let file = folder.path().join("spin.toml");
    fs::write(&file, manifest).unwrap();
    let sql = SqlLimits {
        statement_timeout: Duration::from_millis(200),
        message: 1024 * 1024,
        ..SqlLimits::default()
    };
    let limits = Limits { request_timeout: Duration::from_secs(2), sql, ..Limits::default() };
    let options = ServerOptions { manifest: file, limits, ..ServerOptions::default() };
    (Server::start_with(options).unwrap(), folder)
}

#[test]
fn every_adapter_keeps_its_contract() {
    let base = echo_service();
    let grants = format!("allowed_outbound_hosts = [{base:?}]\nsqlite_databases = [\"default\"]");
    let (server, _folder) = probe(&grants, "");
    for port in ["kv", "clock", "entropy", "config", "feedback"] {
        let reply = server.get(&format!("/{port}")).unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "kept"), "{port}");
    }
    let reply = server.send("GET", "/http", &[("x-base", &base)], "").unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "kept"), "http");
}

#[test]
fn postgres_serves_guests_and_feedback_keeps_its_contract_there() {
    let Some(postgres) = Postgres::start().unwrap() else {
        println!("SKIP: no Postgres (DOSSIER_POSTGRES is not set)");
        return;
    };
    let grants = format!("allowed_outbound_hosts = [{:?}]", postgres.origin());
    let (server, _folder) = probe(&grants, &postgres.url());
    for path in ["/feedback", "/feedback", "/postgres"] {
        let reply = server.get(path).unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "kept"), "{path}");
    }
}

#[test]
fn databases_that_the_manifest_does_not_grant_stay_closed() {
    let (server, _folder) = probe("", "");
    let reply = server.get("/feedback").unwrap();
    assert_eq!(reply.status, 500);
    assert!(reply.body.contains("AccessDenied"), "{}", reply.body);
    for url in ["postgres://ada:secret@127.0.0.1:1/x", "postgres://ada:secret@db/x?host=/var/run"] {
        let (server, _folder) = probe("allowed_outbound_hosts = [\"http://127.0.0.1:1\"]", url);
        let reply = server.get("/feedback").unwrap();
        let refused = reply.body.contains("not allowed") || reply.body.contains("no socket");
        assert!(refused && !reply.body.contains("secret"), "{}", reply.body);
    }
}

#[test]
fn a_guest_that_traps_or_hangs_costs_one_reply_and_nothing_else() {
    let (server, _folder) = probe("", "");
    for path in ["/trap", "/hang", "/trap"] {
        let reply = server.get(path).unwrap();
        assert!((500..600).contains(&reply.status), "{path}: {}", reply.status);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        let next = server.get("/clock").unwrap();
        assert_eq!((next.status, next.body.as_str()), (200, "kept"), "after {path}");
    }
}
