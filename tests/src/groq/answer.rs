//! What the double says: quotes of the passages in the prompt, never words of its own.

use serde_json::Value;

/// Passages that are quoted, at the most.
const QUOTED: usize = 2;
/// What is said where there is no passage.
const NOTHING: &str = "I could not find an answer to that in the documents.";

/// A passage of the prompt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Passage {
    number: usize,
    text: String,
}

/// The text of the last message, which holds passages and question.
pub(super) fn last_message(request: &Value) -> &str {
    let messages = request["messages"].as_array();
    messages
        .and_then(|all| all.last())
        .and_then(|last| last["content"].as_str())
        .unwrap_or_default()
}

/// The question: what stands between its tags, or the whole message.
pub(super) fn question(message: &str) -> &str {
    let tagged = message.rsplit_once("<question>").map(|(_, rest)| rest);
    let tagged =
        tagged.and_then(|rest| rest.split_once("</question>")).map(|(question, _)| question);
    tagged.unwrap_or(message).trim()
}

/// Reads `<passage number="1" …>`, the text, `</passage>`.
pub(super) fn passages(message: &str) -> Vec<Passage> {
    let tags = message.split("<passage number=\"").skip(1);
    let read = tags.filter_map(|tag| {
        let (number, rest) = tag.split_once('"')?;
        let (_, rest) = rest.split_once(">\n")?;
        let (text, _) = rest.split_once("</passage>")?;
        Some(Passage { number: number.parse().ok()?, text: text.trim().to_owned() })
    });
    read.collect()
}

/// Quotes the first sentence of each of the first passages. `shifted`: under wrong numbers, one of
/// which is nobody's.
pub(super) fn quote(passages: &[Passage], shifted: bool) -> String {
    let quotes = passages.iter().take(QUOTED).enumerate().map(|(place, passage)| {
        let number = match (shifted, place) {
            (false, _) => passage.number,
            (true, 0) => passages.len() + 7,
            (true, _) => 1,
        };
        let sentence = first_sentence(&passage.text);
        format!("{} [{number}].", sentence.trim_end_matches(['.', '!', '?', ':', ';']))
    });
    let quotes: Vec<String> = quotes.collect();
    if quotes.is_empty() { NOTHING.to_owned() } else { quotes.join(" ") }
}

/// The first sentence that is no heading.
fn first_sentence(text: &str) -> &str {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let plain = lines().find(|line| !line.starts_with('#')).or_else(|| lines().next());
    let line = plain.unwrap_or_default().trim_start_matches(['-', '*', '#', ' ']);
    match line.split_once(". ") {
        // An initial or an abbreviation ends no sentence.
        Some((sentence, _)) if sentence.len() > 20 => sentence,
        _ => line,
    }
}

/// Parts of a text as a model would stream it: a word with the space before it, long ones in pieces.
pub(super) fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for character in text.chars() {
        match parts.last_mut() {
            Some(part) if character != ' ' && part.chars().count() < 8 => part.push(character),
            _ => parts.push(character.to_string()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "<passages>\n<passage number=\"1\" from=\"CV\">\n# Medals\n\nThe Davy Medal of \
        the Royal Society came in 1903. More.\n</passage>\n<passage number=\"2\" from=\"Notes\">\n- Born \
        in Warsaw\n</passage>\n</passages>\n\n<question>\nWhich medals?\n</question>";

    #[test]
    fn answers_are_quotes_with_their_numbers() {
        let passages = passages(MESSAGE);
        let right = "The Davy Medal of the Royal Society came in 1903 [1]. Born in Warsaw [2].";
        assert_eq!(quote(&passages, false), right);
        let wrong = "The Davy Medal of the Royal Society came in 1903 [9]. Born in Warsaw [1].";
        assert_eq!(quote(&passages, true), wrong);
        assert_eq!(quote(&[], false), NOTHING);
        assert_eq!(question(MESSAGE), "Which medals?");
        assert_eq!(question("Hello?"), "Hello?");
        assert_eq!(parts(right).concat(), right);
        assert!(parts(right).iter().all(|part| part.chars().count() <= 8));
    }
}
