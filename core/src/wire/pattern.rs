//! The file of rewriting patterns, and what a rewrite says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A file of patterns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternFile {
    /// Format version, 1.
    pub version: u8,
    /// The patterns; of those that match, the one with the highest priority is applied.
    pub patterns: Vec<PatternRecord>,
}

/// One pattern.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternRecord {
    /// Name, unique in the file.
    pub name: String,
    /// Whether it is applied; its examples are tested all the same.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Higher goes first; of equals the one further up.
    #[serde(default)]
    pub priority: i32,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// When it applies.
    pub matching: MatchingRecord,
    /// What it does.
    pub strategy: StrategyRecord,
    /// Inputs with what must become of them.
    pub examples: Vec<ExampleRecord>,
}

/// When a pattern applies.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum MatchingRecord {
    /// Where one of the expressions is found, in any case, in the question without accents.
    /// Expressions know ASCII only.
    RegexList {
        /// Tried in order.
        rules: Vec<RuleRecord>,
    },
    /// Where enough of the keywords occur, as whole words in any case and inflection.
    Keywords {
        /// Words or phrases.
        keywords: Vec<String>,
        /// How many must occur; 1 if absent.
        #[serde(default = "one")]
        at_least: usize,
    },
}

/// An expression and the names of its groups.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRecord {
    /// Regular expression.
    pub pattern: String,
    /// Names for its groups, in order.
    #[serde(default)]
    pub entities: Vec<String>,
}

/// What a pattern does. Each strategy only adds words to the question.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategyRecord {
    /// Adds the words of every category whose expression is found in an entity.
    CategoryExpansion {
        /// Expression to words.
        categories: BTreeMap<String, String>,
        /// For the prompt: how to read the question.
        #[serde(default)]
        hint: Option<String>,
    },
    /// Adds the codes of the longest topic that occurs as whole words.
    CourseCodeInjection {
        /// Goes before the codes.
        #[serde(default)]
        prefix: String,
        /// Topic to codes.
        topics: BTreeMap<String, Vec<String>>,
    },
    /// Adds nothing, but is named in the metadata.
    Passthrough {
        /// As above.
        #[serde(default)]
        hint: Option<String>,
    },
    /// Puts words before the question.
    PrefixInjection {
        /// The words.
        prefix: String,
    },
    /// Adds the synonyms of the longest term that occurs as whole words.
    SynonymExpansion {
        /// Term to synonyms.
        synonyms: BTreeMap<String, Vec<String>>,
    },
    /// Adds words made of the entities: `{year}`.
    Template {
        /// The words.
        template: String,
        /// As above.
        #[serde(default)]
        hint: Option<String>,
    },
}

/// An input and what must become of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleRecord {
    /// A question.
    pub input: String,
    /// What it becomes, where the documents have all words that are added and none of the
    /// visitor's; absent where the pattern must not match.
    #[serde(default)]
    pub output: Option<String>,
    /// Entities that must be found.
    #[serde(default)]
    pub entities: BTreeMap<String, String>,
}

/// How a question was rewritten: `rewrite_metadata` of a reply.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RewriteMetadata {
    /// The question before.
    pub original_query: String,
    /// The text searched for.
    pub rewritten_query: String,
    /// The pattern.
    pub pattern_name: String,
    /// Its strategy.
    pub pattern_type: String,
    /// What it found in the question.
    pub matched_entities: BTreeMap<String, String>,
    /// How to read the question, where the pattern says.
    pub rewrite_hint: Option<String>,
    /// Share of what the pattern looks for that was found, 0 to 1.
    pub confidence: f32,
}

fn enabled() -> bool {
    true
}

fn one() -> usize {
    1
}
