//! Ambiguity: questions too vague to search for, and what to ask back.
//!
//! The question back offers only what the documents have.

use super::{
    category::Category,
    follow_up::{own_terms, points},
    inventory::Inventory,
    subject::joined,
    token::{Token, is_function, names, tokens},
};
use crate::{
    index::{Index, MAX_TOPICS},
    wire::PackDocument,
};

/// A term in more than this share of the passages says nothing by itself.
const COMMON: f32 = 0.1;
/// Fewer passages than this are few enough to answer from.
const FEW: usize = 5;
/// Terms of its own with which a question can be searched for although it points to something.
const OWN_TERMS: usize = 2;

/// A question back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Clarification {
    /// What to say.
    pub text: String,
    /// What it offers, at most [`MAX_TOPICS`]; each can be asked about.
    pub options: Vec<String>,
}

/// Asks back where `text` is too vague: nothing to search for, a bare "Projects?", "tell me more"
/// or "when was it?" at the start of a conversation.
pub fn ambiguity(text: &str, has_history: bool, index: &Index) -> Option<Clarification> {
    let words = tokens(text);
    if words.is_empty() {
        return Some(clarification(None, index.header().subject.topics.clone()));
    }
    if has_history {
        return None;
    }
    let own = own_terms(text, index);
    let spoken: Vec<&str> = words.iter().map(|it| it.word.as_str()).collect();
    let continues = CONTINUATIONS.contains(&spoken.join(" ").as_str());
    let dangles = own.len() < OWN_TERMS && names(&words, index).is_empty() && points(&words, index);
    if continues || dangles {
        return Some(clarification(None, index.header().subject.topics.clone()));
    }
    let noun = bare_noun(&words)?;
    let category = VAGUE.iter().find(|(vague, _)| *vague == noun).map(|(_, category)| *category);
    let options = match category {
        Some(Some(category)) => options(index, category),
        Some(None) => index.header().subject.topics.clone(),
        None => common(&own, index)?,
    };
    (options.len() > 1).then(|| clarification(Some(&noun), options))
}

/// The one word that a question consists of, beside whose it is.
fn bare_noun(words: &[Token]) -> Option<String> {
    let mut telling = words.iter().filter(|it| {
        !it.is(&[
            "about", "my", "your", "her", "his", "their", "the", "tell", "me", "please", "of",
            "some", "any",
        ])
    });
    let noun = telling.next().filter(|it| !is_function(&it.word))?;
    telling.next().is_none().then(|| noun.word.clone())
}

fn options(index: &Index, category: Category) -> Vec<String> {
    let items = Inventory::of(index, category).map(|it| it.items).unwrap_or_default();
    let told = |it: &&PackDocument| {
        let types = it.metadata.get("doc_type").map(Vec::as_slice).unwrap_or_default();
        category.share(&it.title) > 0.0
            || types.iter().any(|kind| category.share(&kind.replace('_', " ")) > 0.0)
    };
    let titles = index.documents().iter().filter(told).map(|it| it.title.clone());
    let mut options: Vec<String> = match category {
        // A project mostly has a document of its own.
        Category::Project => titles.chain(items.into_iter().map(|(item, _)| item)).collect(),
        _ => items.into_iter().map(|(item, _)| item).chain(titles).collect(),
    };
    options.truncate(MAX_TOPICS);
    options
}

/// Titles of the documents that speak of a term, where too many passages do to answer.
fn common(own: &[String], index: &Index) -> Option<Vec<String>> {
    let [term] = own else { return None };
    let with = index.lexical().frequency(term);
    if with < FEW || (with as f32) < COMMON * index.chunks().len() as f32 {
        return None;
    }
    let found = index.lexical().search(own, with, None).ok()?;
    let mut titles: Vec<String> = Vec::new();
    for chunk in found.iter().filter_map(|it| index.chunks().get(it.ordinal)) {
        if titles.len() < MAX_TOPICS && !titles.contains(&chunk.title) {
            titles.push(chunk.title.clone());
        }
    }
    Some(titles)
}

