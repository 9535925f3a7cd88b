//! `dossier eval` as scripts and CI use it: its JSON, its comparisons, and the floors of quality.

use std::{collections::BTreeMap, fs, path::Path, process::Output};

use dossier_tests::{encoder, root};
use serde_json::Value;

use crate::cli::{dossier, text};

/// A collection whose figures are kept in `TINY_REPORT`; lexical, so that no model is needed.
const TINY: [&str; 6] = ["eval", "tests/evals/tiny", "--split", "all", "--model", "no/such/folder"];
const TINY_REPORT: &str = "tests/evals/tiny.json";
const FLOORS: &str = "data/eval/floors.json";

fn tiny(more: &[&str]) -> Output {
    dossier(&[&TINY, more].concat())
}

fn json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_report_of_a_small_collection_is_as_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (report, page, markdown) = (at("report.json"), at("report.html"), at("report.md"));
    let output = tiny(&["--json", &report, "--html", &page, "--markdown", &markdown, "--failures"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (got, kept) = (json(Path::new(&report)), json(&root().join(TINY_REPORT)));
    let again = [&TINY, &["--json", TINY_REPORT][..]].concat().join(" ");
    assert!(got == kept, "{got:#}\nif this is right: dossier {again}");
    let said = text(&output.stdout);
    assert!(said.contains("tiny pipes (two_document): How many pipes"), "{said}");
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(fs::read_to_string(&markdown).unwrap().contains("| single_fact | 2 |"));
}

#[test]
fn what_fell_is_named_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baseline.json");
    let mut baseline = json(&root().join(TINY_REPORT));
    let all = &mut baseline["collections"][0]["all"];
    all["facts"]["mean"] = 1.0.into();
    all["recall@1"]["mean"] = 0.5.into();
    fs::write(&file, baseline.to_string()).unwrap();
    let output = tiny(&["--baseline", file.to_str().unwrap()]);
    let (said, failed) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{failed}");
    assert!(failed.contains("quality fell") && failed.contains("tiny facts: 1.000 → "), "{failed}");
    assert!(said.contains("better: tiny recall@1: 0.500 → ") && !failed.contains("recall@1"));
    let output = tiny(&["--baseline", TINY_REPORT, "--tolerance", "0"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn floors_are_raised_and_then_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("floors.json");
    let floors = file.to_str().unwrap();
    let output = tiny(&["--floors", floors, "--raise"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("raised tiny facts: none → "));
    let mut higher = json(&file);
    higher["all"]["tiny"]["floors"]["facts"] = 0.99.into();
    fs::write(&file, higher.to_string()).unwrap();
    for more in [&["--floors", floors][..], &["--floors", floors, "--raise"]] {
        let output = tiny(more);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("tiny facts: "), "{}", text(&output.stderr));
    }
    assert_eq!(json(&file), higher, "a floor was lowered");
}

#[test]
fn nothing_to_measure_is_said() {
    for (arguments, words) in [
        (&["eval", "no/such/cases.json"][..], "no/such/cases.json"),
        (&["eval", "core"], "nothing to measure in core"),
        (&["eval", "tests/evals/tiny", "--split", "none"], "no case of the split none in tiny"),
        (&["eval", "--mode", "best"], "expected bm25"),
        (&["eval", "--raise"], "--floors"),
        (&["eval", "tests/evals/tiny", "--split", "all", "--floors", "no.json"], "no.json"),
        (&["eval", "tests/evals/tiny", "--split", "all", "--baseline", "Cargo.toml"], "Cargo.toml"),
    ] {
        let output = dossier(arguments);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(words), "{arguments:?}: {said}");
    }
}

/// The floors hold on the sample and on every collection beside it, and each has some.
#[test]
fn quality_is_above_its_floors() {
    if let Err(problem) = encoder() {
        println!("SKIP floors of quality: {problem:#}");
        return;
    }
    let floors = json(&root().join(FLOORS));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    for split in ["dev", "test"] {
        let report = file.to_str().unwrap();
        let output = dossier(&["eval", "--split", split, "--floors", FLOORS, "--json", report]);
        assert!(output.status.success(), "{split}: {}", text(&output.stderr));
        let report = json(&file);
        let measured: BTreeMap<&str, &Value> = report["collections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|summary| (summary["name"].as_str().unwrap(), summary))
            .collect();
        for (name, summary) in measured {
            let floors = &floors[split][name]["floors"];
            assert!(floors["ndcg@10"].is_number(), "{split}, {name}: {floors}");
            println!("{split} {name}: nDCG@10 {}", summary["all"]["ndcg@10"]["mean"]);
        }
    }
}
