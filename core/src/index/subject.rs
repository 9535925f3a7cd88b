//! What a pack says of its documents: whose they are, what they are about, what to ask.

use std::collections::BTreeMap;

use crate::{text::Chunk, wire::Subject};

/// Topics named: more are not read.
pub const MAX_TOPICS: usize = 4;
/// Questions offered.
const MAX_QUESTIONS: usize = 6;

/// Reads it from the chunks of all documents, those of one document in a row.
pub(super) fn subject(chunks: &[Chunk]) -> Subject {
    let documents: Vec<&Chunk> =
        chunks.chunk_by(|a, b| a.source == b.source).filter_map(<[Chunk]>::first).collect();
    let mut people: BTreeMap<&str, usize> = BTreeMap::new();
    for person in documents.iter().filter_map(|it| it.metadata.get("person")?.first()) {
        *people.entry(person).or_default() += 1;
    }
    // Of names that are as frequent, the first in the alphabet, whatever the order of files.
    let person = people.iter().rev().max_by_key(|(_, count)| **count);
    let person = person.map(|(name, _)| (*name).to_owned()).filter(|name| !name.is_empty());
    let mut topics = Vec::new();
    if documents.len() < MAX_TOPICS {
        // The first heading mostly repeats the title.
        collect(&mut topics, chunks.iter().filter_map(|chunk| chunk.heading.get(1)), MAX_TOPICS);
    }
    let titles =
        documents.iter().map(|it| title(it)).filter(|title| Some(*title) != person.as_ref());
    collect(&mut topics, titles, MAX_TOPICS);
    let mut questions = Vec::new();
    let asked = documents.iter().filter_map(|it| it.metadata.get("questions")).flatten();
    collect(&mut questions, asked, MAX_QUESTIONS);
    Subject { person, topics, questions }
}

/// What a document calls itself: a title of its own, else the heading that all of it is below, else
/// the name of its file.
fn title(first: &Chunk) -> &String {
    let is_given = first.metadata.contains_key("title");
    first.heading.first().filter(|_| !is_given).unwrap_or(&first.title)
}

fn collect<'a>(kept: &mut Vec<String>, from: impl Iterator<Item = &'a String>, most: usize) {
    for it in from {
        if kept.len() < most && !kept.contains(it) {
            kept.push(it.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Document, chunks};

    fn check(files: &[(&str, &str)], person: Option<&str>, topics: &[&str], questions: &[&str]) {
        let read = |(name, text): &(&str, &str)| {
            chunks(&Document::read(name, text.as_bytes().to_vec()).unwrap())
        };
        let all: Vec<Chunk> = files.iter().flat_map(read).collect();
        let subject = subject(&all);
        assert_eq!(subject.person.as_deref(), person);
        assert_eq!((subject.topics, subject.questions), (owned(topics), owned(questions)));
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn one_document_is_told_by_its_headings() {
        let cv = "# Ada Byron\n\n## Work\n\nx\n\n## Training\n\ny";
        check(&[("cv.md", cv)], Some("Ada Byron"), &["Work", "Training"], &[]);
        check(&[("x.md", "# Notes\n\n## Work\n\nx")], None, &["Work", "Notes"], &[]);
        check(&[("my_notes.md", "text alone")], None, &["my notes"], &[]);
    }

    #[test]
    fn many_are_told_by_their_titles_and_most_of_them_name_the_person() {
        let named = |title: &str, person: &str| {
            format!("---\ntitle: {title}\nperson: {person}\nquestions: [Why?, {title}?]\n---\nx")
        };
        let texts = [
            named("A", "Bo"),
            named("B", "Bo"),
            named("C", "Al"),
            named("D", "Bo"),
            named("E", "Bo"),
        ];
        let names = ["a.md", "b.md", "c.md", "d.md", "e.md"];
        let files: Vec<(&str, &str)> =
            names.into_iter().zip(texts.iter().map(String::as_str)).collect();
        let questions = ["Why?", "A?", "B?", "C?", "D?", "E?"];
        check(&files, Some("Bo"), &["A", "B", "C", "D"], &questions);
        check(&files[1..3], Some("Al"), &["B", "C"], &["Why?", "B?", "C?"]);
    }
}
