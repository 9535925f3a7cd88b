//! `dossier eval`: retrieval, refusals and answers, measured on collections of cases.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use dossier_core::model::Encoder;

use crate::{
    eval::{
        baseline::{self, Comparison},
        collection::{Loader, Source},
        evidence,
        floors::Floors,
        report::{html, markdown, text},
        run::Run,
        stage::{self, STAGES},
        summary::Report,
    },
    model::folder,
    output::{Failure, Outcome, say},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure: files of cases, folders with docs/ and cases.json, BEIR folders, or folders
    /// of them; see data/eval/README.md [default: data/eval/cases.json and data/eval/collections]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The pack that files of cases are asked of; folders are indexed by themselves
    #[arg(long, default_value = "data/index.pack", value_name = "FILE")]
    pack: PathBuf,
    /// Which cases: dev, test or all
    #[arg(long, default_value = "test")]
    split: String,
    /// The stage whose passages are judged; answers are made with the default
    #[arg(long, default_value = stage::DEFAULT, value_name = "STAGE")]
    mode: String,
    /// Print each case that did not pass
    #[arg(long)]
    failures: bool,
    /// Print the features that the refusal decision is fitted on, as CSV, and nothing else
    #[arg(long)]
    evidence: bool,
    /// Write every figure as JSON, which --baseline reads
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the report as one HTML page with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Compare with a report that --json wrote before; exit with 1 where a figure fell
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// How far a figure may fall below the baseline
    #[arg(long, default_value_t = 0.01, value_name = "SHARE")]
    tolerance: f64,
    /// Check the floors in this file; exit with 1 where a figure is below
    #[arg(long, value_name = "FILE")]
    floors: Option<PathBuf>,
    /// Raise the floors to just below what was measured
    #[arg(long, requires = "floors")]
    raise: bool,
    /// Folder of the converted model [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let chosen = stage::position(&arguments.mode).ok_or_else(|| {
        Failure::usage(anyhow!("no stage {}: expected {}", arguments.mode, stage::listed()))
    })?;
    let sources = Source::find(&arguments.paths)?;
    let encoder = folder::open(arguments.model.as_deref())
        .inspect_err(|error| eprintln!("lexical search alone: {error:#}"))
        .ok();
    let loader =
        Loader { pack: &arguments.pack, split: &arguments.split, encoder: encoder.as_ref() };
    let mut runs = Vec::new();
    for source in &sources {
        runs.push(Run::of(source.load(&loader)?, encoder.as_ref(), chosen)?);
    }
    if arguments.evidence {
        say!("{}", evidence::csv(&runs).trim_end());
        return Ok(());
    }
    let model = encoder.as_ref().map(Encoder::id);
    let report = Report::of(&runs, &arguments.split, &STAGES[chosen], model);
    if arguments.failures {
        say!("{}", text::failures(&report));
    }
    say!("{}", text::render(&report));
    if let Some(file) = &arguments.json {
        write(file, &serde_json::to_string_pretty(&report)?)?;
    }
    if let Some(file) = &arguments.markdown {
        write(file, &markdown::render(&report))?;
    }
    if let Some(file) = &arguments.html {
        write(file, &html::render(&report))?;
    }
    let mut problems = Vec::new();
    if let Some(file) = &arguments.baseline {
        problems.extend(compare(file, &report, arguments.tolerance)?);
    }
    if let Some(file) = &arguments.floors {
        problems.extend(check_floors(file, &report, arguments.raise)?);
    }
    match problems.as_slice() {
        [] => Ok(()),
        problems => Err(anyhow!("quality fell:\n  {}", problems.join("\n  ")).into()),
    }
}

/// Says what rose since the baseline, and returns what fell.
fn compare(file: &Path, report: &Report, tolerance: f64) -> Result<Vec<String>, Failure> {
    let before = baseline::read(file).map_err(Failure::usage)?;
    let Comparison { fell, rose, compared } =
        baseline::compare(&before, report, tolerance).map_err(Failure::usage)?;
    say!("{compared} figures compared with {}", file.display());
    rose.iter().for_each(|line| say!("  better: {line}"));
    Ok(fell)
}

/// Returns the floors that are missed, after raising them if that is wanted.
fn check_floors(file: &Path, report: &Report, raise: bool) -> Result<Vec<String>, Failure> {
    let mut floors = match raise && !file.exists() {
        true => Floors::default(),
        false => Floors::read(file).map_err(Failure::usage)?,
    };
    if report.stage != stage::DEFAULT {
        say!("floors are not checked: they are of the stage {}", stage::DEFAULT);
        return Ok(Vec::new());
    }
    if raise {
        let raised = floors.raise(report);
        raised.iter().for_each(|line| say!("raised {line}"));
        write(file, &floors.to_json()?)?;
    }
    if !floors.has(&report.split) {
        say!("no floors of the split {}: --raise sets them", report.split);
    }
    Ok(floors.missed(report))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, format!("{}\n", text.trim_end()))
        .with_context(|| format!("cannot write {}", file.display()))
}
