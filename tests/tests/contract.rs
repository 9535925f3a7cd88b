//! The adapters keep the ports' contracts: the suites run inside a guest, on the real host.

use std::{fs, time::Duration};

use dossier_host::Limits;
use dossier_tests::{Server, ServerOptions, component};

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

fn probe(extra: &str) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "spin_manifest_version = 2\n[application]\nname = \"probe\"\n[[trigger.http]]\nroute = \"/...\"\n\
         component = \"probe\"\n[component.probe]\nsource = {:?}\nkey_value_stores = [\"default\"]\n{extra}\n\
         [component.probe.variables]\ncontract_set = \"value\"\ncontract_empty = \"\"\n",
        component("probe").canonicalize().expect("run `cargo xtask build`")
    );
    let file = folder.path().join("spin.toml");
    fs::write(&file, manifest).unwrap();
    let limits = Limits { request_timeout: Duration::from_secs(2), ..Limits::default() };
    let options = ServerOptions { manifest: file, limits, ..ServerOptions::default() };
    (Server::start_with(options).unwrap(), folder)
}

#[test]
fn every_adapter_keeps_its_contract() {
    let base = echo_service();
    let (server, _folder) = probe(&format!("allowed_outbound_hosts = [{base:?}]"));
    for port in ["kv", "clock", "entropy", "config"] {
        let reply = server.get(&format!("/{port}")).unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "kept"), "{port}");
    }
    let reply = server.send("GET", "/http", &[("x-base", &base)], "").unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "kept"), "http");
}

#[test]
fn a_guest_that_traps_or_hangs_costs_one_reply_and_nothing_else() {
    let (server, _folder) = probe("");
    for path in ["/trap", "/hang", "/trap"] {
        let reply = server.get(path).unwrap();
        assert!((500..600).contains(&reply.status), "{path}: {}", reply.status);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        let next = server.get("/clock").unwrap();
        assert_eq!((next.status, next.body.as_str()), (200, "kept"), "after {path}");
    }
}
