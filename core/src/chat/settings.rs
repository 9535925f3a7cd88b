//! Everything an operator decides about the chat, read once an instance.

use std::time::Duration;

use crate::{
    RequestError, answer, llm,
    policy::{Limits, number},
    ports::Config,
    telemetry::QuestionLog,
};

/// Variable with the life of a cached answer in seconds, 0 to 604 800; 3 600 by default, 0: none is
/// kept. A new index makes all of them useless at once; this bounds how long a model's bad day lasts.
const CACHE_SECONDS: &str = "answer_cache_seconds";

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
    pub async fn configured(config: &impl Config) -> Result<Self, RequestError> {
        Ok(Self {
            limits: Limits::configured(config).await?,
            catalogue: llm::Catalogue::configured(config)
                .await
                .map_err(RequestError::misconfigured)?,
            completion: llm::Settings::configured(config)
                .await
                .map_err(RequestError::misconfigured)?,
            answers: answer::Settings::configured(config)
                .await
                .map_err(RequestError::misconfigured)?,
            cache_life: Duration::from_secs(
                number(config, CACHE_SECONDS, 3_600, 0..=604_800).await?,
            ),
            log: QuestionLog::configured(config).await.map_err(RequestError::misconfigured)?,
        })
    }
}
