//! Rewriting: patterns from a file add the words that documents use to those that visitors use.
//!
//! A rewrite never drops a word of the visitor's, and adds none that the documents do not have.

use std::sync::LazyLock;

use super::pattern::{Addition, Found, Pattern, distinct};
use crate::{
    index::Index,
    text::terms::terms,
    wire::{ExampleRecord, PatternFile, RewriteMetadata},
};

/// The version of the file that is understood.
const VERSION: u8 = 1;
/// Longest question that is rewritten, in characters; a longer one has words enough.
const MAX_CHARS: usize = 300;

/// Why a file of patterns is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternFault {
    /// Two patterns have one name.
    #[error("pattern {name} occurs twice: rename one")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// An expression cannot be compiled.
    #[error("pattern {name} has a bad expression: {reason}")]
    Expression {
        /// The pattern.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// It is no such file.
    #[error("not a file of patterns: {reason}")]
    Shape {
        /// What is wrong and where.
        reason: String,
    },
    /// It is of another version.
    #[error("patterns of version {got}, expected {VERSION}")]
    Version {
        /// Its version.
        got: u8,
    },
}

/// Patterns, ready to be applied.
#[derive(Clone, Debug, Default)]
pub struct Rewriter {
    patterns: Vec<Pattern>,
    examples: Vec<(String, Vec<ExampleRecord>)>,
}

/// A question with words added.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// The text to search for.
    pub text: String,
    /// What was done.
    pub metadata: RewriteMetadata,
}

impl Rewriter {
    /// The patterns that come with the program. Parsed once an instance; they hold nothing of a
    /// request.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Rewriter> = LazyLock::new(|| {
            // The tests read the same file, so that there is nothing to report here.
            Rewriter::read(PATTERNS).unwrap_or_default()
        });
        &SHIPPED
    }

    /// Reads a file of patterns, YAML.
    ///
    /// # Errors
    /// [`PatternFault`], naming the pattern at fault.
    pub fn read(yaml: &str) -> Result<Self, PatternFault> {
        let file: PatternFile = serde_norway::from_str(yaml)
            .map_err(|error| PatternFault::Shape { reason: error.to_string() })?;
        if file.version != VERSION {
            return Err(PatternFault::Version { got: file.version });
        }
        let mut rewriter = Self::default();
        for record in file.patterns {
            if rewriter.patterns.iter().any(|it| it.name == record.name) {
                return Err(PatternFault::Duplicate { name: record.name });
            }
            rewriter.examples.push((record.name.clone(), record.examples.clone()));
            rewriter.patterns.push(Pattern::new(record)?);
        }
        // The sort is stable: of equals the one further up stays first.
        rewriter.patterns.sort_by_key(|it| std::cmp::Reverse(it.priority));
        Ok(rewriter)
    }

    /// Applies the first pattern that matches. `None` where none does, or where it has nothing to
    /// add that the documents know.
    pub fn rewrite(&self, text: &str, index: &Index) -> Option<Rewrite> {
        self.apply(text, &|term| index.lexical().frequency(term))
    }

    /// As [`rewrite`](Self::rewrite), with the number of chunks that have a term.
    fn apply(&self, text: &str, frequency: &dyn Fn(&str) -> usize) -> Option<Rewrite> {
        if text.chars().count() > MAX_CHARS {
            return None;
        }
        let enabled = self.patterns.iter().filter(|it| it.enabled);
        let (pattern, found) = enabled.into_iter().find_map(|it| Some((it, it.find(text)?)))?;
        applied(pattern, &found, text, frequency)
    }

    /// The examples of a file that do not come out as it says, in words; none in a good file.
    /// Each pattern is tried alone, those that are not enabled too.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for (name, examples) in &self.examples {
            let Some(pattern) = self.patterns.iter().find(|it| it.name == *name) else { continue };
            if examples.iter().all(|it| it.output.is_none()) {
                failures.push(format!("pattern {name} has no example that it matches"));
            }
            for example in examples {
                let own = distinct(&example.input);
                let frequency = |term: &str| usize::from(!own.contains(term));
                let found = pattern.find(&example.input);
                let rewritten =
                    found.as_ref().and_then(|it| applied(pattern, it, &example.input, &frequency));
                let output = rewritten.map(|it| it.text);
                let entities = found.map(|it| it.entities).unwrap_or_default();
                if output != example.output
                    || example.entities.iter().any(|(it, value)| entities.get(it) != Some(value))
                {
                    let (input, expected) = (&example.input, &example.output);
                    failures.push(format!("pattern {name}: {input:?}: expected {expected:?}, got {output:?} with {entities:?}"));
                }
            }
        }
        failures
    }
}

