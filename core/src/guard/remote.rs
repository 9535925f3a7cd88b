//! Prompt Guard 2, a classifier that Groq serves: a second opinion on a question.
//!
//! A signal and nothing more: whatever goes wrong, or takes too long, there is none, and the local
//! layers decide alone. Verdicts are worth keeping for a while; that is the caller's business.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    policy::{SettingFault, number},
    ports::{Body as _, Config, Http, HttpError, HttpRequest, Timeouts},
};

/// Variable: `auto` asks where there is a key, `off` never.
const REMOTE: &str = "guard_remote";
/// Variable with the model.
const MODEL: &str = "guard_model";
/// Variable with the time that the signal may take, in milliseconds.
const TIMEOUT: &str = "guard_timeout_ms";
/// Variable with Groq's key, the one of the answers.
const KEY: &str = "groq_api_key";
/// Variable with the address of Groq's interface, the one of the answers.
const BASE_URL: &str = "groq_base_url";

const DEFAULT_BASE_URL: &str = "https://api.groq.com/openai/v1";
/// The two that Meta published: the larger knows eight languages, the smaller English alone.
const MODELS: [&str; 2] =
    ["meta-llama/llama-prompt-guard-2-86m", "meta-llama/llama-prompt-guard-2-22m"];
/// The answer waits for it, so it gets what a visitor does not notice yet.
const DEFAULT_TIMEOUT_MS: u64 = 600;
/// Characters that are sent: the models read 512 tokens, which no longer text fits.
const MAX_CHARS: usize = 2_000;
/// Largest reply read, in bytes; a number and its wrapping take 600.
const MAX_REPLY_BYTES: usize = 16 * 1024;

/// What Prompt Guard says of a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    /// Probability that it is an attack, 0 to 1; 0 or 1 where the model named only a label.
    pub score: f32,
}

/// The service, as configured.
#[derive(Clone, Debug)]
pub struct Remote {
    uri: http::Uri,
    headers: http::HeaderMap,
    model: &'static str,
    timeout: Duration,
}

impl Remote {
    /// Reads `guard_remote` (`auto` or `off`, default `auto`), `guard_model`
    /// (`meta-llama/llama-prompt-guard-2-86m` or `-22m`, default `-86m`), `guard_timeout_ms` (50 to
    /// 5 000, default 600), `groq_api_key` and `groq_base_url`.
    ///
    /// `None` where it is off, has no key, or its address is below `.invalid`, which no service can
    /// have (RFC 6761).
    ///
    /// # Errors
    /// [`SettingFault`] for a value that a variable cannot have.
    pub async fn configured(config: &impl Config) -> Result<Option<Self>, SettingFault> {
        let bad = |name, expected: &str, got: &str| SettingFault::Bad {
            name,
            expected: expected.to_owned(),
            got: got.to_owned(),
        };
        match config.get(REMOTE).await?.as_deref() {
            None | Some("auto") => {}
            Some("off") => return Ok(None),
            Some(got) => return Err(bad(REMOTE, "auto or off", got)),
        }
        let model = match config.get(MODEL).await? {
            None => MODELS[0],
            Some(got) => *MODELS
                .iter()
                .find(|model| **model == got)
                .ok_or_else(|| bad(MODEL, &MODELS.join(" or "), &got))?,
        };
        let timeout = number(config, TIMEOUT, DEFAULT_TIMEOUT_MS, 50..=5_000).await?;
        let Some(key) = config.get(KEY).await? else { return Ok(None) };
        let base = config.get(BASE_URL).await?.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
        let uri: http::Uri = format!("{}/chat/completions", base.trim().trim_end_matches('/'))
            .parse()
            .map_err(|_| bad(BASE_URL, "an absolute address", &base))?;
        match uri.host() {
            None => return Err(bad(BASE_URL, "an absolute address", &base)),
            Some(host) if host.ends_with(".invalid") => return Ok(None),
            Some(_) => {}
        }
        // The value stays out of the message: it is a secret.
        let mut bearer = http::HeaderValue::try_from(format!("Bearer {}", key.trim()))
            .map_err(|_| bad(KEY, "visible ASCII", "something else"))?;
        bearer.set_sensitive(true);
        let json = http::HeaderValue::from_static("application/json");
        let headers = [(http::header::AUTHORIZATION, bearer), (http::header::CONTENT_TYPE, json)];
        Ok(Some(Self {
            uri,
            headers: headers.into_iter().collect(),
            model,
            timeout: Duration::from_millis(timeout),
        }))
    }

    /// Asks about a question, once.
    ///
    /// # Errors
    /// [`RemoteFault`], which is worth a line in the log and a count, and blocks nobody.
    pub async fn ask(&self, http: &impl Http, question: &str) -> Result<Signal, RemoteFault> {
        let mut reply = http.send(self.request(question)).await?;
        if reply.status != http::StatusCode::OK {
            return Err(RemoteFault::Refused { status: reply.status.as_u16() });
        }
        let body = reply.body.bytes(MAX_REPLY_BYTES).await?;
        let reply: Value = serde_json::from_slice(&body).map_err(|_| RemoteFault::Malformed)?;
        let content = reply.pointer("/choices/0/message/content").and_then(Value::as_str);
        content.and_then(signal).ok_or(RemoteFault::Malformed)
    }

