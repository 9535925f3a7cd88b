//! Records in the key-value store. Each carries its format version and its expiry.

use serde::{Deserialize, Serialize};

use super::ChatSource;

/// A conversation.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionRecord {
    /// Format version, 2.
    pub version: u8,
    /// Seconds since the Unix epoch after which the record is dead.
    pub expires_at: u64,
    /// When it began, in seconds since the Unix epoch.
    pub started_at: u64,
    /// Questions answered so far, those included whose turns are forgotten.
    pub questions: u32,
    /// The last turns, oldest first.
    pub turns: Vec<TurnRecord>,
}

/// One question and what was said to it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TurnRecord {
    /// The question as it was asked.
    pub question: String,
    /// The answer, cut to some hundred characters.
    pub answer: String,
    /// For a question that leaned on those before it, what it was understood as: those may be
    /// forgotten by the time the next one leans on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl TurnRecord {
    /// The question as it can be understood without those before it.
    pub fn alone(&self) -> &str {
        self.about.as_deref().unwrap_or(&self.question)
    }

    /// Questions and answers for a reader who sees `turns` and nothing before them: the first question
    /// as it can be understood alone.
    pub fn told(turns: &[Self]) -> impl Iterator<Item = (&str, &str)> {
        turns.iter().enumerate().map(|(at, turn)| {
            let question = if at == 0 { turn.alone() } else { &turn.question };
            (question, turn.answer.as_str())
        })
    }
}

/// An answer that a question without a conversation gets again.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct AnswerRecord {
    /// Format version, 1.
    pub version: u8,
    /// Seconds since the Unix epoch after which the record is dead.
    pub expires_at: u64,
    /// The answer, with `[n]` naming `sources[n - 1]`.
    pub answer: String,
    /// The passages cited.
    pub sources: Vec<ChatSource>,
    /// Whether the answer rests on the documents.
    pub grounded: bool,
    /// Probability that the passages answer the question, 0 to 1.
    pub confidence: Option<f32>,
    /// Sentences that the passages do not support.
    pub unsupported: Vec<String>,
    /// Who answered, such as `groq` or `extractive`.
    pub provider: String,
    /// With which model.
    pub model: String,
}
