//! What the chat can say of itself: whose documents it answers from, and what they are about.

use std::collections::BTreeMap;

use crate::index::Index;

/// Topics offered at once: more are not read.
pub const MAX_TOPICS: usize = 4;
/// Chunks looked at for headings, where there are too few documents to offer.
const CHUNKS: usize = 200;

/// Whose documents these are, and what they are about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Subject {
    /// The person, as most documents name them (front matter `person`).
    pub name: Option<String>,
    /// At most [`MAX_TOPICS`] titles of documents; of a single document, its headings.
    pub topics: Vec<String>,
}

impl Subject {
    /// Reads it from an index.
    pub fn of(index: &Index) -> Self {
        let mut people: BTreeMap<&str, usize> = BTreeMap::new();
        for person in index.documents().iter().filter_map(|it| it.metadata.get("person")) {
            *people.entry(person.first().map_or("", String::as_str)).or_default() += 1;
        }
        // Of names that are as frequent, the first in the alphabet, whatever the order of files.
        let name = people.iter().rev().max_by_key(|(_, count)| **count);
        Self {
            name: name.map(|(name, _)| (*name).to_owned()).filter(|name| !name.is_empty()),
            topics: topics(index),
        }
    }

    /// "Marie Curie's documents", or just "the documents".
    pub(super) fn documents(&self) -> String {
        match &self.name {
            Some(name) if name.ends_with('s') => format!("{name}' documents"),
            Some(name) => format!("{name}'s documents"),
            None => "the documents".to_owned(),
        }
    }
}

fn topics(index: &Index) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    let titles = index.documents().iter().map(|it| it.title.clone());
    if index.documents().len() >= MAX_TOPICS {
        collect(&mut topics, titles);
    } else {
        let chunks = (0..index.chunks().len().min(CHUNKS)).filter_map(|at| index.chunks().get(at));
        // The first heading mostly repeats the title.
        collect(&mut topics, chunks.filter_map(|chunk| chunk.heading.get(1).cloned()));
        collect(&mut topics, titles);
    }
    topics
}

fn collect(topics: &mut Vec<String>, from: impl Iterator<Item = String>) {
    for topic in from {
        if topics.len() < MAX_TOPICS && !topics.contains(&topic) {
            topics.push(topic);
        }
    }
}

/// Joins with commas and a last word: "A, B or C"; with semicolons where a part has commas itself.
pub(super) fn joined(parts: &[String], last: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., tail] => {
            let by = if parts.iter().any(|it| it.contains(',')) { "; " } else { ", " };
            format!("{} {last} {tail}", head.join(by))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::samples;

    #[test]
    fn names_person_and_topics() {
        let subject = Subject::of(&samples::scientist());
        assert_eq!(subject.name.as_deref(), Some("Marie Curie"));
        assert_eq!(
            subject.topics,
            ["Curriculum vitae", "Degrees", "Prizes and medals", "Journeys"].map(str::to_owned)
        );
        let one = samples::index(&[("me.md", "# Me\n\n## Work\n\nx\n\n## Training\n\ny")]);
        let subject = Subject::of(&one);
        assert_eq!(
            (subject.name.is_none(), subject.topics.join(", ").as_str()),
            (true, "Work, Training, me")
        );
        assert_eq!(joined(&subject.topics, "or"), "Work, Training or me");
        assert_eq!(joined(&["a, b", "c", "d"].map(str::to_owned), "or"), "a, b; c or d");
    }
}