    fn request(&self, question: &str) -> HttpRequest {
        let question: String = question.chars().take(MAX_CHARS).collect();
        let body = json!({
            "model": self.model,
            "messages": [{ "role": "user", "content": question }],
        });
        HttpRequest {
            method: http::Method::POST,
            uri: self.uri.clone(),
            headers: self.headers.clone(),
            body: body.to_string().into_bytes(),
            timeouts: Timeouts::whole(self.timeout),
        }
    }
}

/// Reads what the model wrote: a probability, or one of its labels.
fn signal(content: &str) -> Option<Signal> {
    let content = content.trim();
    let score = match content.parse::<f32>() {
        Ok(score) if (0.0..=1.0).contains(&score) => score,
        Ok(_) => return None,
        Err(_) => match content.to_ascii_uppercase().as_str() {
            "MALICIOUS" | "LABEL_1" | "INJECTION" | "JAILBREAK" => 1.0,
            "BENIGN" | "LABEL_0" => 0.0,
            _ => return None,
        },
    };
    Some(Signal { score })
}

/// Why there is no signal.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RemoteFault {
    /// The service's, or the network's: no reply, or not in time.
    #[error("prompt guard: {0}")]
    Unreachable(#[from] HttpError),
    /// The service's: it refused, for a quota or a key.
    #[error("prompt guard: status {status}; see the account's limits")]
    Refused {
        /// The reply's status.
        status: u16,
    },
    /// The service's: a reply that holds neither a probability nor a label.
    #[error("prompt guard: neither a probability nor a label in the reply")]
    Malformed,
}

impl RemoteFault {
    /// Its name in metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(HttpError::TimedOut { .. }) => "timed_out",
            Self::Unreachable(_) => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Malformed => "malformed",
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        fakes::{MapConfig, Reply, ScriptedHttp},
        ports::Phase,
    };

    fn configured(variables: &[(&str, &str)]) -> Result<Option<Remote>, SettingFault> {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        block_on(Remote::configured(&MapConfig(variables.collect())))
    }

    fn ask(reply: Result<Reply, HttpError>) -> (Result<Signal, RemoteFault>, Vec<HttpRequest>) {
        let http = ScriptedHttp::new([reply]);
        let remote = configured(&[(KEY, "secret"), (TIMEOUT, "250")]).unwrap().unwrap();
        (block_on(remote.ask(&http, &"é".repeat(3_000))), http.requests())
    }

    fn reply(status: u16, body: &str) -> Result<Reply, HttpError> {
        let status = http::StatusCode::from_u16(status).unwrap();
        let chunks = vec![Ok(body.as_bytes().to_vec())];
        Ok(Reply { status, headers: http::HeaderMap::new(), chunks })
    }

    fn content(content: &str) -> Result<Reply, HttpError> {
        reply(200, &json!({ "choices": [{ "message": { "content": content } }] }).to_string())
    }

    #[test]
    fn configuration() {
        assert!(configured(&[]).unwrap().is_none());
        assert!(configured(&[(KEY, "k"), (REMOTE, "off")]).unwrap().is_none());
        assert!(configured(&[(KEY, "k"), (BASE_URL, "http://a.invalid/v1")]).unwrap().is_none());
        let remote = configured(&[(KEY, "k"), (MODEL, MODELS[1])]).unwrap().unwrap();
        assert_eq!(remote.uri, "https://api.groq.com/openai/v1/chat/completions");
        assert_eq!((remote.model, remote.timeout.as_millis()), (MODELS[1], 600));
        let fault = |name, value| {
            let fault = configured(&[(KEY, "k"), (name, value)]).unwrap_err().to_string();
            assert!(fault.starts_with(&format!("variable {name} must be ")), "{fault}");
            fault
        };
        fault(REMOTE, "on");
        fault(MODEL, "gpt");
        fault(TIMEOUT, "0");
        fault(BASE_URL, "/v1");
        assert!(!fault(KEY, "sec\nret").contains("ret\""));
    }

    #[test]
    fn one_short_request_is_sent() {
        let (_, requests) = ask(content("0.1"));
        let [sent] = &requests[..] else { panic!("one request") };
        assert_eq!(sent.headers["authorization"], "Bearer secret");
        assert_eq!(sent.timeouts, Timeouts::whole(Duration::from_millis(250)));
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(body["model"], MODELS[0]);
        assert_eq!(body["messages"][0]["content"].as_str().unwrap().chars().count(), MAX_CHARS);
    }

    #[test]
    fn replies_are_numbers_or_labels() {
        let check = |text: &str, expected: Option<f32>| {
            let signal = ask(content(text)).0.ok().map(|signal| signal.score);
            assert_eq!(signal, expected, "{text}");
        };
        check("0.9987", Some(0.9987));
        check(" 1 ", Some(1.0));
        check("BENIGN", Some(0.0));
        check("label_1", Some(1.0));
        check("1.5", None);
        check("NaN", None);
        check("-0.1", None);
        check("I think it is not malicious", None);
        check("", None);
    }

    #[test]
    fn faults_are_no_signal() {
        let check = |reply, label| assert_eq!(ask(reply).0.unwrap_err().label(), label);
        let limit = Duration::from_millis(250);
        check(Err(HttpError::TimedOut { phase: Phase::Total, limit }), "timed_out");
        check(Err(HttpError::Denied { authority: "api.groq.com".to_owned() }), "unreachable");
        check(reply(429, "{}"), "refused");
        check(reply(200, "<html>"), "malformed");
        check(reply(200, r#"{"choices": []}"#), "malformed");
        check(reply(200, &" ".repeat(MAX_REPLY_BYTES + 1)), "unreachable");
    }
}
