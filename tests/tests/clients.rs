//! Clients of other people against the real application: OpenAI's, the Model Context Protocol's, and
//! schemathesis, which holds every route to the description of the API.

use std::{collections::BTreeMap, process::Command};

use dossier_tests::{Server, ServerOptions, python, root};

/// Fewest requests that schemathesis makes up.
const EXAMPLES: &str = "2000";

/// Runs a script of `tests/clients` with the server's address and `arguments`.
fn run(script: &str, variables: &[(&str, &str)], arguments: &[&str]) {
    let Some(python) = python() else {
        println!("SKIP: no Python for tests (run `cargo xtask test`, or set DOSSIER_PYTHON)");
        return;
    };
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let variables: BTreeMap<String, String> = variables.collect();
    let options = ServerOptions { variables, ..ServerOptions::default() };
    let server = Server::start_with(options).unwrap();
    let output = Command::new(python)
        .arg(root().join("tests/clients").join(script))
        .arg(server.base())
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {}", output.status);
}

#[test]
fn openai_s_client_chats() {
    run("openai_client.py", &[], &[]);
}

#[test]
fn openai_s_client_sends_its_key() {
    let variables = [("api_keys", "right-key"), ("profile", "development")];
    run("openai_client.py", &variables, &["right-key"]);
}

#[test]
fn the_protocol_s_client_lists_and_calls_tools() {
    run("mcp_client.py", &[], &[]);
}

#[test]
fn schemathesis_finds_no_difference_from_the_description() {
    // As many conversations as a ledger holds, and the owner's key for the list of votes.
    let variables = [
        ("profile", "development"),
        ("sessions_total", "4000"),
        ("sessions_per_address", "0"),
        ("address_queries_per_hour", "0"),
        ("admin_key", "owner-key"),
    ];
    run("contract.py", &variables, &[EXAMPLES, "Authorization: Bearer owner-key"]);
}
