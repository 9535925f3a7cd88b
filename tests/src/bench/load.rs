//! Many conversations at once, on the real host with the built components and a double of Groq:
//! errors, our own share of the time to the first token, memory, and what cached questions cost.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use dossier_host::{Limits, ReuseLimits};
use dossier_tests::{
    Server, ServerOptions,
    groq::{Groq, Options, Pace},
};
use serde_json::{Value, json};

/// Starts the application and talks to it.
#[derive(Parser)]
#[command(name = "bench load")]
struct Arguments {
    /// Conversations at the same time
    #[arg(long, default_value_t = 200)]
    conversations: usize,
    /// How long, in seconds
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// What the provider takes to its first token, in milliseconds
    #[arg(long, default_value_t = 200)]
    first_token_ms: u64,
    /// Tokens a second after that
    #[arg(long, default_value_t = 50.0)]
    tokens_per_second: f64,
    /// What a visitor reads and types between an answer and the next question, in milliseconds on
    /// average; half of it to half more
    #[arg(long, default_value_t = 5_000)]
    pause_ms: u64,
    /// Clients of the cached question
    #[arg(long, default_value_t = 4)]
    clients: usize,
}

/// Questions that the sample answers; each is asked with a number, so that no cache helps.
const QUESTIONS: [&str; 6] = [
    "When did she defend her doctoral thesis?",
    "Which prize did she receive in 1911?",
    "Who awarded her the Davy Medal?",
    "When was the Radium Institute in Warsaw opened?",
    "Where was Marie Curie born?",
    "Which languages did she speak?",
];
/// Requests of each of the two rates.
const REQUESTS: usize = 4_000;
/// Who asks the cached question.
const VISITORS: usize = 1_000;

/// What one conversation saw.
#[derive(Default)]
struct Seen {
    /// From the request to the first `token` event.
    first_tokens: Vec<Duration>,
    errors: Vec<String>,
}

pub(super) fn run(arguments: &[String]) -> Result<()> {
    let arguments = Arguments::parse_from([&["bench load".to_owned()], arguments].concat());
    let pace = Pace {
        first_token: Duration::from_millis(arguments.first_token_ms),
        tokens_per_second: arguments.tokens_per_second,
    };
    let groq = Groq::start_with(Options { pace, ..Options::default() })?;
    let server = Server::start_with(options(&groq))?;
    conversations(&server, &arguments)?;
    cached(&server, arguments.clients)
}

fn options(groq: &Groq) -> ServerOptions {
    let base = groq.base();
    let host = base.strip_suffix("/openai/v1").unwrap_or(&base).to_owned();
    let variables = [
        ("groq_api_key", "load"),
        ("groq_base_url", &base),
        ("llm_host", &host),
        ("guard_remote", "off"),
        ("groq_requests_per_minute", "none"),
        ("groq_requests_per_day", "none"),
        ("groq_tokens_per_minute", "none"),
        ("groq_tokens_per_day", "none"),
        ("llm_daily_tokens", "none"),
        ("llm_daily_cost_usd", "none"),
        ("session_queries_per_hour", "0"),
        ("sessions_per_address", "0"),
        ("sessions_total", "4000"),
        ("address_queries_per_hour", "0"),
        ("daily_questions", "0"),
    ];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let variables: BTreeMap<String, String> = variables.map(own).into();
    // As `dossier up` has it: instances stay while somebody talks to them.
    let reuse = ReuseLimits { idle: Duration::from_secs(60), ..ReuseLimits::default() };
    let limits = Limits { reuse, ..Limits::default() };
    ServerOptions { variables, limits, ..ServerOptions::default() }
}

fn conversations(server: &Server, arguments: &Arguments) -> Result<()> {
    let (base, done) = (server.base(), Arc::new(AtomicBool::new(false)));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    let tasks: Vec<_> = (0..arguments.conversations)
        .map(|number| {
            let (base, done, client) = (base.clone(), Arc::clone(&done), client.clone());
            let pause = arguments.pause_ms;
            runtime.spawn(async move { converse(&client, &base, number, pause, &done).await })
        })
        .collect();

    println!("{:>8} {:>14}", "seconds", "process, MiB");
    let started = Instant::now();
    let (mut first, mut last) = (None, 0.0);
    let step = Duration::from_secs((arguments.seconds / 12).max(1));
    while started.elapsed() < Duration::from_secs(arguments.seconds) {
        thread::sleep(step);
        last = resident()?;
        println!("{:>8} {last:>14.0}", started.elapsed().as_secs());
        // What instances take at first is no growth.
        if first.is_none() && started.elapsed().as_secs() * 3 >= arguments.seconds {
            first = Some(last);
        }
    }
    done.store(true, Ordering::Relaxed);
    let seen = runtime.block_on(async {
        let mut all = Seen::default();
        for task in tasks {
            let seen = task.await?;
            all.first_tokens.extend(seen.first_tokens);
            all.errors.extend(seen.errors);
        }
        anyhow::Ok(all)
    })?;

    let mut own: Vec<Duration> = seen
        .first_tokens
        .iter()
        .map(|it| it.saturating_sub(Duration::from_millis(arguments.first_token_ms)))
        .collect();
    own.sort();
    let at = |share: f64| {
        own.get(((own.len() - 1) as f64 * share) as usize).copied().unwrap_or_default()
    };
    ensure!(!own.is_empty(), "no answer came: {:?}", seen.errors.first());
    println!("answers {}, errors {}", own.len(), seen.errors.len());
    for error in seen.errors.iter().take(5) {
        println!("  {error}");
    }
    println!(
        "to the first token beyond the provider's {} ms: p50 {:.1} ms, p99 {:.1} ms",
        arguments.first_token_ms,
        at(0.5).as_secs_f64() * 1e3,
        at(0.99).as_secs_f64() * 1e3
    );
    if arguments.tokens_per_second > 0.0 {
        // Its first event has no word yet, and a word is whole when the next one begins.
        let begun = 2e3 / arguments.tokens_per_second;
        println!("  of which {begun:.0} ms are the provider's, until the first word is whole");
    }
    println!("answers a second: {:.1}", own.len() as f64 / started.elapsed().as_secs_f64());
    println!(
        "memory after a third of the time and at the end: {:.0} and {last:.0} MiB",
        first.unwrap_or(last)
    );
    Ok(())
}

