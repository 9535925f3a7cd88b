//! Words with the citations and the punctuation behind them.

use super::citation::Piece;

/// Longest word that waits for its end, in bytes: longer than any word or address that is meant to
/// be read.
const MAX_WORD: usize = 256;

/// White space, of which breaks of line count more.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Space {
    #[default]
    Nothing,
    Blank,
    Line,
    Paragraph,
}

impl Space {
    fn and(self, letter: char) -> Self {
        match (self, letter) {
            (Self::Line | Self::Paragraph, '\n') => Self::Paragraph,
            (_, '\n') => Self::Line,
            (Self::Nothing, _) => Self::Blank,
            (space, _) => space,
        }
    }

    /// As it is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Blank => " ",
            Self::Line => "\n",
            Self::Paragraph => "\n\n",
        }
    }
}

/// A word with what follows it, up to the next.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) before: Space,
    /// Empty where a line starts with a citation.
    pub(super) text: String,
    /// What the citations behind it say.
    pub(super) numbers: Vec<usize>,
    /// Punctuation behind its citations.
    pub(super) after: String,
    pub(super) behind: Space,
}

impl Word {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.numbers.is_empty()
    }
}

/// Joins pieces to words.
#[derive(Debug, Default)]
pub(super) struct Words {
    word: Word,
}

impl Words {
    /// Takes one piece; where it begins a word, returns the one before and the first letter of the
    /// new one.
    pub(super) fn take(&mut self, piece: Piece) -> Option<(Word, char)> {
        match piece {
            Piece::Letter(letter) if letter.is_whitespace() => {
                let word = &mut self.word;
                let space = if word.is_empty() { &mut word.before } else { &mut word.behind };
                *space = space.and(letter);
                None
            }
            Piece::Letter(letter) => self.take_letter(letter),
            Piece::Citation(numbers) => {
                let done = (self.word.behind >= Space::Line).then(|| (self.next(), '['));
                self.word.behind = Space::Nothing;
                if self.word.after == "," {
                    // It divided two citations and divides nothing now.
                    self.word.after.clear();
                }
                self.word.numbers.extend(numbers);
                done
            }
        }
    }

    /// The last word.
    pub(super) fn finish(&mut self) -> Option<Word> {
        Some(self.next()).filter(|word| !word.is_empty())
    }

    fn take_letter(&mut self, letter: char) -> Option<(Word, char)> {
        let word = &mut self.word;
        let cited = !word.numbers.is_empty();
        if cited && word.behind == Space::Nothing && is_punctuation(letter) {
            word.after.push(letter);
            return None;
        }
        if cited && word.behind == Space::Nothing && letter.is_alphanumeric() {
            // A citation stands apart from the word behind it.
            word.behind = Space::Blank;
        }
        let ends = cited || word.behind != Space::Nothing || word.text.len() >= MAX_WORD;
        let done = ends.then(|| (self.next(), letter));
        self.word.text.push(letter);
        done
    }

    fn next(&mut self) -> Word {
        let word = std::mem::take(&mut self.word);
        self.word.before = word.behind;
        word
    }
}

fn is_punctuation(letter: char) -> bool {
    matches!(letter, '.' | ',' | ';' | ':' | '!' | '?' | ')' | '"' | '”' | '’' | '»' | '…')
}
