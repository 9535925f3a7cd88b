//! What a model is asked: messages, how it may answer, and how long it is waited for.

use std::time::Duration;

use super::tokens::estimate;
use crate::{
    ports::Config,
    setting::{SettingFault, choice, milliseconds, number},
};

/// Who says something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// The operator.
    System,
    /// The visitor.
    User,
    /// The model, earlier.
    Assistant,
}

impl Role {
    /// Its name in OpenAI's shape.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A part of the conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub text: String,
}

/// How much a model may think before it answers; not every model can be told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Effort {
    /// As little as it can; what it thinks all the same is not handed on.
    #[default]
    None,
    /// A little.
    Low,
    /// More.
    Medium,
    /// Much, at the price of time and tokens.
    High,
}

impl Effort {
    const NAMES: [(&str, Self); 4] =
        [("none", Self::None), ("low", Self::Low), ("medium", Self::Medium), ("high", Self::High)];

    /// Reads `none`, `low`, `medium` or `high`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, effort)| *effort)
    }
}

/// How long a provider is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Waits {
    /// For the head of a reply, connecting included; 5 s by default. Providers answer within one
    /// second, and another one or the extractive answer stands behind.
    pub head: Duration,
    /// Between pieces; 10 s by default: a pause that a visitor sits through once.
    pub idle: Duration,
    /// From the question to the last byte; 25 s by default. Platforms end a request at 30 s, and
    /// recording the turn needs some of what is left.
    pub total: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            idle: Duration::from_secs(10),
            total: Duration::from_secs(25),
        }
    }
}

/// How answers are asked for where a request does not say otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Randomness, 0 to 2; 0.1 by default: answers quote, they do not invent.
    pub temperature: f32,
    /// Longest reply in tokens, thinking included; 1 to 4096, 600 by default: four sentences with
    /// their citations take a quarter, a list of ten items the most of it.
    pub max_tokens: u32,
    /// How much models may think; not at all by default, since passages hold the answers.
    pub effort: Effort,
    /// How long providers are waited for.
    pub waits: Waits,
}

impl Default for Settings {
    fn default() -> Self {
        Self { temperature: 0.1, max_tokens: 600, effort: Effort::None, waits: Waits::default() }
    }
}

impl Settings {
    /// Reads `llm_temperature`, `llm_max_tokens`, `llm_reasoning_effort`, `llm_head_timeout_ms`,
    /// `llm_idle_timeout_ms` and `llm_total_timeout_ms`.
    ///
    /// # Errors
    /// A variable has a value that it cannot have, or cannot be read.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let default = Self::default();
        let waits = default.waits;
        let effort = choice(config, "llm_reasoning_effort", &Effort::NAMES).await?;
        Ok(Self {
            temperature: number(config, "llm_temperature", default.temperature, 0.0..=2.0).await?,
            max_tokens: number(config, "llm_max_tokens", default.max_tokens, 1..=4096).await?,
            effort: effort.unwrap_or(default.effort),
            waits: Waits {
                head: wait(config, "llm_head_timeout_ms", waits.head).await?,
                idle: wait(config, "llm_idle_timeout_ms", waits.idle).await?,
                total: wait(config, "llm_total_timeout_ms", waits.total).await?,
            },
        })
    }
}

async fn wait(
    config: &impl Config,
    name: &str,
    default: Duration,
) -> Result<Duration, SettingFault> {
    milliseconds(config, name, default, 1..=LONGEST_WAIT).await
}

/// Longest wait, in milliseconds: a model on somebody's own machine may load for a minute.
const LONGEST_WAIT: u64 = 120_000;

/// One thing to be asked, of whichever provider.
#[derive(Clone, Debug)]
pub struct Completion<'a> {
    /// The conversation; what is equal in every question stands first, so that providers cache it.
    pub messages: &'a [Message],
    /// Randomness, 0 to 2.
    pub temperature: f32,
    /// Longest reply in tokens, thinking included.
    pub max_tokens: u32,
    /// How much the model may think.
    pub effort: Effort,
    /// How long the provider is waited for.
    pub waits: Waits,
    /// When it all must be over, by the clock; the total wait counts from the question, not from
    /// the second provider that is asked it.
    pub deadline: Duration,
}

impl Completion<'_> {
    /// Tokens of the conversation, at the most.
    pub fn prompt_tokens(&self) -> u64 {
        let texts = self.messages.iter().map(|message| estimate(&message.text) + PER_MESSAGE);
        (texts.sum::<usize>() + PER_CONVERSATION) as u64
    }
}

/// Control tokens around a message; four to seven in the formats of gpt-oss, Llama and Qwen.
const PER_MESSAGE: usize = 8;
/// What formats write before a conversation: gpt-oss describes itself, with the date, in seventy.
const PER_CONVERSATION: usize = 100;

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    fn settings(name: &str, value: &str) -> Result<Settings, String> {
        let config = MapConfig([(name.to_owned(), value.to_owned())].into());
        block_on(Settings::configured(&config)).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_figure_is_a_variable_with_a_range() {
        assert_eq!(settings("unrelated", "1"), Ok(Settings::default()));
        assert_eq!(settings("llm_temperature", "2").unwrap().temperature.to_bits(), 2f32.to_bits());
        assert_eq!(settings("llm_max_tokens", "4096").unwrap().max_tokens, 4096);
        assert_eq!(settings("llm_reasoning_effort", "high").unwrap().effort, Effort::High);
        let waits = settings("llm_total_timeout_ms", "9000").unwrap().waits;
        assert_eq!(waits, Waits { total: Duration::from_secs(9), ..Waits::default() });

        let check = |name: &str, value: &str, expected: &str| {
            let fault = settings(name, value).unwrap_err();
            assert_eq!(fault, format!("variable {name}: expected {expected}, got {value:?}"));
        };
        for value in ["2.1", "-1", "NaN", "warm"] {
            check("llm_temperature", value, "a number from 0 to 2");
        }
        for value in ["0", "4097", "1.5"] {
            check("llm_max_tokens", value, "a number from 1 to 4096");
        }
        check("llm_reasoning_effort", "some", "none, low, medium or high");
        check("llm_head_timeout_ms", "0", "a number from 1 to 120000");
        check("llm_idle_timeout_ms", "5s", "a number from 1 to 120000");
        check("llm_total_timeout_ms", "120001", "a number from 1 to 120000");
    }
}
