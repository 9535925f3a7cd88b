//! One rewriting pattern: when it applies, and which words it adds.

use std::collections::{BTreeMap, BTreeSet};

use regex::bytes::{Regex, RegexBuilder};

use super::rewrite::PatternFault;
use crate::{
    text::{
        fold,
        terms::{terms, words},
    },
    wire::{MatchingRecord, PatternRecord, StrategyRecord},
};

/// Size that a compiled expression may have, in bytes: patterns are a line long, and a component
/// has little memory.
const EXPRESSION_BYTES: usize = 256 * 1024;

/// A pattern, compiled.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) priority: i32,
    matching: Matching,
    strategy: Strategy,
}

/// What a pattern found in a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    /// Entities by name.
    pub(super) entities: BTreeMap<String, String>,
    /// Share of what it looks for that was found, 0 to 1.
    pub(super) confidence: f32,
}

/// Words to add to a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Addition {
    /// To go before it.
    pub(super) before: String,
    /// To go after it.
    pub(super) after: Vec<String>,
    /// The word of the visitor that `after` has synonyms for.
    pub(super) instead_of: Option<String>,
}

#[derive(Clone, Debug)]
enum Matching {
    Keywords { phrases: Vec<Vec<String>>, at_least: usize },
    Rules(Vec<(Regex, Vec<String>)>),
}

#[derive(Clone, Debug)]
enum Strategy {
    Category { categories: Vec<(Regex, String)>, hint: Option<String> },
    Codes { prefix: String, topics: Vec<(String, Vec<String>)> },
    Passthrough { hint: Option<String> },
    Prefix(String),
    Synonyms(Vec<(String, Vec<String>)>),
    Template { template: String, hint: Option<String> },
}

impl Pattern {
    /// Compiles a record.
    pub(super) fn new(record: PatternRecord) -> Result<Self, PatternFault> {
        let expression = |text: &str| {
            // Of folded text, Unicode's classes would only make the expressions larger.
            RegexBuilder::new(text)
                .unicode(false)
                .case_insensitive(true)
                .size_limit(EXPRESSION_BYTES)
                .build()
                .map_err(|error| PatternFault::Expression {
                    name: record.name.clone(),
                    reason: error.to_string(),
                })
        };
        let matching = match &record.matching {
            MatchingRecord::RegexList { rules } => {
                let rules = rules
                    .iter()
                    .map(|rule| Ok((expression(&rule.pattern)?, rule.entities.clone())));
                Matching::Rules(rules.collect::<Result<_, _>>()?)
            }
            MatchingRecord::Keywords { keywords, at_least } => Matching::Keywords {
                phrases: keywords.iter().map(|it| terms(it)).collect(),
                at_least: (*at_least).max(1),
            },
        };
        let strategy = match record.strategy {
            StrategyRecord::CategoryExpansion { ref categories, ref hint } => {
                let categories =
                    categories.iter().map(|(it, words)| Ok((expression(it)?, words.clone())));
                Strategy::Category {
                    categories: categories.collect::<Result<_, _>>()?,
                    hint: hint.clone(),
                }
            }
            StrategyRecord::CourseCodeInjection { prefix, topics } => {
                Strategy::Codes { prefix, topics: longest_first(topics) }
            }
            StrategyRecord::Passthrough { hint } => Strategy::Passthrough { hint },
            StrategyRecord::PrefixInjection { prefix } => Strategy::Prefix(prefix),
            StrategyRecord::SynonymExpansion { synonyms } => {
                Strategy::Synonyms(longest_first(synonyms))
            }
            StrategyRecord::Template { template, hint } => Strategy::Template { template, hint },
        };
        Ok(Self {
            name: record.name,
            enabled: record.enabled,
            priority: record.priority,
            matching,
            strategy,
        })
    }

