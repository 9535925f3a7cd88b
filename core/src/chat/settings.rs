//! Everything an operator decides about the chat, read once an instance.

use std::time::Duration;

use crate::{
    answer, guard, llm,
    policy::Limits,
    ports::Config,
    setting::{SettingFault, seconds},
    telemetry::QuestionLog,
};

/// Variable with the life of a cached answer in seconds, 0 to 604 800; 3 600 by default, 0: none is
/// kept. A new index makes all of them useless at once; this bounds how long a model's bad day lasts.
const CACHE_SECONDS: &str = "answer_cache_seconds";
const CACHE_LIFE: Duration = Duration::from_secs(3_600);

/// What an operator decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Limits of visitors, and the length of conversations.
    pub limits: Limits,
    /// Providers, models, caps.
    pub catalogue: llm::Catalogue,
    /// How models are asked.
    pub completion: llm::Settings,
    /// Prompts and citations.
    pub answers: answer::Settings,
    /// Prompt Guard, where it is asked.
    pub prompt_guard: Option<guard::Remote>,
    /// What becomes of passages that give orders.
    pub documents: guard::DocumentPolicy,
    /// Which personal data an answer may hold.
    pub personal: guard::PersonalPolicy,
    /// Life of a cached answer; zero: none is kept.
    pub cache_life: Duration,
    /// What is logged of questions.
    pub log: QuestionLog,
}

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// A variable that has to be mended, or that cannot be read.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        Ok(Self {
            limits: Limits::configured(config).await?,
            catalogue: llm::Catalogue::configured(config).await?,
            completion: llm::Settings::configured(config).await?,
            answers: answer::Settings::configured(config).await?,
            prompt_guard: guard::Remote::configured(config).await?,
            documents: guard::DocumentPolicy::configured(config).await?,
            personal: guard::PersonalPolicy::configured(config).await?,
            cache_life: seconds(config, CACHE_SECONDS, CACHE_LIFE, 0..=604_800).await?,
            log: QuestionLog::configured(config).await?,
        })
    }
}
