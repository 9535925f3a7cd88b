//! False premises: a question that takes for granted what the documents do not know, or know of
//! another year. "Why did she leave Google?"

use std::collections::BTreeSet;

use super::{
    category::Category,
    claim::{Claim, skip},
    existence::{is_person, is_silent},
    inventory::Inventory,
    token::{AUXILIARIES, PREPOSITIONS, QUESTION_WORDS, Token, tokens},
};
use crate::{
    index::Index,
    retrieval::Retrieval,
    text::{plain, sentences, terms::terms},
};

/// Passages in which a thing is looked for.
const POOL: usize = 50;
/// Words of a name before the verb.
const MAX_SUBJECT: usize = 3;

/// The answer that a question takes something wrong for granted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Correction {
    /// The answer, with `[n]`.
    pub text: String,
    /// Position of the chunk behind each `n`, `n` counting from 1.
    pub cited: Vec<usize>,
}

/// Corrects a question about the person that presupposes a name which the documents never mention,
/// or a year for which they give another.
pub fn premise(text: &str, index: &Index, retrieval: &Retrieval) -> Option<Correction> {
    let sentence = *sentences(text).last()?;
    let words = tokens(sentence);
    let claim = presupposed(sentence, &words, index)?;
    if is_silent(claim.category, &claim.words, index, retrieval) {
        let (listed, cited) = Inventory::of(index, claim.category)?.quoted();
        let (entity, plural) = (&claim.entity, claim.category.plural());
        let text =
            format!("The documents do not mention {entity}. The {plural} they list: {listed}.");
        return Some(Correction { text, cited });
    }
    misdated(&words, &claim, index)
}

/// What a question with a question word says of the person as a matter of course.
fn presupposed(text: &str, words: &[Token], index: &Index) -> Option<Claim> {
    let opened = skip(words, &["and", "so", "but", "then", "hi", "hello"]);
    let asks = opened.iter().take_while(|it| it.is(PREPOSITIONS)).count();
    if !opened.get(asks)?.is(QUESTION_WORDS) {
        return None;
    }
    if let Some(at) = opened.iter().position(|it| it.is(ROLES))
        && opened.get(at + 1).is_some_and(|it| it.is(&["at", "with", "for"]))
        && opened.iter().any(|it| it.is(OWNERS))
    {
        return Claim::object(text, opened.get(at + 2..)?, Some(Category::Employer));
    }
    let at = opened.iter().position(|it| it.is(AUXILIARIES))?;
    let after = opened.get(at + 1..)?;
    let subject = match after.first()?.is(&["i", "you", "he", "she", "they", "we"]) {
        true => 1,
        false => after.iter().take(MAX_SUBJECT).take_while(|it| index.is_subject(&it.word)).count(),
    };
    let named = after.get(..subject).filter(|it| !it.is_empty())?;
    if subject > 1 || !named[0].is(&["i", "you", "he", "she", "they", "we"]) {
        let name = text.get(named[0].span.start..named[subject - 1].span.end)?;
        if !is_person(name, index) {
            return None;
        }
    }
    let clause = after.get(subject..)?;
    let verb = clause.first()?;
    // A company is left or joined by its name.
    if verb.is(&["leave", "left", "quit", "join", "joined"]) {
        let named =
            clause.get(1).is_some_and(|it| !it.is(&["the", "a", "her", "his", "my", "your"]));
        return named
            .then(|| Claim::object(text, &clause[1..], Some(Category::Employer)))
            .flatten();
    }
    Claim::of(text, clause)
}

