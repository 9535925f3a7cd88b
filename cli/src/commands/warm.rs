//! `dossier warm`: puts questions to a running service, so that whoever asks them next gets the
//! answers kept.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use reqwest::{
    StatusCode, Url,
    blocking::Client,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use serde_json::{Value, json};

use crate::output::{Failure, Outcome, say};

/// Variable of the environment with the key: unlike an argument, other users cannot read it.
const KEY: &str = "DOSSIER_API_KEY";
/// The route that begins no conversation: a limit on those of an address is for visitors.
const ROUTE: &str = "/chat/simple";
/// How long one answer may take: the service ends one at 25 s, and may be starting.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long one question may wait for limits: those of providers count by the minute.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// When an answer is asked for again that had to do without a model, and so is not kept.
const PAUSE: Duration = Duration::from_secs(15);
/// Named in `degraded` where a model should have answered.
const MODEL: &str = "llm";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The service
    #[arg(long, default_value = "http://127.0.0.1:3000", value_name = "URL")]
    url: String,
    /// Its API key; else the one in DOSSIER_API_KEY
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Seconds that one question may wait for limits, the service's own and its providers'
    #[arg(long, default_value_t = PATIENCE.as_secs(), value_name = "SECONDS")]
    patience: u64,
    /// One question a line; # begins a comment
    #[arg(default_value = "data/questions.txt", value_name = "FILE")]
    questions: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let questions = read(&arguments.questions)?;
    let key = arguments.key.clone().or_else(|| std::env::var(KEY).ok());
    let patience = Duration::from_secs(arguments.patience);
    Warmer::new(&arguments.url, key.as_deref(), patience)?.ask_all(&questions)
}

/// The questions in a file.
pub(crate) fn read(file: &Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string());
    let questions = questions(&text.map_err(Failure::usage)?);
    match questions.is_empty() {
        true => Err(Failure::usage(anyhow!("{}: no question in it", file.display()))),
        false => Ok(questions),
    }
}

fn questions(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// A client of one service.
pub(crate) struct Warmer {
    client: Client,
    address: Url,
    key: Option<HeaderValue>,
    patience: Duration,
}

impl Warmer {
    /// For the service at `url`.
    ///
    /// # Errors
    /// No address, or a key that no header can carry.
    pub(crate) fn new(url: &str, key: Option<&str>, patience: Duration) -> Result<Self, Failure> {
        let address = Url::parse(&format!("{}{ROUTE}", url.trim_end_matches('/')));
        let address = address.ok().filter(|it| ["http", "https"].contains(&it.scheme()));
        let expected = || anyhow!("--url: expected http or https://host[:port], got {url:?}");
        let address = address.ok_or_else(|| Failure::usage(expected()))?;
        // The value stays out of the message: it is a secret.
        let key = key.map(|key| HeaderValue::from_str(key.trim()));
        let key = key.transpose().map_err(|_| {
            Failure::usage(anyhow!("the key: expected visible ASCII, got something else"))
        })?;
        // A second call finds the provider installed and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client, address, key, patience })
    }

    /// Asks one after the other, and prints a line a question.
    ///
    /// # Errors
    /// A question was not answered. A service that cannot be reached, or refuses the key, is asked
    /// no further.
    pub(crate) fn ask_all(&self, questions: &[String]) -> Outcome {
        let mut failed = 0;
        for question in questions {
            let started = Instant::now();
            let answered = self.ask(question)?;
            let seconds = started.elapsed().as_secs_f64();
            failed += usize::from(answered.is_err());
            say!("{}", line(question, seconds, &answered));
        }
        match failed {
            0 => Ok(()),
            _ => Err(anyhow!("{failed} of {} questions were not answered", questions.len()).into()),
        }
    }

    /// Asks until the answer is as good as it gets. The inner error is of this question alone.
    fn ask(&self, question: &str) -> Result<Result<Value, String>, Failure> {
        let end = Instant::now() + self.patience;
        loop {
            let reply = match self.send(question) {
                Ok(reply) => reply,
                Err(error) if error.is_connect() => {
                    return Err(anyhow!("{}: nobody answers: {error}", self.address).into());
                }
                Err(error) => return Ok(Err(error.to_string())),
            };
            if [StatusCode::UNAUTHORIZED, StatusCode::MISDIRECTED_REQUEST].contains(&reply.status) {
                let said = told(&reply);
                return Err(Failure::usage(anyhow!("{said}; give the key with --key or {KEY}")));
            }
            match wait(&reply).filter(|wait| Instant::now() + *wait < end) {
                Some(wait) => thread::sleep(wait),
                None if reply.status.is_success() => return Ok(Ok(reply.body)),
                None => return Ok(Err(told(&reply))),
            }
        }
    }

    fn send(&self, question: &str) -> reqwest::Result<Reply> {
        let mut request = self.client.post(self.address.clone());
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        let body = json!({ "question": question }).to_string();
        let reply = request.header(CONTENT_TYPE, "application/json").body(body).send()?;
        let (status, after) = (reply.status(), reply.headers().get(RETRY_AFTER).cloned());
        let retry_after = after.and_then(|it| it.to_str().ok()?.parse().ok());
        let body = serde_json::from_str(&reply.text()?).unwrap_or_default();
        Ok(Reply { status, retry_after: retry_after.map(Duration::from_secs), body })
    }
}

/// What the service replied.
struct Reply {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Value,
}

/// When the same question is worth asking again; `None` where the reply is the last word.
fn wait(reply: &Reply) -> Option<Duration> {
    let lacks = |part: &str| {
        let parts = reply.body["degraded"].as_array();
        parts.is_some_and(|parts| parts.iter().any(|it| it == part))
    };
    match reply.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => reply.retry_after,
        StatusCode::OK if lacks(MODEL) => Some(PAUSE),
        _ => None,
    }
}

