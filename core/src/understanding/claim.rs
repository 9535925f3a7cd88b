//! Claims: what a clause says that a person has done or has, and of which category it is.
//!
//! "have a PhD", "worked at Google", "won an Oscar". Only clauses whose object is a name, a degree or
//! a language are claims: of common nouns nobody can say that documents do not speak of them in other
//! words.

use super::{
    category::Category,
    inventory::is_language,
    token::{PREPOSITIONS, Token, is_function},
};

/// Words of an object; a longer one is more than a name.
const MAX_OBJECT: usize = 7;

/// A thing of a category, as the visitor names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Claim {
    /// What kind of thing it is.
    pub(super) category: Category,
    /// The whole object: "Oracle cert".
    pub(super) entity: String,
    /// The words of it that tell it from others of its kind, as written: "Oracle".
    pub(super) words: Vec<String>,
}

impl Claim {
    /// Reads the clause that starts with its verb.
    pub(super) fn of(text: &str, clause: &[Token]) -> Option<Self> {
        let clause = skip(clause, ADVERBS);
        let [verb, rest @ ..] = clause else { return None };
        let relation = relation(verb, rest)?;
        let rest = rest.get(relation.skipped..)?;
        Self::object(text, rest, relation.category)
    }

    /// Reads an object, of `category` if its verb tells, else of the one that its noun tells.
    pub(super) fn object(text: &str, words: &[Token], category: Option<Category>) -> Option<Self> {
        let article = words.first().is_some_and(|it| it.is(&["a", "an", "any", "some"]));
        let words = skip(words, DETERMINERS);
        let end = words.iter().position(|it| it.is(TAIL)).unwrap_or(words.len());
        let words = words.get(..end).filter(|it| !it.is_empty() && it.len() <= MAX_OBJECT)?;
        if words.iter().any(|it| it.is(CLAUSE)) {
            return None;
        }
        let noun = words.iter().filter_map(|it| Category::of_noun(&it.word)).next();
        let category = category.or(noun)?;
        let telling: Vec<&Token> = words.iter().filter(|it| tells(it, category)).collect();
        // "a Fortune 500 company" may be there under its own name.
        let kind = words.last().is_some_and(|it| !it.name && it.is(KINDS));
        if telling.is_empty() || article && kind {
            return None;
        }
        // "experience with COBOL" asks for COBOL.
        let head = match words {
            [noun, link, ..] if link.is(PREPOSITIONS) && !tells(noun, category) => 2,
            _ => 0,
        };
        let last = words
            .iter()
            .rposition(|it| tells(it, category) || category.nouns().contains(&it.word.as_str()))?;
        let span = words.get(head)?.span.start..words.get(last)?.span.end;
        Some(Self {
            category,
            entity: text.get(span)?.to_owned(),
            words: telling
                .iter()
                .filter_map(|it| text.get(it.span.clone()))
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// Whether a word tells a thing from others of its category.
fn tells(token: &Token, category: Category) -> bool {
    let word = token.word.as_str();
    match category {
        Category::Language => is_language(word),
        _ if has(GENERIC, word) || is_function(word) || token.is_year() => false,
        Category::Degree if LEVELS.contains(&word) => true,
        Category::Award if ["oscar", "oscars", "grammy", "nobel", "pulitzer"].contains(&word) => {
            true
        }
        _ => {
            (token.name || has(KNOWN, word)) && Category::of_noun(word).is_none() && word.len() > 1
        }
    }
}

/// What a verb says of its object.
struct Relation {
    /// The category, where the verb alone tells.
    category: Option<Category>,
    /// Words between the verb and its object.
    skipped: usize,
}

fn relation(verb: &Token, rest: &[Token]) -> Option<Relation> {
    let next = |at: usize| rest.get(at).map_or("", |it| it.word.as_str());
    let to =
        |category: Category, skipped: usize| Some(Relation { category: Some(category), skipped });
    match (verb.word.as_str(), next(0)) {
        ("have" | "has" | "had", "been") if next(1) == "to" => to(Category::Place, 2),
        ("have" | "has" | "had", "experience" | "knowledge" | "skills" | "expertise") => {
            match next(1) {
                "with" | "in" | "of" | "using" => to(Category::Skill, 2),
                _ => None,
            }
        }
        ("experience" | "expertise", "with" | "in" | "using") => to(Category::Skill, 1),
        ("member", "of") => to(Category::Membership, 1),
        ("belong" | "belonged", "to") => to(Category::Membership, 1),
        ("a" | "an", "member" | "fellow") if next(1) == "of" => to(Category::Membership, 2),
        (
            "work" | "worked" | "working" | "employed" | "interned" | "intern",
            "at" | "for" | "by",
        ) => to(Category::Employer, 1),
        ("teach" | "taught" | "lecture" | "lectured", "at") => to(Category::Employer, 1),
        ("resign" | "resigned" | "fired" | "quit", "from") => to(Category::Employer, 1),
        ("do" | "done" | "doing", "at") => to(Category::Employer, 1),
        ("study" | "studied" | "graduate" | "graduated" | "enrolled", "at" | "from") => {
            to(Category::Degree, 1)
        }
        ("fluent", "in") => to(Category::Language, 1),
        ("speak" | "spoke" | "spoken" | "speaks" | "learn" | "learned" | "learnt", _) => {
            to(Category::Language, 0)
        }
        ("live" | "lived" | "living", "in") => to(Category::Place, 1),
        ("been" | "go" | "gone" | "travel" | "travelled" | "traveled" | "move" | "moved", "to") => {
            to(Category::Place, 1)
        }
        ("visit" | "visited", _) => to(Category::Place, 0),
        ("win" | "won" | "awarded", _) => to(Category::Award, 0),
        ("nominated", "for") => to(Category::Award, 1),
        (
            "work" | "worked" | "working" | "use" | "used" | "know" | "knows" | "familiar"
            | "proficient" | "experienced",
            _,
        ) => {
            let skipped = usize::from(["with", "in"].contains(&next(0)));
            let tool = rest.get(skipped).is_some_and(|it| has(KNOWN, &it.word));
            // One knows and works with people too.
            tool.then_some(Relation { category: Some(Category::Skill), skipped })
        }
        ("program" | "programmed" | "code" | "coded", "in" | "with") => to(Category::Skill, 1),
        ("publish" | "published", "in") => to(Category::Publication, 1),
        ("certified", "in" | "for" | "by" | "on") => to(Category::Certificate, 1),
        (
            "have" | "has" | "had" | "got" | "get" | "gotten" | "hold" | "holds" | "held"
            | "possess" | "own" | "earn" | "earned" | "receive" | "received" | "obtain"
            | "obtained" | "complete" | "completed" | "finish" | "finished" | "pass" | "passed"
            | "do" | "done" | "achieve" | "achieved",
            _,
        ) => Some(Relation { category: None, skipped: 0 }),
        _ => None,
    }
}

/// Whether a word is in a list with spaces between its words.
fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|it| it == word)
}

/// The words after those at the start that are in `list`.
pub(super) fn skip<'a>(words: &'a [Token], list: &[&str]) -> &'a [Token] {
    &words[words.iter().take_while(|it| it.is(list)).count()..]
}

