//! The adapters keep the ports' contracts: the suites run inside a guest, on the real host.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
    time::Duration,
};

use dossier_host::Limits;
use dossier_tests::{Server, ServerOptions, component};

/// Answers each `POST` with 201, `x-echo: yes` and the body it was sent, until the process ends; one
/// to `/silent` never.
fn echo_service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            thread::spawn(move || {
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                let ended = |request: &[u8]| request.windows(5).any(|it| it == b"0\r\n\r\n");
                let head_end = |request: &[u8]| request.windows(4).position(|it| it == b"\r\n\r\n");
                loop {
                    let read = connection.read(&mut buffer).unwrap_or(0);
                    request.extend_from_slice(&buffer[..read]);
                    let Some(head) = head_end(&request) else { continue };
                    let fields = String::from_utf8_lossy(&request[..head]).to_lowercase();
                    let length = fields.lines().find_map(|it| it.strip_prefix("content-length: "));
                    let whole = match length {
                        Some(length) => {
                            request.len() - head - 4 >= length.parse::<usize>().unwrap()
                        }
                        None => ended(&request),
                    };
                    if whole || read == 0 {
                        break;
                    }
                }
                if request.starts_with(b"POST /silent ") {
                    // Returns when the caller gives up.
                    let _ = connection.read(&mut buffer);
                    return;
                }
                let body = "hello".repeat(20_000);
                let head = format!(
                    "HTTP/1.1 201 Created\r\nx-echo: yes\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = connection.write_all(head.as_bytes());
                let _ = connection.write_all(body.as_bytes());
            });
        }
    });
    base
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
