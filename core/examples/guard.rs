//! Trains the guard's classifier, or measures the guard: `train`, or `eval [--check] [--failures]`.
//!
//! Run in the workspace's root.
#![expect(clippy::disallowed_methods, reason = "a program has files and arguments, core has none")]
#![expect(clippy::print_stdout, reason = "its output is the report")]

use std::{env, error::Error, fs, process::ExitCode};

use dossier_core::guard::training::{Cases, Layer, Measurement, Rate, examples, train};

/// What issue and documentation promise: attacks that succeed, honest texts refused.
const TARGETS: (f64, f64) = (0.01, 0.02);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    match arguments.first().map(String::as_str) {
        Some("train") => train_and_write(),
        Some("eval") => evaluate(has("--check"), has("--failures")),
        _ => {
            println!("usage: guard train | guard eval [--check] [--failures]");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn train_and_write() -> Result<ExitCode, Box<dyn Error>> {
    let data = fs::read_to_string("data/guard/train.tsv")?;
    let examples = examples(&data)?;
    let trained = train(&examples);
    fs::write("core/src/guard/classifier.bin", &trained.file)?;
    println!("{} texts, {} bytes; on folds left out:", examples.len(), trained.file.len());
    for (at, what) in ["questions", "documents"].into_iter().enumerate() {
        println!(
            "{what}: threshold {:.3}, attacks found {}, honest refused {}",
            trained.thresholds[at],
            show(trained.found[at]),
            show(trained.refused[at])
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn evaluate(check: bool, failures: bool) -> Result<ExitCode, Box<dyn Error>> {
    let attacks = fs::read_to_string("tests/guard/attacks.jsonl")?;
    let honest = fs::read_to_string("tests/guard/benign.jsonl")?;
    let measurement = Measurement::of(&Cases::read(&attacks, &honest)?);

    println!("| layer | precision | recall | honest refused |\n|---|---|---|---|");
    for (layer, (blocked, refused)) in &measurement.layers {
        let name = match layer {
            Layer::Patterns => "patterns",
            Layer::Classifier => "classifier",
            Layer::Both => "both",
        };
        let precision = Rate { hits: blocked.hits, of: blocked.hits + refused.hits };
        println!("| {name} | {} | {} | {} |", show(precision), show(*blocked), show(*refused));
    }
    println!("\n| cases | group | succeed or refused |\n|---|---|---|");
    for ((kind, group), rate) in measurement.succeeded.iter().chain(&measurement.refused) {
        println!("| {kind} | {group} | {} |", show(*rate));
    }
    let [prompt, answer] = measurement.without;
    println!(
        "\nplanted: reach the prompt {}, pass or need no check of the answer {}",
        show(prompt),
        show(answer)
    );
    let (succeeded, refused) = (measurement.all_succeeded(), measurement.all_refused());
    println!("attacks that succeed: {}; honest texts refused: {}", show(succeeded), show(refused));
    if failures {
        println!("{}", measurement.failures.join(" "));
    }
    let met = succeeded.share() <= TARGETS.0 && refused.share() <= TARGETS.1;
    Ok(if check && !met { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(rate: Rate) -> String {
    format!("{:.1} % ({} of {})", 100.0 * rate.share(), rate.hits, rate.of)
}