fn clarification(noun: Option<&str>, options: Vec<String>) -> Clarification {
    let about = noun.map(|noun| format!(" about \"{noun}\"")).unwrap_or_default();
    let offer = match joined(&options, "or") {
        offer if offer.is_empty() => String::new(),
        offer => format!(" For example, which of these: {offer}?"),
    };
    let text = format!(
        "Could you clarify what you would like to know{about}? A specific question finds the best answer.{offer}"
    );
    Clarification { text, options }
}

/// Requests for more, at the start of a conversation: more of what?
const CONTINUATIONS: &[&str] = &[
    "tell me more",
    "say more",
    "explain more",
    "more",
    "more please",
    "what else",
    "anything else",
    "elaborate",
    "please elaborate",
    "can you elaborate",
    "details",
    "more details",
    "give me details",
    "more info",
    "more information",
    "continue",
    "go on",
    "keep going",
    "next",
    "explain",
    "why",
    "how",
    "when",
    "where",
    "who",
    "what",
    "which",
    "and",
    "so",
    "yes",
    "no",
    "example",
    "for example",
    "tell me",
    "i want to know more",
    "how so",
    "how come",
    "really",
    "question",
    "i have a question",
    "what do you mean",
];
/// Nouns that everybody's documents have much to say about, and what they mean there.
const VAGUE: &[(&str, Option<Category>)] = &[
    ("experience", Some(Category::Employer)),
    ("experiences", Some(Category::Employer)),
    ("work", Some(Category::Employer)),
    ("career", Some(Category::Employer)),
    ("jobs", Some(Category::Employer)),
    ("project", Some(Category::Project)),
    ("projects", Some(Category::Project)),
    ("skills", Some(Category::Skill)),
    ("skill", Some(Category::Skill)),
    ("education", Some(Category::Degree)),
    ("studies", Some(Category::Degree)),
    ("qualifications", Some(Category::Degree)),
    ("certifications", Some(Category::Certificate)),
    ("certificates", Some(Category::Certificate)),
    ("publications", Some(Category::Publication)),
    ("awards", Some(Category::Award)),
    ("achievements", Some(Category::Award)),
    ("background", None),
    ("history", None),
    ("profile", None),
    ("info", None),
    ("information", None),
    ("documents", None),
    ("stuff", None),
    ("things", None),
    ("everything", None),
    ("anything", None),
    ("something", None),
    ("life", None),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::samples;

    fn ask(text: &str, has_history: bool) -> Option<Clarification> {
        ambiguity(text, has_history, &samples::scientist())
    }

    #[test]
    fn asks_back() {
        for text in [
            "???",
            "Tell me more",
            "tell me more!",
            "what else?",
            "My experience?",
            "her work",
            "Awards?",
            "background",
            "When was it?",
            "Who gave it to her?",
            "What about that one?",
            "Why?",
            "the second one?",
            "Tell me about your skills",
        ] {
            let back = ask(text, false).unwrap_or_else(|| panic!("{text}"));
            for word in ["clarify", "which", "specific"] {
                assert!(back.text.contains(word), "{text}: {}", back.text);
            }
            assert!((2..=MAX_TOPICS).contains(&back.options.len()), "{text}: {:?}", back.options);
            assert!(back.options.iter().all(|option| back.text.contains(option.as_str())));
        }
    }

    #[test]
    fn offers_what_there_is() {
        let options = |text| ask(text, false).unwrap().options.join(", ");
        assert_eq!(
            options("Awards?"),
            "Davy Medal 1903, Matteucci Medal 1904, Nobel Prize 1911, Prizes and medals"
        );
        assert_eq!(options("...?"), "Curriculum vitae, Degrees, Prizes and medals, Journeys");
        assert_eq!(ask("Projects?", false), None, "there are none to offer");
    }

    #[test]
    fn answers_what_can_be_searched_for() {
        for text in [
            "Brazil?",
            "email address?",
            "Where was she born?",
            "Did she marry?",
            "Davy Medal",
            "What is it that she discovered with Pierre?",
            "Which awards are there?",
            "Languages?",
            "quarks",
            "When did she visit Italy?",
            "Who is she?",
            "Tell me about her journeys",
            "Is it true that radium glows?",
        ] {
            assert_eq!(ask(text, false), None, "{text}");
        }
        for text in ["tell me more", "When was it?", "Awards?", "why?"] {
            assert_eq!(ask(text, true), None, "{text}");
        }
        assert!(ask("?!", true).is_some());
    }
}