fn told(reply: &Reply) -> String {
    let detail = reply.body["detail"].as_str().unwrap_or("no reason given");
    format!("status {}: {detail}", reply.status.as_u16())
}

/// `   0.41 s  groq        new     grounded    Where was she born?`
fn line(question: &str, seconds: f64, answered: &Result<Value, String>) -> String {
    match answered {
        Ok(answer) => {
            let provider = answer["provider"].as_str().unwrap_or("unknown");
            let cached = if answer["cached"] == true { "cached" } else { "new" };
            let grounded = if answer["grounded"] == true { "grounded" } else { "ungrounded" };
            format!("{seconds:>7.2} s  {provider:<10}  {cached:<6}  {grounded:<10}  {question}")
        }
        Err(reason) => format!("{seconds:>7.2} s  failed: {reason}  {question}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_no_questions() {
        let text = "# a comment\n\n  Who was she? \r\n\t# another\nWhere # was she born?\n";
        assert_eq!(questions(text), ["Who was she?", "Where # was she born?"]);
    }

    #[test]
    fn what_may_be_better_later_is_asked_again() {
        let check = |status: u16, retry_after: Option<u64>, body: Value, expected: Option<u64>| {
            let status = StatusCode::from_u16(status).unwrap();
            let reply = Reply { status, retry_after: retry_after.map(Duration::from_secs), body };
            assert_eq!(wait(&reply), expected.map(Duration::from_secs));
        };
        check(200, None, json!({"degraded": []}), None);
        check(200, None, json!({"degraded": ["dense"]}), None);
        check(200, None, json!({"degraded": ["dense", "llm"]}), Some(15));
        check(429, Some(7), Value::Null, Some(7));
        check(503, Some(5), Value::Null, Some(5));
        check(503, None, Value::Null, None);
        check(422, Some(7), Value::Null, None);
        check(500, None, Value::Null, None);
    }

    #[test]
    fn a_line_tells_how_it_went() {
        let answer = json!({"provider": "groq", "cached": true, "grounded": true});
        let expected = "   0.41 s  groq        cached  grounded    Who?";
        assert_eq!(line("Who?", 0.412, &Ok(answer)), expected);
        let expected = "  12.00 s  extractive  new     ungrounded  Why?";
        assert_eq!(line("Why?", 12.0, &Ok(json!({"provider": "extractive"}))), expected);
        let refused = Err("status 500: no reason given".to_owned());
        assert_eq!(
            line("Why?", 1.0, &refused),
            "   1.00 s  failed: status 500: no reason given  Why?"
        );
    }

    #[test]
    fn bad_addresses_and_keys_are_the_caller_s_fault() {
        let check = |url: &str, key: &str, words: &str| {
            let failure = Warmer::new(url, Some(key), PAUSE).err().unwrap();
            let said = failure.error.to_string();
            assert!(failure.code == crate::output::USAGE && said.contains(words), "{said}");
            assert!(!said.contains("secret"), "{said}");
        };
        check("127.0.0.1:3000", "k", "expected http or https");
        check("ftp://127.0.0.1", "k", "expected http or https");
        check("http://127.0.0.1", "sec\nret", "visible ASCII");
    }
}
