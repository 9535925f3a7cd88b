//! What an operator decides about answers.

use crate::{
    ports::Config,
    setting::{SettingFault, choice, number},
};

/// Variable: `mark` or `drop`.
const CITATION_POLICY: &str = "citation_policy";
/// Variable: tokens that the model can read and write.
const CONTEXT_TOKENS: &str = "llm_context_tokens";
/// What the smallest models in use can read; a prompt of five passages takes some 2 000.
const DEFAULT_CONTEXT_TOKENS: usize = 8_192;
/// The fixed part of a prompt and one passage need a thousand, a reply as much again.
const MIN_CONTEXT_TOKENS: usize = 2_048;
/// More than any model reads well; a larger figure is a typing error.
const MAX_CONTEXT_TOKENS: usize = 1_000_000;

/// What becomes of a sentence that the passages do not support.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CitationPolicy {
    /// It stays, and says so ([`UNCONFIRMED`](super::UNCONFIRMED)); text leaves word by word.
    #[default]
    Mark,
    /// It is left out; text leaves sentence by sentence.
    Drop,
}

/// What an operator decides about answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// `citation_policy`: `mark` (default) or `drop`.
    pub citations: CitationPolicy,
    /// `llm_context_tokens`: prompt and reply together, 2 048 to 1 000 000, 8 192 by default.
    pub context_tokens: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { citations: CitationPolicy::default(), context_tokens: DEFAULT_CONTEXT_TOKENS }
    }
}

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// A variable cannot be read, or has a value that means nothing.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let policies = [("mark", CitationPolicy::Mark), ("drop", CitationPolicy::Drop)];
        let range = MIN_CONTEXT_TOKENS..=MAX_CONTEXT_TOKENS;
        Ok(Self {
            citations: choice(config, CITATION_POLICY, &policies).await?.unwrap_or_default(),
            context_tokens: number(config, CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS, range).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    #[test]
    fn reads_values_and_names_faults() {
        for (name, value, expected) in [
            ("other", "1", Ok((CitationPolicy::Mark, 8_192))),
            (CITATION_POLICY, "drop", Ok((CitationPolicy::Drop, 8_192))),
            (CONTEXT_TOKENS, "131072", Ok((CitationPolicy::Mark, 131_072))),
            (
                CONTEXT_TOKENS,
                "2047",
                Err("llm_context_tokens: expected a number from 2048 to 1000000, got \"2047\""),
            ),
            (
                CONTEXT_TOKENS,
                "many",
                Err("llm_context_tokens: expected a number from 2048 to 1000000, got \"many\""),
            ),
            (CITATION_POLICY, "hide", Err("citation_policy: expected mark or drop, got \"hide\"")),
        ] {
            let config = MapConfig([(name.to_owned(), value.to_owned())].into());
            let got = block_on(Settings::configured(&config));
            let got = got.map(|it| (it.citations, it.context_tokens)).map_err(|it| it.to_string());
            assert_eq!(got, expected.map_err(|it| format!("variable {it}")), "{name}={value}");
        }
    }
}
