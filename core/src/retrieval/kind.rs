//! What a question asks for, as far as its words tell.

use crate::text::terms;

/// What a question asks for, as far as its words tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Anything.
    Any,
    /// Several things.
    List,
    /// How many, how much.
    Number,
    /// Who.
    Person,
    /// Where.
    Place,
    /// When, how long.
    Time,
}

impl Kind {
    /// Tells it from the question.
    pub fn of(question: &str) -> Self {
        let words = terms::words(question);
        let has = |word: &str| words.iter().any(|it| it == word);
        let text = words.join(" ");
        if text.contains("how many") || text.contains("how much") || has("number") || has("count") {
            Self::Number
        } else if has("when")
            || has("year")
            || has("date")
            || text.contains("how long")
            || text.contains("how old")
        {
            Self::Time
        } else if has("where") || ["city", "country", "town"].into_iter().any(has) {
            Self::Place
        } else if has("who") || has("whom") || has("whose") {
            Self::Person
        } else if has("list")
            || has("all")
            || (has("which") || has("what")) && words.iter().take(3).any(|it| is_plural(it))
        {
            Self::List
        } else {
            Self::Any
        }
    }

    /// Whether `sentence` says such a thing that `question` does not.
    pub fn fits(self, sentence: &str, question: &str) -> bool {
        let year = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        let said = terms::words(sentence);
        match self {
            Self::Any | Self::List => true,
            Self::Time => said.iter().any(|word| year(word) && !question.contains(word.as_str())),
            Self::Number => said.iter().any(|word| {
                word.starts_with(|it: char| it.is_ascii_digit()) && !year(word)
                    || NUMBERS.contains(&word.as_str())
            }),
            Self::Place => sentence
                .split_whitespace()
                .zip(sentence.split_whitespace().skip(1))
                .any(|(before, word)| {
                    ["in", "at", "to", "near", "from"].contains(&before)
                        && word.starts_with(char::is_uppercase)
                        || before.ends_with(',') && word.starts_with(char::is_uppercase)
                }),
            Self::Person => sentence.split_whitespace().skip(1).any(|word| {
                word.starts_with(char::is_uppercase)
                    && !question.contains(word.trim_matches(|it: char| !it.is_alphanumeric()))
            }),
        }
    }
}

fn is_plural(word: &str) -> bool {
    word.len() > 3
        && word.ends_with('s')
        && !word.ends_with("ss")
        && word != "does"
        && word != "was"
}

const NUMBERS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "twenty", "thirty", "hundred", "thousand", "million", "both", "twice", "once",
];

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn kinds() {
        for (question, kind) in [
            ("When was it?", Kind::Time),
            ("Where was she born?", Kind::Place),
            ("Who was he?", Kind::Person),
            ("How many rooms?", Kind::Number),
            ("What awards did she win?", Kind::List),
            ("Did she marry?", Kind::Any),
        ] {
            assert_eq!(Kind::of(question), kind, "{question}");
        }
    }
}
