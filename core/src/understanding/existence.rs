//! Negative inference: "Do I have a PhD?", where the documents never mention one.
//!
//! They do not say no; they are a person's papers, and what such papers list and do not name is not
//! there. The answer says just that, and what they list instead.

use super::{
    absence::absent,
    category::Category,
    claim::{ADVERBS, Claim, skip},
    inventory::Inventory,
    token::{AUXILIARIES, Token, is_function, tokens},
};
use crate::{index::Index, retrieval::Retrieval, text::sentences};

/// Words of a question; a longer one says more than that something exists.
const MAX_WORDS: usize = 16;
/// Words of a name before the verb.
const MAX_SUBJECT: usize = 3;

/// A question whether the person has or has done something of a category.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Existence {
    /// The thing, as the visitor names it: "Oracle cert".
    pub entity: String,
    /// What kind of thing it is.
    pub category: Category,
    words: Vec<String>,
    subject: Option<String>,
}

/// The answer that something is not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denial {
    /// The answer, with `[n]`.
    pub text: String,
    /// Position of the chunk behind each `n`, `n` counting from 1.
    pub cited: Vec<usize>,
}

/// Tells such a question from its text, which must be as the visitor wrote it: capitals tell names.
pub fn existence(text: &str) -> Option<Existence> {
    let sentence = *sentences(text).last()?;
    let words = tokens(sentence);
    if words.len() > MAX_WORDS {
        return None;
    }
    let words = skip(&words, OPENINGS);
    let (subject, clause) = clause(sentence, words)?;
    let claim = match clause {
        Clause::Verb(clause) => Claim::of(sentence, clause),
        Clause::Object(object, category) => Claim::object(sentence, object, category),
    }?;
    Some(Existence { entity: claim.entity, category: claim.category, words: claim.words, subject })
}

/// Denies what the documents nowhere mention, and names what they list of its kind. `None` where
/// they might mention it, or list nothing of the kind.
pub fn deny(existence: &Existence, index: &Index, retrieval: &Retrieval) -> Option<Denial> {
    let about = existence.subject.as_deref().is_none_or(|name| is_person(name, index));
    if !about || !is_silent(existence.category, &existence.words, index, retrieval) {
        return None;
    }
    let (listed, cited) = Inventory::of(index, existence.category)?.quoted();
    let (entity, plural) = (&existence.entity, existence.category.plural());
    // Papers may name a city and not its country.
    let opening = if existence.category == Category::Place { "The" } else { "No: the" };
    let text =
        format!("{opening} documents do not mention {entity}. The {plural} they list: {listed}.");
    Some(Denial { text, cited })
}

/// Whether the documents are silent about a name of `category`.
///
/// A place is often named by a smaller one: what was found must not suffice either.
pub(super) fn is_silent(
    category: Category,
    words: &[String],
    index: &Index,
    retrieval: &Retrieval,
) -> bool {
    let found = category == Category::Place && retrieval.evidence.suffices();
    !found && !retrieval.degraded.contains(&"bm25") && absent(index, words, category)
}

/// Whether a name is that of the person whose documents these are.
pub(super) fn is_person(name: &str, index: &Index) -> bool {
    name.split_whitespace().all(|word| index.is_subject(word))
}

enum Clause<'a> {
    /// Starts with a verb.
    Verb(&'a [Token]),
    /// Is the thing alone, of a category where the question tells it.
    Object(&'a [Token], Option<Category>),
}

/// The clause of a question that asks whether, and whom it is about where that is no pronoun.
fn clause<'a>(text: &str, words: &'a [Token]) -> Option<(Option<String>, Clause<'a>)> {
    let [first, rest @ ..] = words else { return None };
    if first.is(&["any"]) {
        return Some((None, Clause::Object(rest, None)));
    }
    if !first.is(AUXILIARIES) {
        return None;
    }
    let [second, after @ ..] = skip(rest, ADVERBS) else { return None };
    if second.is(&["there"]) {
        return Some((None, Clause::Object(after, None)));
    }
    if second.is(PRONOUNS) {
        return Some((None, certified(first, after)));
    }
    // "does idris have …": any short name, which the index must know.
    let subject =
        &rest[..rest.iter().take(MAX_SUBJECT).position(|it| it.is(VERBS) || it.is(ADVERBS))?];
    if subject.iter().any(|it| is_function(&it.word)) {
        return None;
    }
    let (start, end) = (subject.first()?.span.start, subject.last()?.span.end);
    Some((Some(text.get(start..end)?.to_owned()), certified(first, &rest[subject.len()..])))
}

/// "is he AWS certified?" asks for a thing that "certified" makes a certificate.
fn certified<'a>(auxiliary: &Token, after: &'a [Token]) -> Clause<'a> {
    let ends = after.last().is_some_and(|it| it.is(&["certified"]));
    match auxiliary.is(&["is", "are", "was", "were"]) && ends && after.len() > 1 {
        true => Clause::Object(after, Some(Category::Certificate)),
        false => Clause::Verb(after),
    }
}

