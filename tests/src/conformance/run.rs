//! Runs an area: against a server of its own, or against `DOSSIER_BASE_URL`.

use std::{
    collections::BTreeMap,
    fs,
    hash::{BuildHasher as _, RandomState},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use reqwest::blocking::Client;
use serde::Deserialize;
use serde_json::Value;

use super::{
    case::Case,
    contract,
    exchange::{self, Names},
};
use crate::{Server, ServerOptions, client, root};

/// How an area went.
#[derive(Debug, Default)]
pub struct Report {
    /// A line for each case: what it shows, and how it went.
    pub lines: Vec<String>,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Whether the area was left out, which a line says too.
    pub skipped: bool,
}

/// `server.json` of an area.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Needs {
    /// Values of variables that the server must have.
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

/// Names of all areas.
///
/// # Errors
/// The folder cannot be listed.
pub fn areas() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Runs every case of `area`; `names` are the values that the cases and the server's variables may
/// use in double braces.
///
/// With `DOSSIER_BASE_URL` the cases are sent there. Areas that need variables are then left out,
/// unless `DOSSIER_CONFORMANCE_AREAS` names them, comma-separated, since only whoever started that
/// server can have set them.
///
/// # Errors
/// A case cannot be read, or the server cannot be started.
pub fn run(area: &str, names: &Names) -> Result<Report> {
    let folder = folder().join(area);
    let needs: Needs = match fs::read_to_string(folder.join("server.json")) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{area}/server.json"))?,
        Err(_) => Needs::default(),
    };
    let (_server, base) = match std::env::var("DOSSIER_BASE_URL") {
        Ok(base) => {
            let chosen = std::env::var("DOSSIER_CONFORMANCE_AREAS").unwrap_or_default();
            if !needs.variables.is_empty() && !chosen.split(',').any(|it| it.trim() == area) {
                let needed: Vec<&str> = needs.variables.keys().map(String::as_str).collect();
                let line = format!("SKIP {area}: needs the variables {}", needed.join(", "));
                return Ok(Report { lines: vec![line], skipped: true, ..Report::default() });
            }
            (None, base.trim_end_matches('/').to_owned())
        }
        Err(_) => {
            let mut variables = BTreeMap::new();
            for (name, value) in &needs.variables {
                variables.insert(name.clone(), exchange::filled(value, names)?);
            }
            let server =
                Server::start_with(ServerOptions { variables, ..ServerOptions::default() })?;
            let base = server.base();
            (Some(server), base)
        }
    };
    cases(area, &folder, &base, names)
}

fn cases(area: &str, folder: &Path, base: &str, names: &Names) -> Result<Report> {
    let document = fs::read(root().join("docs/openapi.json"))?;
    let document: Value = serde_json::from_slice(&document)?;
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "http"));
    files.sort();
    ensure!(!files.is_empty(), "{area} has no cases");
    let client = client()?;
    let mut report = Report::default();
    for file in files {
        let case = Case::load(&file)?;
        let label = format!("{area}/{}: {}", case.name, case.about);
        match one(&client, base, &document, &case, names) {
            Ok(()) => {
                report.passed += 1;
                report.lines.push(format!("ok   {label}"));
            }
            Err(why) => {
                report.failed += 1;
                report.lines.push(format!("FAIL {label}\n    {why}"));
            }
        }
    }
    Ok(report)
}

/// Sends the steps of a case one after the other, up to the first that fails.
fn one(
    client: &Client,
    base: &str,
    document: &Value,
    case: &Case,
    names: &Names,
) -> Result<(), String> {
    let mut names = names.clone();
    // Cases leave conversations and votes behind, so each run gives them names of its own.
    names.insert("unique".to_owned(), format!("{:016x}", RandomState::new().hash_one(&case.name)));
    names.insert("base".to_owned(), base.to_owned());
    for (at, step) in case.steps.iter().enumerate() {
        for turn in 0..step.times {
            let run = || {
                let reply = exchange::send(client, base, step, &names)
                    .map_err(|error| format!("{error:#}"))?;
                exchange::check(step, &reply, &names)?;
                contract::check(document, step, &reply)?;
                Ok::<_, String>(reply)
            };
            let place =
                || format!("step {}, time {}, {} {}", at + 1, turn + 1, step.method, step.path);
            let reply = run().map_err(|why| format!("{}: {why}", place()))?;
            exchange::capture(step, &reply, &mut names)
                .map_err(|why| format!("{}: {why}", place()))?;
        }
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("tests/conformance")
}