pub(super) const ADVERBS: &[&str] = &[
    "ever",
    "really",
    "actually",
    "already",
    "also",
    "currently",
    "still",
    "previously",
    "now",
    "even",
    "once",
    "indeed",
    "perhaps",
    "first",
    "just",
];
const DETERMINERS: &[&str] =
    &["a", "an", "any", "some", "the", "my", "your", "her", "his", "their", "our", "one", "valid"];
/// Words after which an object is complete.
const TAIL: &[&str] = &[
    "yet",
    "today",
    "before",
    "too",
    "anymore",
    "either",
    "please",
    "once",
    "now",
    "already",
    "during",
    "while",
    "since",
    "until",
    "then",
    "there",
    "currently",
    "somewhere",
];
/// Words that make an object more than one thing, or a clause.
const CLAUSE: &[&str] = &[
    "and", "or", "but", "nor", "because", "if", "that", "which", "who", "than", "when", "where",
    "why", "not", "no", "like", "besides", "except",
];
/// Nouns under which a thing may be there by its own name.
const KINDS: &[&str] = &[
    "company",
    "companies",
    "firm",
    "bank",
    "university",
    "school",
    "college",
    "hospital",
    "startup",
    "organisation",
    "organization",
    "agency",
    "institute",
    "city",
    "town",
    "country",
    "island",
    "society",
];
/// Words in capitals that many names share, and regions that hold places of other names.
const GENERIC: &str = "university institute college school academy society association company bank hospital \
    laboratory lab department faculty professional associate certified expert senior junior \
    international national royal state best top world year young english europe european asia \
    asian africa african america american americas australia oceania scandinavia scandinavian \
    balkans caribbean middle east west north south eu un abroad cloud it ai driver driving inc \
    ltd gmbh";
/// Degrees that are told apart by level.
const LEVELS: &[&str] = &[
    "phd",
    "dphil",
    "doctorate",
    "mba",
    "master",
    "masters",
    "msc",
    "bachelor",
    "bachelors",
    "bsc",
    "postdoc",
];
/// Names that visitors write in small letters.
const KNOWN: &str = "google microsoft amazon apple facebook meta netflix ibm oracle intel nvidia tesla spacex \
    openai anthropic twitter uber airbnb spotify sap siemens cisco salesforce adobe deloitte \
    accenture mckinsey harvard stanford mit oxford cambridge yale princeton nasa cern unesco \
    aws azure gcp java javascript typescript python rust golang kotlin swift php ruby perl \
    scala haskell cobol fortran matlab sql mongodb redis kafka docker kubernetes terraform \
    ansible react angular vue django tensorflow pytorch photoshop excel powerpoint tableau \
    jenkins linux spark hadoop pulitzer toefl ielts gmat cissp cka ckad cks ccna pmp itil scrum \
    comptia c++ c# .net node.js spss stata latex";