    /// What it finds in a question; `None` where it does not apply.
    pub(super) fn find(&self, text: &str) -> Option<Found> {
        match &self.matching {
            Matching::Rules(rules) => rules.iter().find_map(|(expression, names)| {
                let text = fold(text);
                let groups = expression.captures(text.as_bytes())?;
                let entities = names.iter().zip(1..).filter_map(|(name, at)| {
                    Some((
                        name.clone(),
                        String::from_utf8_lossy(groups.get(at)?.as_bytes()).trim().to_owned(),
                    ))
                });
                Some(Found { entities: entities.collect(), confidence: 1.0 })
            }),
            Matching::Keywords { phrases, at_least } => {
                let own = terms(text);
                let found = phrases.iter().filter(|phrase| contains(&own, phrase)).count();
                let confidence = (found as f32 / *at_least as f32).min(1.0);
                (found >= *at_least).then(|| Found { entities: BTreeMap::new(), confidence })
            }
        }
    }

    /// The words that it adds to a question in which it found something.
    pub(super) fn add(&self, text: &str, found: &Found) -> Addition {
        let own = terms(text);
        let longest = |table: &'_ [(String, Vec<String>)]| {
            table.iter().find(|(term, _)| contains(&own, &terms(term))).cloned()
        };
        match &self.strategy {
            Strategy::Category { categories, .. } => {
                let entities: Vec<&String> = found.entities.values().collect();
                let fits =
                    |it: &Regex| entities.iter().any(|entity| it.is_match(entity.as_bytes()));
                let words =
                    categories.iter().filter(|(it, _)| fits(it)).map(|(_, words)| words.clone());
                Addition { after: words.collect(), ..Addition::default() }
            }
            Strategy::Codes { prefix, topics } => match longest(topics) {
                Some((_, codes)) => {
                    Addition { before: prefix.clone(), after: codes, instead_of: None }
                }
                None => Addition::default(),
            },
            Strategy::Passthrough { .. } => Addition::default(),
            Strategy::Prefix(prefix) => Addition { before: prefix.clone(), ..Addition::default() },
            Strategy::Synonyms(table) => match longest(table) {
                Some((term, synonyms)) => {
                    Addition { after: synonyms, instead_of: Some(term), ..Addition::default() }
                }
                None => Addition::default(),
            },
            Strategy::Template { template, .. } => {
                let fill = |text: String, (name, value): (&String, &String)| {
                    text.replace(&format!("{{{name}}}"), value)
                };
                let words = found.entities.iter().fold(template.clone(), fill);
                Addition { after: vec![words], ..Addition::default() }
            }
        }
    }

    /// The strategy's name, as in the file.
    pub(super) fn kind(&self) -> &'static str {
        match self.strategy {
            Strategy::Category { .. } => "category_expansion",
            Strategy::Codes { .. } => "course_code_injection",
            Strategy::Passthrough { .. } => "passthrough",
            Strategy::Prefix(_) => "prefix_injection",
            Strategy::Synonyms(_) => "synonym_expansion",
            Strategy::Template { .. } => "template",
        }
    }

    /// How to read the question, where the pattern says.
    pub(super) fn hint(&self) -> Option<&str> {
        match &self.strategy {
            Strategy::Category { hint, .. }
            | Strategy::Passthrough { hint }
            | Strategy::Template { hint, .. } => hint.as_deref(),
            Strategy::Codes { .. } | Strategy::Prefix(_) | Strategy::Synonyms(_) => None,
        }
    }
}

/// Whether `phrase` stands in `own`, word by word.
fn contains(own: &[String], phrase: &[String]) -> bool {
    !phrase.is_empty() && own.windows(phrase.len()).any(|window| window == phrase)
}

/// The entries of a table, longer terms first: "machine learning" before "learning".
fn longest_first(table: BTreeMap<String, Vec<String>>) -> Vec<(String, Vec<String>)> {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(term, _)| std::cmp::Reverse(words(term).len()));
    entries
}

/// The distinct terms of `text`.
pub(super) fn distinct(text: &str) -> BTreeSet<String> {
    terms(text).into_iter().collect()
}
