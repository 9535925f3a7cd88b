//! Trains the guard's classifier, or measures the guard: `train`, or `eval [--control | --control2] [--check]
//! [--failures]`. `--control` takes the cases that were written last and measured once.
//!
//! Run in the workspace's root.
#![expect(clippy::disallowed_methods, reason = "a program has files and arguments, core has none")]
#![expect(clippy::print_stdout, reason = "its output is the report")]

use std::{env, error::Error, fs, process::ExitCode};

use dossier_core::{
    guard::{
        ENCODER,
        training::{Cases, Layer, Measurement, Rate, examples, teach, train},
    },
    model::{Encoder, ModelFiles},
};

/// What issue and documentation promise: attacks that succeed, honest texts refused.
const TARGETS: (f64, f64) = (0.01, 0.02);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    match arguments.first().map(String::as_str) {
        Some("train") => train_and_write(),
        Some("eval") => {
            let set = ["control2", "control"].into_iter().find(|set| has(&format!("--{set}")));
            evaluate(set, has("--check"), has("--failures"))
        }
        _ => {
            println!(
                "usage: guard train | guard eval [--control | --control2] [--check] [--failures]"
            );
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
    let encoder = encoder()?.ok_or("no model to encode with: run `cargo xtask model`")?;
    let encode = |text: &str| encoder.encode_tokens(text).ok();
    let taught = teach(&examples, &trained.scores, trained.sure, encode);
    let taught = taught.ok_or("the model gives no vectors of the length expected")?;
    fs::write("core/src/guard/semantic.bin", &taught.file)?;
    println!(
        "meaning: {} bytes, attacks found alone {}; with words: threshold {:.3}, attacks found {}, honest refused {}",
        taught.file.len(),
        show(taught.alone),
        taught.threshold,
        show(taught.found),
        show(taught.refused)
    );
    Ok(ExitCode::SUCCESS)
}

/// The encoder, where its model lies under `DOSSIER_MODEL_DIR` or where `cargo xtask model` puts it.
fn encoder() -> Result<Option<Encoder>, Box<dyn Error>> {
    let folder = env::var("DOSSIER_MODEL_DIR").or_else(|_| {
        env::var("HOME").map(|home| format!("{home}/.cache/dossier/models/{ENCODER}.3"))
    })?;
    let Ok(files) = ModelFiles::read(ENCODER, |name| fs::read(format!("{folder}/{name}"))) else {
        return Ok(None);
    };
    Ok(Some(Encoder::open(files)?))
}

fn evaluate(set: Option<&str>, check: bool, failures: bool) -> Result<ExitCode, Box<dyn Error>> {
    let prefix = format!("tests/guard/{}", set.map(|set| format!("{set}-")).unwrap_or_default());
    let attacks = fs::read_to_string(format!("{prefix}attacks.jsonl"))?;
    let honest = fs::read_to_string(format!("{prefix}benign.jsonl"))?;
    let encoder = encoder()?;
    if encoder.is_none() {
        println!("No model to encode with: the layer that reads meaning is silent.\n");
    }
    let encode = |text: &str| encoder.as_ref()?.encode_tokens(text).ok();
    let measurement = Measurement::of(&Cases::read(&attacks, &honest)?, encode);

    println!("| layer | precision | recall | honest refused |\n|---|---|---|---|");
    for (layer, (blocked, refused)) in &measurement.layers {
        let name = match layer {
            Layer::Patterns => "patterns",
            Layer::Classifier => "classifier",
            Layer::Meaning => "words and meaning",
            Layer::All => "all",
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
