//! Thinking and answer, told apart while they arrive.
//!
//! Some models write what they think between tags into the answer; a field of its own needs no
//! telling apart. A tag may be cut anywhere; whatever could still become one is held back.

/// A part of what a model said. Never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// Of its thinking.
    Thinking(String),
    /// Of its answer.
    Text(String),
}

/// Tells thinking from answer.
#[derive(Debug, Default)]
pub struct Splitter {
    thinking: bool,
    /// Something that may be the beginning of a tag.
    held: String,
    /// Whether the part under way has begun: white space before that is dropped.
    begun: bool,
}

const OPENING: [&str; 2] = ["<think>", "<thinking>"];
const CLOSING: [&str; 2] = ["</think>", "</thinking>"];

impl Splitter {
    /// Takes the next fragment of the content and returns what is known of it.
    pub fn push(&mut self, fragment: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let joined = std::mem::take(&mut self.held) + fragment;
        let mut rest = joined.as_str();
        while let Some(start) = rest.find('<') {
            let (before, from) = rest.split_at(start);
            self.emit(&mut pieces, before);
            match self.tag(from) {
                Tag::Whole { bytes, thinking } => {
                    self.begun &= self.thinking == thinking;
                    self.thinking = thinking;
                    rest = &from[bytes..];
                }
                Tag::Begun => {
                    self.held = from.to_owned();
                    return pieces;
                }
                Tag::None => {
                    self.emit(&mut pieces, "<");
                    rest = &from[1..];
                }
            }
        }
        self.emit(&mut pieces, rest);
        pieces
    }

    /// Returns what was held back: no tag came of it.
    pub fn finish(mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        let mut pieces = Vec::new();
        self.emit(&mut pieces, &held);
        pieces.pop()
    }

    /// What `text`, which begins with `<`, begins with. A closing tag without an opening one is a
    /// tag all the same: some servers put the opening one into the prompt.
    fn tag(&self, text: &str) -> Tag {
        let opening = if self.thinking { &[][..] } else { &OPENING[..] };
        let tags = CLOSING.iter().map(|tag| (*tag, false));
        let mut tags = tags.chain(opening.iter().map(|tag| (*tag, true)));
        let begins = |text: &str, tag: &str| {
            text.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag))
        };
        if let Some((tag, thinking)) = tags.clone().find(|(tag, _)| begins(text, tag)) {
            return Tag::Whole { bytes: tag.len(), thinking };
        }
        match tags.any(|(tag, _)| begins(tag, text)) {
            true => Tag::Begun,
            false => Tag::None,
        }
    }

    fn emit(&mut self, pieces: &mut Vec<Piece>, text: &str) {
        let text = if self.begun { text } else { text.trim_start() };
        if text.is_empty() {
            return;
        }
        self.begun = true;
        match (self.thinking, pieces.last_mut()) {
            (true, Some(Piece::Thinking(last))) | (false, Some(Piece::Text(last))) => {
                last.push_str(text);
            }
            (true, _) => pieces.push(Piece::Thinking(text.to_owned())),
            (false, _) => pieces.push(Piece::Text(text.to_owned())),
        }
    }
}

enum Tag {
    Whole { bytes: usize, thinking: bool },
    Begun,
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thinking and text, each joined.
    fn split(fragments: &[&str]) -> (String, String) {
        let mut splitter = Splitter::default();
        let mut pieces: Vec<Piece> =
            fragments.iter().flat_map(|fragment| splitter.push(fragment)).collect();
        pieces.extend(splitter.finish());
        let (mut thinking, mut text) = (String::new(), String::new());
        for piece in pieces {
            match piece {
                Piece::Thinking(part) => thinking += &part,
                Piece::Text(part) => text += &part,
            }
        }
        (thinking, text)
    }

    /// Holds for every way to cut `content` in three.
    fn check(content: &str, thinking: &str, text: &str) {
        let expected = (thinking.to_owned(), text.to_owned());
        let borders: Vec<usize> =
            (0..=content.len()).filter(|at| content.is_char_boundary(*at)).collect();
        for (place, first) in borders.iter().enumerate() {
            for second in &borders[place..] {
                let pieces = [&content[..*first], &content[*first..*second], &content[*second..]];
                assert_eq!(split(&pieces), expected, "{pieces:?}");
            }
        }
        let single: Vec<String> = content.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert_eq!(split(&single), expected, "{content:?} by characters");
    }

    #[test]
    fn tags_part_thinking_from_text_wherever_they_are_cut() {
        check("An answer [1].", "", "An answer [1].");
        check("<think>Hm.</think>\n\nYes [1].", "Hm.", "Yes [1].");
        check("\n<thinking>Hm, é.</thinking>Yes.", "Hm, é.", "Yes.");
        check("<THINK>Hm.</Think> Yes.", "Hm.", "Yes.");
        check("<think>\n\n</think>\n\nYes.", "", "Yes.");
        check("One. <think>Hm.</think>Two.", "Hm.", "One. Two.");
        check("<think>a < b <think> c</think>d", "a < b <think> c", "d");
        check("No opening tag.</think>Yes.", "", "No opening tag.Yes.");
        check("<think>It never ends", "It never ends", "");
        check("x < y, <b>bold</b>, a<thinker>", "", "x < y, <b>bold</b>, a<thinker>");
        check("It ends in <thin", "", "It ends in <thin");
        check("<", "", "<");
        check("", "", "");
    }

    #[test]
    fn nothing_is_held_that_cannot_become_a_tag() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.push("a <th"), [Piece::Text("a ".to_owned())]);
        assert_eq!(splitter.push("e end"), [Piece::Text("<the end".to_owned())]);
        assert_eq!(splitter.push(" 1 < 2"), [Piece::Text(" 1 < 2".to_owned())]);
    }
}
