//! Linear memory of a chat instance: the smallest limit under which it answers.

use anyhow::Result;
use dossier_host::{Limits, ReuseLimits};
use dossier_tests::{Server, ServerOptions};
use serde_json::json;

use super::Row;

const QUESTIONS: usize = 100;
/// Limits tried, in MiB.
const STEPS: [usize; 8] = [64, 96, 112, 128, 160, 192, 256, 384];

pub(super) fn row() -> Result<Row> {
    let mut enough = None;
    for step in STEPS {
        if answers_within(step)? {
            enough = Some(step);
            break;
        }
    }
    Ok(Row {
        what: "linear memory of a chat instance, 100 questions",
        bar: "≤ 128 MiB",
        measured: enough
            .map_or("above the largest".to_owned(), |step| format!("within {step} MiB")),
        how: "smallest of 64, 96, 112, 128, … under which one instance answers them all",
    })
}

fn answers_within(mebibytes: usize) -> Result<bool> {
    let reuse = ReuseLimits { requests: QUESTIONS, concurrent: 1, ..ReuseLimits::default() };
    let limits = Limits { instance_memory: mebibytes << 20, reuse, ..Limits::default() };
    let options = ServerOptions { limits, ..ServerOptions::default() };
    let Ok(server) = Server::start_with(options) else { return Ok(false) };
    for number in 0..QUESTIONS {
        let question = format!("Which prize did she receive in {}?", 1890 + number % 40);
        let reply = server.post("/chat", &json!({"question": question}))?;
        if reply.status != 200 || !reply.json()["degraded"].as_array().is_some_and(Vec::is_empty) {
            return Ok(false);
        }
    }
    Ok(true)
}