const OPENINGS: &[&str] =
    &["hi", "hello", "hey", "so", "and", "ok", "okay", "well", "but", "please", "also", "then"];
const PRONOUNS: &[&str] = &["i", "you", "he", "she", "they", "we"];
/// Verbs before which a name can stand.
const VERBS: &[&str] = &[
    "have",
    "got",
    "get",
    "hold",
    "own",
    "earn",
    "earned",
    "receive",
    "received",
    "obtain",
    "complete",
    "completed",
    "finish",
    "finished",
    "pass",
    "passed",
    "work",
    "worked",
    "working",
    "teach",
    "taught",
    "study",
    "studied",
    "graduate",
    "graduated",
    "speak",
    "spoken",
    "fluent",
    "live",
    "lived",
    "been",
    "travel",
    "travelled",
    "traveled",
    "visit",
    "visited",
    "win",
    "won",
    "awarded",
    "nominated",
    "use",
    "used",
    "know",
    "familiar",
    "proficient",
    "program",
    "programmed",
    "publish",
    "published",
    "certified",
    "belong",
    "a",
    "held",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        retrieval::{Mode, Query, Retriever},
        understanding::samples,
    };

    #[test]
    fn questions_of_existence() {
        for (text, expected) in [
            ("Do I have a PhD?", "PhD Degree"),
            ("do i have a phd", "phd Degree"),
            ("Does she have an MBA from Harvard?", "MBA from Harvard Degree"),
            ("Has she worked at Google?", "Google Employer"),
            ("Has Marie Curie ever worked at Google?", "Google Employer"),
            ("did idris work for amazon", "amazon Employer"),
            ("Did she ever get an Oracle cert?", "Oracle cert Certificate"),
            ("Do I have Azure certifications?", "Azure certifications Certificate"),
            ("Do you have any Azure certifications yet?", "Azure certifications Certificate"),
            ("Any Oracle certs?", "Oracle certs Certificate"),
            ("Is he Cisco certified?", "Cisco Certificate"),
            ("Is there an Oracle certification?", "Oracle certification Certificate"),
            ("Hi! Does she speak Spanish?", "Spanish Language"),
            ("is he fluent in japanese?", "japanese Language"),
            ("Have you got experience with COBOL?", "COBOL Skill"),
            ("Do you know Python?", "Python Skill"),
            ("Has she won an Oscar?", "Oscar Award"),
            ("Did she receive the Fields Medal?", "Fields Medal Award"),
            ("Have you ever been to Egypt?", "Egypt Place"),
            ("Was she a member of Mensa?", "Mensa Membership"),
        ] {
            let found = existence(text);
            let found = found.map(|it| format!("{} {:?}", it.entity, it.category));
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_questions() {
        for text in [
            "Does she have a degree?",
            "Do you have any tattoos?",
            "Do you have a dog or a cat?",
            "Do I have a PhD or a master's?",
            "Has she worked at a bank?",
            "Has she worked for a Fortune 500 company?",
            "Did she know Niels Bohr?",
            "Does he speak any Slavic languages?",
            "Did her sister win an Oscar?",
            "When did she work at Google?",
            "Is she married?",
            "Was she a qualified physician?",
            "Did the Curies hold a patent for extracting radium?",
            "Has he been to Asia?",
            "Do you work remotely?",
            "Does she have a European driving licence?",
            "Is Rust better than Java?",
            "DOES SHE HAVE AN ORANGE BICYCLE?",
            "",
        ] {
            assert_eq!(existence(text), None, "{text}");
        }
    }

    fn denied(text: &str) -> Option<String> {
        let index = samples::scientist();
        let query = Query { text, top_k: 5, mode: Mode::Bm25, ..Query::default() };
        let retrieval = Retriever::new(&index, None).search(&query);
        deny(&existence(text)?, &index, &retrieval).map(|it| it.text)
    }

    #[test]
    fn denies_with_what_there_is() {
        for (text, expected) in [
            (
                "Has she worked at Google?",
                "No: the documents do not mention Google. The posts they list: Teacher, Sèvres; Professor, Faculty of Sciences [1].",
            ),
            (
                "Does she speak Spanish?",
                "No: the documents do not mention Spanish. The languages they list: Polish; German; French [1].",
            ),
            (
                "Does Marie have an MBA?",
                "No: the documents do not mention MBA. The degrees and training they list: Licence in physics, Paris; Doctorate, Paris [1].",
            ),
            (
                "Has she been to Egypt?",
                "The documents do not mention Egypt. The places they list: Brazil 1926 [1]; Italy 1918 [2].",
            ),
        ] {
            assert_eq!(denied(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn leaves_alone_what_might_be_there() {
        for text in [
            "Does she have a PhD?",
            "Does she speak German?",
            "Has she been to Italy?",
            "Did she receive the Nobel Prize?",
            "Did Einstein work at Google?",
            "Do you have a Cisco cert?",
        ] {
            assert_eq!(denied(text), None, "{text}");
        }
    }
}
