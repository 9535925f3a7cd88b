//! `fake-groq`: the double of Groq, by hand.
#![expect(clippy::print_stdout, reason = "a command line tool talks to the terminal")]

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use clap::Parser;
use dossier_tests::groq::{Groq, Options, Pace, SCENARIOS, Scenario};

/// Answers chat completions as Groq does, well or badly. A question may name its scenario, as in
/// "Which medal? #cut".
#[derive(Parser)]
#[command(name = "cargo xtask fake-groq", after_help = scenarios())]
struct Arguments {
    /// Port to listen on
    #[arg(long, default_value_t = 8411)]
    port: u16,
    /// Milliseconds to the first token
    #[arg(long, default_value_t = 200)]
    first_token_ms: u64,
    /// Tokens a second after that; 0 for as many as can be sent
    #[arg(long, default_value_t = 50.0)]
    tokens_per_second: f64,
    /// What happens where neither the question nor the script says so
    #[arg(long, default_value = "ok")]
    scenario: Scenario,
    /// JSON file with entries such as {"when": "medal", "scenario": "cut"}; those without "when" are
    /// used up in order
    #[arg(long)]
    script: Option<PathBuf>,
    /// A model that is no longer served; may be given several times
    #[arg(long)]
    withdrawn: Vec<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let script = match &arguments.script {
        None => Default::default(),
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            serde_json::from_str(&text).with_context(|| path.display().to_string())?
        }
    };
    let groq = Groq::start_with(Options {
        port: arguments.port,
        pace: Pace {
            first_token: Duration::from_millis(arguments.first_token_ms),
            tokens_per_second: arguments.tokens_per_second.max(0.0),
        },
        always: arguments.scenario,
        script,
        marked: true,
        withdrawn: arguments.withdrawn,
    })
    .with_context(|| format!("port {}; choose another with --port", arguments.port))?;
    println!("listening on {}", groq.base());
    println!("start the application with SPIN_VARIABLE_GROQ_BASE_URL={}", groq.base());
    println!("and SPIN_VARIABLE_LLM_HOST={}", groq.base().trim_end_matches("/openai/v1"));
    println!("and any SPIN_VARIABLE_GROQ_API_KEY; stop with Ctrl-C");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(tokio::signal::ctrl_c())?)
}

fn scenarios() -> String {
    let lines = SCENARIOS.iter().map(|(name, what)| format!("  {name:<22}{what}\n"));
    format!("Scenarios:\n{}", lines.collect::<String>())
}
