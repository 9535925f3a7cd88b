//! Fuzzing: the targets in `fuzz/`, each run for some seconds from its corpus.
//!
//! What the fuzzer finds on its way is kept in the user's cache and the next run starts from it too;
//! what of it belongs to the repository is for people to choose, see `fuzz/README.md`. Left to the
//! tests: that the corpus in the repository does no harm, which needs no fuzzer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::shell::{Task, headline, skip};
use crate::tool;
use crate::workspace::{Workspace, newest_change};

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The target, such as pdf; all of them where none is named
    target: Option<String>,
    /// Seconds for each target, from 1 to a day
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=MAX_SECONDS))]
    seconds: u64,
}

/// Builds the targets and runs one after the other.
///
/// # Errors
///
/// When a target is unknown or does not build, or an input fails: the others are run all the same.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let targets = chosen(targets(&workspace.path(TARGETS))?, options.target.as_deref())?;
    let fuzzer = Fuzzer::prepare(workspace)?;
    headline("fuzz", "building");
    for target in &targets {
        fuzzer.task("build", target).run()?;
    }
    let mut failed = Vec::new();
    for target in &targets {
        headline(target, &format!("running for {} s", options.seconds));
        match fuzzer.fuzz(target, options.seconds) {
            Ok(figures) => headline(target, &figures),
            Err(problem) => {
                headline(target, &format!("failed: {problem:#}"));
                failed.push(target.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "inputs that fail: {}\n  what to do: they are in fuzz/artifacts; make each a test beside \
         what it breaks, then mend that",
        failed.join(", ")
    )
}

/// The names of the targets, in order.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let files = entries.flatten().map(|entry| entry.path());
    let files = files.filter(|file| file.extension().is_some_and(|ending| ending == "rs"));
    let mut names: Vec<String> =
        files.filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}

fn chosen(all: Vec<String>, named: Option<&str>) -> Result<Vec<String>> {
    match named {
        None => Ok(all),
        Some(name) if all.iter().any(|it| it == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("no fuzz target {name:?}: expected one of {}", all.join(", ")),
    }
}

/// cargo-fuzz, and how it is called here.
struct Fuzzer {
    program: PathBuf,
    folder: PathBuf,
    cache: PathBuf,
    sanitizer: &'static str,
    is_stable: bool,
}

impl Fuzzer {
    fn prepare(workspace: &Workspace) -> Result<Self> {
        let (folder, cache) = (workspace.path("fuzz"), workspace.cache().join("fuzz"));
        // What is fuzzed is what the product is built from; cargo adds libFuzzer's own crates.
        let (ours, theirs) = (workspace.path("Cargo.lock"), folder.join("Cargo.lock"));
        if newest_change(&theirs) < newest_change(&ours) {
            fs::copy(&ours, &theirs).context("cannot copy Cargo.lock to fuzz")?;
        }
        let version = rustc(workspace, &["--version"])?;
        let sanitizer = match has_sanitizer(Path::new(rustc(workspace, SYSROOT)?.trim())) {
            true => "address",
            false => {
                skip("AddressSanitizer", "this compiler has no runtime for it");
                "none"
            }
        };
        let is_stable = !version.contains("nightly") && !version.contains("dev");
        let program = tool::find(workspace, "cargo-fuzz")?;
        Ok(Self { program, folder, cache, sanitizer, is_stable })
    }

    /// `cargo fuzz <command> <target>`, to which more arguments can be added.
    fn task(&self, command: &str, target: &str) -> Task {
        let task = Task::new(&self.program)
            .args(["fuzz", command, "--sanitizer", self.sanitizer, target])
            .folder(&self.folder);
        // The flags that fuzzing needs are for the nightly compiler, unless it is told otherwise.
        if self.is_stable { task.env("RUSTC_BOOTSTRAP", "1") } else { task }
    }

    /// Runs a target and tells how far it came.
    fn fuzz(&self, target: &str, seconds: u64) -> Result<String> {
        let found = self.cache.join(target);
        fs::create_dir_all(&found)
            .with_context(|| format!("cannot create a folder: {}", found.display()))?;
        let log = self.cache.join(format!("{target}.log"));
        self.task("run", target)
            .arg(&found)
            .arg(self.folder.join("corpus").join(target))
            .args(["--", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"])
            .arg(format!("-max_total_time={seconds}"))
            // Of cargo-fuzz's own way to its end nobody wants to know.
            .without_env("RUST_BACKTRACE")
            .run_within(Duration::from_secs(seconds) + REST, &log)
            .with_context(|| reason(&said(&log)))?;
        Ok(figures(&said(&log), seconds))
    }
}

fn said(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// Why a run ended, in libFuzzer's or the sanitizer's words.
fn reason(log: &str) -> String {
    let told = log.lines().find_map(|line| Some(line.split_once("ERROR: ")?.1.trim().to_owned()));
    told.unwrap_or_else(|| "it did not run to its end".to_owned())
}

/// What libFuzzer says of a run that went well.
fn figures(log: &str, seconds: u64) -> String {
    let last = |mark: &str| {
        let after = log.rsplit_once(mark)?.1;
        after.split_whitespace().next().map(str::to_owned)
    };
    let executions = last("stat::number_of_executed_units:").unwrap_or_else(|| "?".to_owned());
    let edges = last(" cov: ").unwrap_or_else(|| "?".to_owned());
    format!("{executions} inputs in {seconds} s, {edges} edges, none fails")
}

fn rustc(workspace: &Workspace, args: &[&str]) -> Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Task::new(program).args(args).folder(workspace.root()).quiet().read()
}

/// Whether the compiler comes with AddressSanitizer's runtime.
fn has_sanitizer(target_libraries: &Path) -> bool {
    let beside = target_libraries.parent().and_then(|folder| folder.parent());
    let folders = [Some(target_libraries), target_libraries.parent(), beside];
    let entries = folders.into_iter().flatten().flat_map(fs::read_dir).flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("_rt.asan"))
}

/// The targets' sources, below the repository.
const TARGETS: &str = "fuzz/fuzz_targets";

/// How rustc is asked where its libraries are.
const SYSROOT: &[&str] = &["--print", "target-libdir"];

/// Longest run of a target: whoever means more than a day starts it again, from what it found.
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// What a run may take beyond its seconds: it starts by reading the corpus, and ends with the input
/// at hand, for which it has 20 seconds.
const REST: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_the_last_that_were_said() {
        let log = "#2\tINITED cov: 11 ft: 12 corp: 1/1b\n#9\tDONE   cov: 31 ft: 40 corp: 2/9b\n\
                   stat::number_of_executed_units: 4711\nstat::peak_rss_mb: 99\n";
        assert_eq!(figures(log, 60), "4711 inputs in 60 s, 31 edges, none fails");
        assert_eq!(figures("", 1), "? inputs in 1 s, ? edges, none fails");
    }

    #[test]
    fn reason_is_the_first_error() {
        let log = "#2\tINITED\n==7== ERROR: libFuzzer: timeout after 21 seconds\n    #0 0x1 in a\n";
        assert_eq!(reason(log), "libFuzzer: timeout after 21 seconds");
        assert_eq!(reason("#2"), "it did not run to its end");
    }

    #[test]
    fn unknown_targets_are_refused_with_the_known() {
        let all = || vec!["csv".to_owned(), "pdf".to_owned()];
        assert_eq!(chosen(all(), None).unwrap(), ["csv", "pdf"]);
        assert_eq!(chosen(all(), Some("pdf")).unwrap(), ["pdf"]);
        let problem = chosen(all(), Some("odt")).unwrap_err().to_string();
        assert_eq!(problem, "no fuzz target \"odt\": expected one of csv, pdf");
    }
}