fn applied(
    pattern: &Pattern,
    found: &Found,
    text: &str,
    frequency: &dyn Fn(&str) -> usize,
) -> Option<Rewrite> {
    let Addition { before, after, instead_of } = pattern.add(text, found);
    // A synonym helps where the documents use it more than the visitor's own word.
    let rarest = |words: &str| terms(words).iter().map(|it| frequency(it)).min().unwrap_or(0);
    let own = instead_of.map_or(0, |term| rarest(&term));
    let mut known = distinct(text);
    let mut useful = |words: &str, more_than: usize| {
        let kept = words.split_whitespace().filter(|word| {
            let terms = terms(word);
            terms.iter().any(|term| !known.contains(term))
                && terms.iter().all(|term| frequency(term) > 0)
        });
        let kept: Vec<&str> = kept.collect();
        let kept = if rarest(words) > more_than || more_than == 0 {
            kept.join(" ")
        } else {
            String::new()
        };
        known.extend(terms(&kept));
        kept
    };
    let before = useful(&before, 0);
    let after: Vec<String> =
        after.iter().map(|it| useful(it, own)).filter(|it| !it.is_empty()).collect();
    let adds = !before.is_empty() || !after.is_empty();
    let parts = [before.as_str(), text].into_iter().chain(after.iter().map(String::as_str));
    let rewritten = parts.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ");
    (adds || pattern.kind() == "passthrough").then(|| Rewrite {
        metadata: RewriteMetadata {
            original_query: text.to_owned(),
            rewritten_query: rewritten.clone(),
            pattern_name: pattern.name.clone(),
            pattern_type: pattern.kind().to_owned(),
            matched_entities: found.entities.clone(),
            rewrite_hint: pattern.hint().map(str::to_owned),
            confidence: found.confidence,
        },
        text: rewritten,
    })
}

const PATTERNS: &str = include_str!("../../../data/patterns.yaml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::samples;

    #[test]
    fn every_example_of_the_shipped_patterns_comes_out() {
        let rewriter = Rewriter::read(PATTERNS).unwrap();
        assert_eq!(rewriter.failures(), Vec::<String>::new());
        assert!(rewriter.patterns.iter().filter(|it| it.enabled).count() >= 8);
    }

    #[test]
    fn adds_words_and_never_drops_any() {
        let index = samples::index(&[(
            "cv.md",
            "# CV\n\nShe runs Kubernetes clusters. Her doctorate was in physics. Contact: mail to x@example.org.",
        )]);
        for (question, expected) in [
            ("Which k8s clusters?", Some("Which k8s clusters? Kubernetes")),
            ("Does she have a PhD?", Some("Does she have a PhD? doctorate")),
            ("What was her doctorate about?", None),
            ("What was the weather?", None),
            ("How can I get in touch?", Some("How can I get in touch? contact mail")),
        ] {
            let rewrite = Rewriter::shipped().rewrite(question, &index);
            assert_eq!(rewrite.as_ref().map(|it| it.text.as_str()), expected, "{question}");
            assert!(rewrite.is_none_or(|it| it.text.contains(question)));
        }
    }

    #[test]
    fn the_highest_priority_wins() {
        let yaml = |first: i32, second: i32| {
            format!(
                "version: 1\npatterns:\n{}{}",
                pattern("low", first, "beta"),
                pattern("high", second, "gamma")
            )
        };
        let name = |yaml: &str| {
            let rewriter = Rewriter::read(yaml).unwrap();
            rewriter.apply("alpha", &others).unwrap().metadata.pattern_name
        };
        assert_eq!(name(&yaml(1, 2)), "high");
        assert_eq!(name(&yaml(2, 1)), "low");
        assert_eq!(name(&yaml(1, 1)), "low", "of equals the one further up");
    }

    #[test]
    fn keywords_are_whole_words() {
        let yaml = format!("version: 1\npatterns:\n{}", pattern("words", 1, "beta"));
        let rewriter = Rewriter::read(&yaml).unwrap();
        for (text, matches) in
            [("an alpha?", true), ("ALPHA", true), ("alphabet", false), ("", false)]
        {
            assert_eq!(rewriter.apply(text, &others).is_some(), matches, "{text}");
        }
        assert!(rewriter.apply(&"alpha ".repeat(60), &others).is_none(), "longer than {MAX_CHARS}");
        assert!(rewriter.apply("alpha", &|_| 0).is_none(), "the documents have no such word");
    }

    #[test]
    fn faults_name_the_pattern() {
        let twice =
            format!("version: 1\npatterns:\n{}{}", pattern("a", 1, "b"), pattern("a", 1, "b"));
        assert_eq!(
            Rewriter::read(&twice).unwrap_err(),
            PatternFault::Duplicate { name: "a".to_owned() }
        );
        assert_eq!(
            Rewriter::read("version: 2\npatterns: []").unwrap_err(),
            PatternFault::Version { got: 2 }
        );
        let bad = "version: 1\npatterns: [{name: a, matching: {type: regex_list, rules: [{pattern: '('}]}, \
                   strategy: {type: passthrough}, examples: []}]";
        assert!(
            matches!(Rewriter::read(bad), Err(PatternFault::Expression { name, .. }) if name == "a")
        );
        let unknown = "version: 1\npatterns: [{name: a, colour: red}]";
        assert!(
            matches!(Rewriter::read(unknown), Err(PatternFault::Shape { reason }) if reason.contains("colour"))
        );
    }

    /// The documents have every word but the visitor's.
    fn others(term: &str) -> usize {
        usize::from(term != "alpha")
    }

    fn pattern(name: &str, priority: i32, synonym: &str) -> String {
        format!(
            "  - name: {name}\n    priority: {priority}\n    matching: {{type: keywords, keywords: [alpha]}}\n    \
             strategy: {{type: synonym_expansion, synonyms: {{alpha: [{synonym}]}}}}\n    \
             examples: [{{input: alpha, output: alpha {synonym}}}]\n"
        )
    }
}