async fn converse(
    client: &reqwest::Client,
    base: &str,
    number: usize,
    pause_ms: u64,
    done: &AtomicBool,
) -> Seen {
    let mut seen = Seen::default();
    let mut session: Option<String> = None;
    // Visitors come and read each at a pace of his own, not all at the same moment.
    let pause = |turn: usize| {
        let share = (number * 37 + turn * 61) % 101;
        Duration::from_millis(pause_ms * (50 + share as u64) / 100)
    };
    tokio::time::sleep(pause(0)).await;
    for turn in 0.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let question = QUESTIONS[(number + turn) % QUESTIONS.len()];
        let question = format!("{question} (visitor {number}, question {turn})");
        match ask(client, base, &question, session.as_deref()).await {
            Ok((first, id)) => {
                seen.first_tokens.push(first);
                session = Some(id);
            }
            Err(error) => seen.errors.push(format!("{error:#}")),
        }
        tokio::time::sleep(pause(turn)).await;
    }
    seen
}

/// Asks; returns the time to the first token and the conversation's id, once the answer is whole.
async fn ask(
    client: &reqwest::Client,
    base: &str,
    question: &str,
    session: Option<&str>,
) -> Result<(Duration, String)> {
    let body = json!({"question": question, "session_id": session});
    let started = Instant::now();
    let request = client.post(format!("{base}/chat/stream"));
    let request = request.header("content-type", "application/json").body(body.to_string());
    let mut reply = request.send().await?;
    let status = reply.status();
    let (mut text, mut first) = (String::new(), None);
    while let Some(piece) = reply.chunk().await? {
        text.push_str(&String::from_utf8_lossy(&piece));
        if first.is_none() && text.contains("event: token") {
            first = Some(started.elapsed());
        }
    }
    ensure!(status == 200, "status {status}: {text}");
    if !text.ends_with("event: done\ndata: \n\n") {
        bail!(
            "the stream ends with: {}",
            text.lines().rev().take(3).collect::<Vec<_>>().join(" | ")
        );
    }
    ensure!(!text.contains("event: fallback"), "another provider took over");
    let metadata =
        text.lines().find_map(|line| line.strip_prefix("data: {")).context("no metadata")?;
    let metadata: Value = serde_json::from_str(&format!("{{{metadata}"))?;
    let id = metadata["session_id"].as_str().context("no session")?.to_owned();
    Ok((first.context("no token")?, id))
}

/// Rates of a cached question and of the health route, and the time of a cached answer.
fn cached(server: &Server, clients: usize) -> Result<()> {
    // Visitors have conversations of their own, no more than the ledger takes.
    let visitor = AtomicUsize::new(0);
    let body = || {
        let visitor = visitor.fetch_add(1, Ordering::Relaxed) % VISITORS;
        json!({"question": QUESTIONS[0], "session_id": format!("visitor-{visitor}")})
    };
    let mut times = Vec::new();
    for _ in 0..200 {
        let started = Instant::now();
        let reply = server.post("/chat", &body())?;
        ensure!(reply.status == 200, "{}", reply.body);
        times.push((started.elapsed(), reply.json()["cached"] == true));
    }
    let mut hits: Vec<Duration> =
        times.iter().filter(|(_, hit)| *hit).map(|(time, _)| *time).collect();
    hits.sort();
    ensure!(!hits.is_empty(), "nothing was cached");
    println!(
        "cached answer, whole request: p50 {:.2} ms, p99 {:.2} ms",
        hits[hits.len() / 2].as_secs_f64() * 1e3,
        hits[hits.len() * 99 / 100].as_secs_f64() * 1e3
    );
    let chat = rate(clients, || Ok(server.post("/chat", &body())?.status))?;
    let health = rate(clients, || Ok(server.get("/health")?.status))?;
    println!(
        "requests a second, {clients} clients: cached question {chat:.0}, health {health:.0}, ratio {:.2}",
        chat / health
    );
    Ok(())
}

fn rate(clients: usize, request: impl Fn() -> Result<u16> + Sync) -> Result<f64> {
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let client = || -> Result<()> {
        while next.fetch_add(1, Ordering::Relaxed) < REQUESTS {
            let status = request()?;
            ensure!(status == 200, "status {status}");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        clients
            .into_iter()
            .try_for_each(|it| it.join().unwrap_or_else(|_| bail!("a client panicked")))
    })?;
    Ok(REQUESTS as f64 / started.elapsed().as_secs_f64())
}

/// Resident memory of this process, host and double included, in MiB.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes / 1024.0)
}