/// A thing that the documents date otherwise: all sentences and headings that name it agree on one
/// year, and no passage that names it has the year of the question.
fn misdated(words: &[Token], claim: &Claim, index: &Index) -> Option<Correction> {
    let mut years = words.iter().filter(|it| it.is_year());
    let asked = &years.next().filter(|_| years.clone().next().is_none())?.word;
    let name: Vec<String> =
        claim.entity.split_whitespace().flat_map(terms).filter(|it| it != asked).collect();
    let told = terms(&claim.entity);
    let has = |text: &str| {
        let own = terms(text);
        told.iter().filter(|it| *it != asked).all(|term| own.contains(term))
    };
    let mut given: BTreeSet<String> = BTreeSet::new();
    let mut quote: Option<(String, usize)> = None;
    for found in index.lexical().search(&name, POOL, None).ok()? {
        let Some(chunk) = index.chunks().get(found.ordinal) else { continue };
        if !has(&chunk.lexical_text()) {
            continue;
        }
        if terms(&chunk.lexical_text()).contains(asked) {
            return None;
        }
        for heading in chunk.heading.iter().filter(|heading| has(heading)) {
            given.extend(dates(heading));
        }
        let passage = plain(&chunk.passage());
        for sentence in sentences(&passage).into_iter().filter(|sentence| has(sentence)) {
            let dates = dates(sentence);
            if !dates.is_empty() && quote.is_none() {
                quote = Some((sentence.trim_end_matches('.').to_owned(), found.ordinal));
            }
            given.extend(dates);
        }
    }
    let (quote, ordinal) = quote?;
    let mut given = given.into_iter();
    let year = given.next().filter(|_| given.next().is_none())?;
    let entity = &claim.entity;
    let text = format!("The documents give {year} for {entity}, not {asked}: {quote} [1].");
    Some(Correction { text, cited: vec![ordinal] })
}

fn dates(text: &str) -> Vec<String> {
    // A span of years dates nothing: all of its years count.
    let parts = text.split(|it: char| !it.is_ascii_alphanumeric());
    parts.flat_map(tokens).filter(Token::is_year).map(|it| it.word).collect()
}

/// What somebody is or has at an employer.
const ROLES: &[&str] = &[
    "role", "job", "position", "title", "salary", "boss", "manager", "team", "time", "years",
    "work", "career",
];
const OWNERS: &[&str] = &["my", "your", "her", "his", "their"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        retrieval::{Mode, Query, Retriever},
        understanding::samples,
    };

    fn corrected(text: &str) -> Option<String> {
        let index = samples::scientist();
        let query = Query { text, top_k: 5, mode: Mode::Bm25, ..Query::default() };
        let retrieval = Retriever::new(&index, None).search(&query);
        premise(text, &index, &retrieval).map(|it| it.text)
    }

    #[test]
    fn corrects_what_was_taken_for_granted() {
        const POSTS: &str = "The documents do not mention Google. The posts they list: Teacher, Sèvres; \
                             Professor, Faculty of Sciences [1].";
        for text in [
            "Why did she leave Google?",
            "When did she join Google?",
            "How long did Marie Curie work at Google?",
            "What did she do at Google?",
            "What was her role at Google?",
        ] {
            assert_eq!(corrected(text).as_deref(), Some(POSTS), "{text}");
        }
        assert_eq!(
            corrected("When did she win the Oscar?").unwrap(),
            "The documents do not mention Oscar. The awards they list: Davy Medal 1903 [1]; Matteucci Medal \
             1904 [2]; Nobel Prize 1911 [3]."
        );
        assert_eq!(
            corrected("Why did she receive the Davy Medal in 1910?").unwrap(),
            "The documents give 1903 for Davy Medal, not 1910: The Royal Society of London gave her the \
             Davy Medal in 1903 [1]."
        );
    }

    #[test]
    fn leaves_alone_what_might_be_so() {
        for text in [
            "Why did she receive the Davy Medal in 1903?",
            "When did she receive the Matteucci Medal?",
            "When did Einstein win the Oscar?",
            "When did she visit Brazil?",
            "What is the capital of Australia?",
            "Who wrote The Lord of the Rings?",
            "Why did she leave the country?",
            "What did she write to Niels Bohr?",
            "Has she worked at Google?",
            "What did she win in 1903?",
            "",
        ] {
            assert_eq!(corrected(text), None, "{text}");
        }
    }
}
