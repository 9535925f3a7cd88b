//! Answers: what they say, what they must not say, and whether their citations hold.

use dossier_core::wire::ChatResponse;

use super::case::Case;

/// Share of the expected facts that `said`, in lower case, contains; `None` where none is expected.
/// An answer that says what it must not say has none of them.
pub(crate) fn facts(case: &Case, said: &str) -> Option<f64> {
    let is_there = |fact: &String| !says_prohibited(case, said) && states(said, fact);
    share(&case.expected_facts, is_there)
}

/// Whether `said`, in lower case, contains a prohibited string as whole words: `no` is not in `note`.
pub(crate) fn says_prohibited(case: &Case, said: &str) -> bool {
    case.must_not_contain.iter().any(|words| contains_words(said, &words.to_lowercase()))
}

/// Share of the required strings that occur in the passages, both in any case; `None` without any.
pub(crate) fn content(case: &Case, passages: &[String]) -> Option<f64> {
    let passages: Vec<String> = passages.iter().map(|passage| passage.to_lowercase()).collect();
    share(&case.required_content, |content| {
        let content = content.to_lowercase();
        passages.iter().any(|passage| passage.contains(&content))
    })
}

/// Share of the answer's citations that are right; `None` where nothing was cited or the case does
/// not say what would be right.
///
/// A citation `[n]` belongs to the text between it and the citation before. It is right when source
/// `n` lies in an expected section, or has an expected fact which that text states. A number
/// without a source is wrong.
pub(crate) fn citation_precision(case: &Case, response: &ChatResponse) -> Option<f64> {
    if case.relevant.is_empty() && case.expected_facts.is_empty() {
        return None;
    }
    let cited = citations(&response.answer);
    let is_right = |(sentence, number): &(String, usize)| {
        let source = response.sources.iter().find(|source| source.citation_index == *number);
        source.is_some_and(|source| {
            let text = source.text.to_lowercase();
            let supports = |fact: &String| {
                fact.split('|').any(|either| sentence.contains(either) && text.contains(either))
            };
            case.relevant.iter().any(|it| it.place.holds(&source.id))
                || case.expected_facts.iter().any(supports)
        })
    };
    share(&cited, is_right)
}

/// Each `[n]` with the text it stands behind, in lower case; several in a row share their text.
fn citations(answer: &str) -> Vec<(String, usize)> {
    let mut citations = Vec::new();
    let mut sentence = String::new();
    let mut rest = answer;
    while let Some((before, after)) = rest.split_once('[') {
        let number = after.split_once(']').and_then(|(number, _)| number.parse().ok());
        if before.chars().any(char::is_alphanumeric) {
            sentence = before.to_lowercase();
        }
        citations.extend(number.map(|number| (sentence.clone(), number)));
        rest = after;
    }
    citations
}

fn states(said: &str, fact: &str) -> bool {
    fact.split('|').any(|either| said.contains(either))
}

fn contains_words(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        let joins = |inner: Option<char>, outer: Option<char>| {
            inner.is_some_and(char::is_alphanumeric) && outer.is_some_and(char::is_alphanumeric)
        };
        !joins(words.chars().next(), before) && !joins(words.chars().next_back(), after)
    })
}

/// Share of `wanted` that holds; `None` of nothing.
fn share<T>(wanted: &[T], holds: impl Fn(&T) -> bool) -> Option<f64> {
    let held = wanted.iter().filter(|it| holds(it)).count();
    (!wanted.is_empty()).then(|| held as f64 / wanted.len() as f64)
}

#[cfg(test)]
mod tests {
    use dossier_core::wire::ChatSource;

    use super::*;
    use crate::eval::case::sections;

    fn case(relevant: &[&str], facts: &[&str], prohibited: &[&str]) -> Case {
        let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        Case {
            relevant: sections(&owned(relevant)),
            expected_facts: owned(facts),
            must_not_contain: owned(prohibited),
            ..Case::default()
        }
    }

    #[test]
    fn facts_are_substrings_and_prohibitions_whole_words() {
        let check = |facts_wanted: &[&str], prohibited: &[&str], said: &str, expected| {
            assert_eq!(facts(&case(&[], facts_wanted, prohibited), said), expected, "{said}");
        };
        check(&["physi", "1911|1912"], &[], "a physicist in 1912", Some(1.0));
        check(&["physi", "1911"], &["no"], "a notable physicist", Some(0.5));
        check(&["physi"], &["no"], "no physicist", Some(0.0));
        check(&["physi"], &["c++"], "a physicist writes c++.", Some(0.0));
        check(&[], &["no"], "no", None);
    }

    #[test]
    fn citations_are_right_by_section_or_by_fact() {
        let source = |number, id: &str, text: &str| ChatSource {
            id: id.to_owned(),
            source: String::new(),
            title: String::new(),
            heading: Vec::new(),
            text: text.to_owned(),
            page: None,
            distance: None,
            citation_index: number,
        };
        let check = |case: &Case, answer: &str, expected| {
            let response = ChatResponse {
                answer: answer.to_owned(),
                sources: vec![source(1, "a#work:0", "In Paris."), source(2, "b#x:0", "Born 1867")],
                grounded: true,
                ..ChatResponse::default()
            };
            assert_eq!(citation_precision(case, &response), expected, "{answer}");
        };
        let by_section = case(&["a#work"], &[], &[]);
        check(&by_section, "She was in Paris [1]. Born 1867 [2].", Some(0.5));
        check(&by_section, "She was in Paris [1][2].", Some(0.5));
        check(&by_section, "She was in Paris [3].", Some(0.0));
        check(&by_section, "She was in Paris [sic].", None);
        let by_fact = case(&["c#y"], &["1867"], &[]);
        check(&by_fact, "She was in Paris [1]. Born 1867 [2].", Some(0.5));
        check(&by_fact, "Born 1867 [1].", Some(0.0));
        check(&case(&[], &[], &[]), "She was in Paris [1].", None);
    }
}
