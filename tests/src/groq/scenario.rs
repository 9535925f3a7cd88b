//! How the double behaves, by name: `ok`, `rate_limited:7`, `cut`.

use std::{str::FromStr, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// How one completion goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scenario {
    /// Quotes the first sentences of the passages, with their numbers.
    #[default]
    Ok,
    /// Says this.
    Text(String),
    /// The same quotes under numbers of other passages, and of none.
    WrongCitations,
    /// Thinks in a field of its own before it answers.
    Reasoning,
    /// Thinks between tags in the answer.
    ThinkTags,
    /// Counts no tokens.
    NoUsage,
    /// Replies whole, though it was asked for a stream.
    Whole,
    /// 429 with the headers and the body of a limit of tokens.
    RateLimited {
        /// Seconds to wait.
        retry_after: f64,
    },
    /// Any other status, with a body that says so.
    Status(u16),
    /// 400: the model was withdrawn.
    Withdrawn,
    /// Waits before the head of the reply, beside what it takes in any case.
    SlowStart(Duration),
    /// Waits before each byte.
    SlowBytes(Duration),
    /// Never replies.
    Silent,
    /// Stops in the middle and keeps the connection open.
    Stalled,
    /// Breaks the connection in the middle.
    Cut,
    /// Ends in the middle, politely.
    Unfinished,
    /// Sends something in the middle that is no JSON.
    Malformed,
    /// Reports an error in the middle of the stream.
    ErrorEvent,
}

/// Every scenario's name, with what stands behind a colon where something does, and what happens.
pub const SCENARIOS: &[(&str, &str)] = &[
    ("ok", "quotes the first sentences of the passages, with their numbers"),
    ("text:WORDS", "says these words"),
    ("wrong_citations", "quotes under numbers of other passages, and of none"),
    ("reasoning", "thinks in a field of its own, then answers"),
    ("think_tags", "thinks between tags in the answer"),
    ("no_usage", "counts no tokens"),
    ("whole", "replies whole, though asked for a stream"),
    ("rate_limited:SECONDS", "429 with its headers; 7.66 seconds if not given"),
    ("status:NUMBER", "any other status; 503 if not given"),
    ("withdrawn", "400: the model was withdrawn"),
    ("slow_start:MS", "waits before the head; 3000 ms if not given"),
    ("slow_bytes:MS", "waits before each byte; 5 ms if not given"),
    ("silent", "never replies"),
    ("stalled", "stops in the middle and keeps the connection open"),
    ("cut", "breaks the connection in the middle"),
    ("unfinished", "ends in the middle without a word"),
    ("malformed", "sends something in the middle that is no JSON"),
    ("error_event", "reports an error in the middle of the stream"),
];

impl FromStr for Scenario {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let milliseconds = |default: u64| -> Result<Duration> {
            let value = value.map(str::parse).transpose().context("expected milliseconds")?;
            Ok(Duration::from_millis(value.unwrap_or(default)))
        };
        let scenario = match (name, value) {
            ("ok", None) => Self::Ok,
            ("text", Some(words)) => Self::Text(words.to_owned()),
            ("wrong_citations", None) => Self::WrongCitations,
            ("reasoning", None) => Self::Reasoning,
            ("think_tags", None) => Self::ThinkTags,
            ("no_usage", None) => Self::NoUsage,
            ("whole", None) => Self::Whole,
            ("rate_limited", None) => Self::RateLimited { retry_after: 7.66 },
            ("rate_limited", Some(seconds)) => {
                Self::RateLimited { retry_after: seconds.parse().context("expected seconds")? }
            }
            ("status", None) => Self::Status(503),
            ("status", Some(number)) => match number.parse() {
                Ok(status @ 400..=599) => Self::Status(status),
                _ => bail!("status: expected 400 to 599, got {number:?}"),
            },
            ("withdrawn", None) => Self::Withdrawn,
            ("slow_start", _) => Self::SlowStart(milliseconds(3000)?),
            ("slow_bytes", _) => Self::SlowBytes(milliseconds(5)?),
            ("silent", None) => Self::Silent,
            ("stalled", None) => Self::Stalled,
            ("cut", None) => Self::Cut,
            ("unfinished", None) => Self::Unfinished,
            ("malformed", None) => Self::Malformed,
            ("error_event", None) => Self::ErrorEvent,
            _ => {
                let names: Vec<&str> = SCENARIOS.iter().map(|(name, _)| *name).collect();
                bail!("no scenario {text:?}; expected one of: {}", names.join(", "))
            }
        };
        Ok(scenario)
    }
}

impl Scenario {
    /// Reads the scenario that a question asks for: its last word that begins with `#` and names
    /// one.
    pub(super) fn marked(question: &str) -> Option<Self> {
        let mut words = question.split_whitespace().rev();
        words.find_map(|word| word.strip_prefix('#')?.parse().ok())
    }
}

/// Which scenario a question gets: the first entry whose words it holds; entries without words are
/// used up in order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Script(Vec<Entry>);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    when: Option<String>,
    scenario: Named,
}

/// A scenario as a script writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Named(Scenario);

impl TryFrom<String> for Named {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error: anyhow::Error| format!("{error:#}"))
    }
}

impl Script {
    pub(super) fn next(&mut self, question: &str) -> Option<Scenario> {
        let question = question.to_lowercase();
        let named = self.0.iter().find(|entry| {
            entry.when.as_ref().is_some_and(|words| question.contains(&words.to_lowercase()))
        });
        if let Some(entry) = named {
            return Some(entry.scenario.0.clone());
        }
        let place = self.0.iter().position(|entry| entry.when.is_none())?;
        Some(self.0.remove(place).scenario.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_list_is_read() {
        for (name, _) in SCENARIOS {
            let bare = name.split(':').next().unwrap();
            let text = if bare == "text" { "text:Hello there." } else { bare };
            text.parse::<Scenario>().unwrap();
        }
        let limited = Scenario::RateLimited { retry_after: 1.5 };
        assert_eq!("rate_limited:1.5".parse::<Scenario>().unwrap(), limited);
        assert_eq!("status:529".parse::<Scenario>().unwrap(), Scenario::Status(529));
        for bad in ["", "fine", "ok:1", "status:200", "status:x", "slow_bytes:x", "text"] {
            assert!(bad.parse::<Scenario>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_question_may_name_its_scenario() {
        let check = |question, expected| assert_eq!(Scenario::marked(question), expected);
        check("Which medal? #cut", Some(Scenario::Cut));
        check("#ok Which #C is it? #status:500", Some(Scenario::Status(500)));
        check("Which C# version, #1 or #2?", None);
    }

    #[test]
    fn a_script_matches_words_first_and_then_goes_in_order() {
        let text = r#"[{"scenario": "cut"}, {"when": "Medal", "scenario": "status:500"},
                       {"scenario": "silent"}]"#;
        let mut script: Script = serde_json::from_str(text).unwrap();
        assert_eq!(script.next("which medal?"), Some(Scenario::Status(500)));
        assert_eq!(script.next("who?"), Some(Scenario::Cut));
        assert_eq!(script.next("who?"), Some(Scenario::Silent));
        assert_eq!(script.next("who?"), None);
        assert_eq!(script.next("the medal?"), Some(Scenario::Status(500)));
        let fault = serde_json::from_str::<Script>(r#"[{"scenario": "fine"}]"#).unwrap_err();
        assert!(fault.to_string().contains("no scenario \"fine\""), "{fault}");
    }
}
