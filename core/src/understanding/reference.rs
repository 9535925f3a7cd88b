//! References to the last answer: "the second one", "there", "then", "he".

use super::{
    ellipsis::ORDINALS,
    follow_up::is_someone_else,
    token::{Token, names, tokens},
};
use crate::{
    index::Index,
    retrieval::Kind,
    text::{plain, sentences},
    wire::TurnRecord,
};

/// Longest item that is taken over, in characters; the rest of it says little to a search.
const MAX_ITEM: usize = 120;

/// The item of the last answer that an ordinal names, where that answer is a list.
pub(super) fn item(words: &[Token], last: &TurnRecord) -> Option<String> {
    let at = words.iter().position(|it| it.is(ORDINALS))?;
    let bare = match words.get(at + 1) {
        None => true,
        Some(next) => next.is(&["one", "ones", "item", "of", "thing", "point"]),
    };
    let items = items(&last.answer);
    let item = match words[at].word.as_str() {
        "last" => items.last(),
        "next" | "previous" => None,
        ordinal => {
            let place = ORDINALS.iter().position(|it| *it == ordinal)?;
            // The first nine are words, the others digits.
            items.get(if place < 9 { place } else { place - 9 })
        }
    };
    let listed = is_list(last);
    item.filter(|_| bare && listed).map(|item| item.chars().take(MAX_ITEM).collect())
}

/// Words of the last answer that pronouns of the question stand for, where the question before asked
/// for just that: a place for "there", a time for "then", a person for "he" and "they".
pub(super) fn hints(words: &[Token], last: &TurnRecord, index: &Index) -> Vec<String> {
    let asked = Kind::of(&last.question);
    let answer = without_citations(&last.answer);
    let Some(sentence) = sentences(&answer).first().copied().map(str::to_owned) else {
        return Vec::new();
    };
    let said = tokens(&sentence);
    let has = |list: &[&str]| words.iter().any(|it| it.is(list));
    let known = |range: &std::ops::Range<usize>| {
        let name = &sentence[said[range.start].span.start..said[range.end - 1].span.end];
        last.question.contains(name)
    };
    let names = names(&said, index).into_iter().filter(|name| !known(name));
    let text = |range: std::ops::Range<usize>| {
        sentence[said[range.start].span.start..said[range.end - 1].span.end].to_owned()
    };
    match asked {
        Kind::Place if has(&["there"]) => {
            let mut places = names.filter(|name| {
                name.start > 0 && said[name.start - 1].is(&["in", "at", "to", "near"])
            });
            places.next().map(text).into_iter().collect()
        }
        Kind::Time if has(&["then"]) => {
            said.iter().find(|it| it.is_year()).map(|it| it.word.clone()).into_iter().collect()
        }
        Kind::Person
            if has(&["they", "them", "their"])
                || words.iter().any(|it| is_someone_else(&it.word, index)) =>
        {
            names.take(1).map(text).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether an answer enumerates: its layout says so, or its question asked for several things.
fn is_list(turn: &TurnRecord) -> bool {
    marked(&turn.answer).count() > 1 || Kind::of(&turn.question) == Kind::List
}

fn items(answer: &str) -> Vec<String> {
    let clean =
        |item: &str| without_citations(item).trim().trim_end_matches(['.', ';', ',']).to_owned();
    let listed: Vec<String> = marked(answer).map(clean).collect();
    if listed.len() > 1 {
        return listed;
    }
    // Quoted items stand one after the other, each with its citation.
    let plain = plain(answer);
    let after_lead = plain.split_once(": ").map_or(plain.as_str(), |(_, items)| items);
    let separators: &[&str] = &["; ", "]. ", "\n"];
    let by = separators.iter().find(|by| after_lead.contains(**by));
    by.map(|by| after_lead.split(by).map(clean).filter(|it| !it.is_empty()).collect())
        .unwrap_or_default()
}

/// Lines that are marked as items.
fn marked(answer: &str) -> impl Iterator<Item = &str> {
    answer.lines().filter_map(|line| {
        let line = line.trim();
        let bullet = ["- ", "* ", "• "].iter().find_map(|mark| line.strip_prefix(mark));
        bullet.or_else(|| {
            let rest = line.trim_start_matches(|it: char| it.is_ascii_digit());
            let rest = rest.strip_prefix(['.', ')'])?;
            (rest.len() + 1 < line.len()).then(|| rest.trim())
        })
    })
}

/// `text` without `[n]`.
fn without_citations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let digits = after.trim_start_matches(|it: char| it.is_ascii_digit());
        match digits.strip_prefix(']') {
            Some(after) if digits.len() < rest.len() => {
                kept.push_str(before.trim_end());
                rest = after;
            }
            // A citation that was cut off has no end.
            None if digits.is_empty() => {
                kept.push_str(before.trim_end());
                rest = "";
            }
            _ => {
                kept.push_str(before);
                kept.push('[');
                rest = after;
            }
        }
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_an_answer() {
        for (answer, expected) in [
            ("- Davy Medal [1]\n- Albert Medal [2].", "Davy Medal|Albert Medal"),
            ("Three:\n1. one\n2) two\n3. three", "one|two|three"),
            (
                "Degrees: Physics degree, 1893 [1]. Mathematics degree, 1894 [1].",
                "Physics degree, 1893|Mathematics degree, 1894",
            ),
            ("They list: A; B; C [1].", "A|B|C"),
            ("She was born in Warsaw [1].", ""),
            ("", ""),
        ] {
            assert_eq!(items(answer).join("|"), expected, "{answer}");
        }
    }

    #[test]
    fn citations_go() {
        for (text, expected) in
            [("a [1]. b [12]", "a. b"), ("a[b] [x", "a[b] [x"), ("cut [1", "cut"), ("[", "")]
        {
            assert_eq!(without_citations(text), expected, "{text}");
        }
    }
}
