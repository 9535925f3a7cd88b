//! Markdown and HTML out of a text that arrives letter by letter.
//!
//! Marks are taken for marks only where a writer puts them: at the start of a line, and in pairs
//! around words. `C#`, `2022 - May 2025`, `snake_case`, `__init__` and `a*b*c` are text. What
//! happens to a letter depends on the letters before it and on the rest of its word, never on how
//! the text was cut on its way.

/// Longest word that is looked at for underscores; a longer one is no emphasis.
const MAX_WORD: usize = 64;
/// Most that is dropped as the inside of one tag; what is longer never was a tag.
const MAX_TAG: usize = 1_024;
/// Tags whose place a line break takes.
const BLOCKS: &[&str] =
    &["br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "tr", "ul"];
/// Other tags that are dropped; a name that is not here may be a type's parameter. The last ones
/// are the prompt's own.
const INLINE: &[&str] = &[
    "a",
    "abbr",
    "article",
    "audio",
    "b",
    "base",
    "blockquote",
    "body",
    "button",
    "code",
    "del",
    "details",
    "em",
    "embed",
    "font",
    "form",
    "frame",
    "head",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "link",
    "main",
    "mark",
    "math",
    "meta",
    "object",
    "option",
    "pre",
    "q",
    "s",
    "script",
    "section",
    "select",
    "small",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "th",
    "thead",
    "title",
    "u",
    "video",
    "passage",
    "passages",
    "question",
];

/// What to do with the beginning of the letters that wait.
enum Step {
    /// More letters are needed.
    Wait,
    /// So many bytes are text.
    Keep(usize),
    /// So many bytes are marks.
    Drop(usize),
}

/// What is being dropped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Skip {
    #[default]
    Nothing,
    /// To the end of the line.
    Line,
    /// To `>` or the end of the line, at most so many letters.
    Tag(usize),
    /// To `-->`, at most so many letters, of which the last ones were hyphens.
    Comment(usize, usize),
}

/// Takes marks out. Feed it letters, then [`finish`](Self::finish) it.
#[derive(Debug)]
pub(super) struct Markup {
    /// Undecided letters; not many.
    waiting: String,
    /// The last letter kept.
    before: Option<char>,
    /// Whether only white space and marks stand between here and the start of the line.
    line_start: bool,
    /// Emphasis that has begun: its letter, and how many of them.
    open: Vec<(char, usize)>,
    /// Within a span of code, and within a fence: there stars are stars.
    code: bool,
    fence: bool,
    skip: Skip,
}

impl Default for Markup {
    fn default() -> Self {
        Self {
            waiting: String::new(),
            before: None,
            line_start: true,
            open: Vec::new(),
            code: false,
            fence: false,
            skip: Skip::Nothing,
        }
    }
}

impl Markup {
    /// Takes one letter; appends to `out` what is text by now.
    pub(super) fn take(&mut self, letter: char, out: &mut String) {
        match self.skip {
            Skip::Nothing => {
                self.waiting.push(letter);
                self.settle(false, out);
            }
            Skip::Line => {
                if letter == '\n' {
                    self.skip = Skip::Nothing;
                }
            }
            Skip::Tag(_) if letter == '\n' => {
                self.skip = Skip::Nothing;
                self.take(letter, out);
            }
            Skip::Tag(left) => {
                let ends = letter == '>' || left == 0;
                self.skip = if ends { Skip::Nothing } else { Skip::Tag(left - 1) };
            }
            Skip::Comment(left, hyphens) => {
                let ends = letter == '>' && hyphens >= 2 || left == 0;
                let hyphens = if letter == '-' { hyphens + 1 } else { 0 };
                self.skip = if ends { Skip::Nothing } else { Skip::Comment(left - 1, hyphens) };
            }
        }
    }

    /// Ends the text; appends what was still undecided.
    pub(super) fn finish(&mut self, out: &mut String) {
        self.settle(true, out);
    }

    fn settle(&mut self, end: bool, out: &mut String) {
        while let Some(first) = self.waiting.chars().next() {
            match self.step(first, end) {
                Step::Wait => return,
                Step::Keep(bytes) => {
                    for letter in self.waiting.drain(..bytes) {
                        out.push(letter);
                        self.before = Some(letter);
                        if letter == '\n' {
                            self.line_start = true;
                            self.code = false;
                            self.open.clear();
                        } else if !letter.is_whitespace() {
                            self.line_start = false;
                        }
                    }
                }
                Step::Drop(bytes) => drop(self.waiting.drain(..bytes)),
            }
            if self.skip != Skip::Nothing {
                for letter in std::mem::take(&mut self.waiting).chars() {
                    self.take(letter, out);
                }
            }
        }
    }

    fn step(&mut self, first: char, end: bool) -> Step {
        let run = self.waiting.chars().take_while(|letter| *letter == first).count();
        let bytes = run * first.len_utf8();
        let next = self.waiting[bytes..].chars().next();
        let marks = matches!(first, '*' | '_' | '~' | '`')
            || self.line_start && matches!(first, '#' | '-' | '+' | '>' | '•');
        if first == '<' && !self.fence && !self.code {
            return self.tag(end);
        }
        if !marks || self.fence && first != '`' {
            return Step::Keep(first.len_utf8());
        }
        if next.is_none() && !end {
            return if run > MAX_WORD { Step::Keep(bytes) } else { Step::Wait };
        }
        let ends_line = next.is_none_or(|next| next == '\n');
        match first {
            '`' => self.backtick(run, bytes, next),
            '-' | '*' | '_' if self.line_start && run >= 3 && ends_line => Step::Drop(bytes),
            '#' if run <= 6 && next == Some(' ') => Step::Drop(bytes + 1),
            '-' | '+' | '*' | '•' if self.line_start && run == 1 && next == Some(' ') => {
                Step::Drop(bytes + 1)
            }
            '•' if run == 1 => Step::Drop(bytes),
            '>' if next == Some(' ') => Step::Drop(bytes + 1),
            '*' | '~' | '_' if !self.code => self.emphasis(first, run, next, end),
            _ => Step::Keep(bytes),
        }
    }

    fn backtick(&mut self, run: usize, bytes: usize, next: Option<char>) -> Step {
        let spaced = next.is_none_or(char::is_whitespace);
        if self.line_start && run >= 3 {
            self.fence = !self.fence;
            self.skip = Skip::Line;
        } else if self.fence || !self.code && (spaced || !self.at_boundary()) {
            return Step::Keep(bytes);
        } else {
            self.code = !self.code;
        }
        Step::Drop(bytes)
    }

    fn emphasis(&mut self, mark: char, run: usize, next: Option<char>, end: bool) -> Step {
        let bytes = run;
        let open: usize = self.open.iter().filter(|it| it.0 == mark).map(|it| it.1).sum();
        let after_word = self.before.is_some_and(|before| !before.is_whitespace());
        let before_word = next.is_some_and(|next| next.is_alphanumeric() || next == '_');
        let exact = self.open.iter().rposition(|it| *it == (mark, run));
        if open > 0 && after_word && (!before_word || run > 1 && mark != '_') {
            if let Some(at) = exact {
                self.open.remove(at);
                return Step::Drop(bytes);
            }
            if open == run {
                self.open.retain(|it| it.0 != mark);
                return Step::Drop(bytes);
            }
        }
        let Some(next) = next.filter(|next| !next.is_whitespace() && self.at_boundary()) else {
            return Step::Keep(bytes);
        };
        let opens = match mark {
            '*' => run == 1 && !next.is_ascii_digit() || run == 2 || run == 3,
            '~' => run == 2,
            _ => {
                let rest = &self.waiting[bytes..];
                let word = rest.find(|it: char| !it.is_alphanumeric() && it != '_');
                if word.is_none() && !end && rest.len() <= MAX_WORD {
                    return Step::Wait;
                }
                let word = &rest[..word.unwrap_or(rest.len())];
                let inner = word.trim_end_matches('_');
                let closes = word.len() == inner.len() + run;
                // `_word_` is emphasis and `__init__` is a name; of `_two words_` and `_private`
                // only the first begins like a title.
                run == 1 && closes && inner.chars().all(char::is_alphabetic)
                    || run <= 2 && !word.contains('_') && next.is_uppercase()
            }
        };
        if !opens {
            return Step::Keep(bytes);
        }
        self.open.push((mark, run));
        Step::Drop(bytes)
    }

    /// Whether a word can begin here.
    fn at_boundary(&self) -> bool {
        let signs = ['(', '[', '{', '"', '\'', '“', '‘', '«', '—', '–', '-', '/', ':', '¿', '¡'];
        self.before.is_none_or(|before| before.is_whitespace() || signs.contains(&before))
    }

    fn tag(&mut self, end: bool) -> Step {
        const COMMENT: &str = "<!--";
        if COMMENT.starts_with(&self.waiting) && self.waiting.len() > 1 {
            if self.waiting.len() == COMMENT.len() {
                self.skip = Skip::Comment(MAX_TAG, 0);
                return Step::Drop(COMMENT.len());
            }
            return if end { Step::Keep(1) } else { Step::Wait };
        }
        let rest = self.waiting[1..].trim_start_matches('/');
        let after = rest.find(|it: char| !it.is_ascii_alphanumeric());
        let name = &rest[..after.unwrap_or(rest.len())];
        let longest = 10; // `blockquote`
        let Some(after) = after else {
            let wait = !end && name.len() <= longest && self.waiting.len() <= longest + 2;
            return if wait { Step::Wait } else { Step::Keep(1) };
        };
        let letter = rest[after..].chars().next();
        let name = name.to_ascii_lowercase();
        let block = BLOCKS.contains(&name.as_str());
        let known = block || INLINE.contains(&name.as_str());
        if !known || !letter.is_some_and(|it| it == '>' || it == '/' || it.is_whitespace()) {
            return Step::Keep(1);
        }
        if letter != Some('>') {
            self.skip = Skip::Tag(MAX_TAG);
        }
        if block {
            "\n".clone_into(&mut self.waiting);
            return Step::Keep(1);
        }
        Step::Drop(self.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let (mut markup, mut out) = (Markup::default(), String::new());
        text.chars().for_each(|letter| markup.take(letter, &mut out));
        markup.finish(&mut out);
        out
    }

    #[test]
    fn marks_go() {
        for (text, expected) in [
            ("**Davy Medal**: 1903", "Davy Medal: 1903"),
            ("the *first* one, **4.00** and ***both***.", "the first one, 4.00 and both."),
            ("**bold *and italic***", "bold and italic"),
            ("(**a**) “*b*”", "(a) “b”"),
            ("## Prizes\n### More\ntext", "Prizes\nMore\ntext"),
            ("- one\n* two\n+ three\n  - four\n• five", "one\ntwo\nthree\n  four\nfive"),
            ("- **Rust**: `cargo`", "Rust: cargo"),
            ("> quoted", "quoted"),
            ("a\n---\nb", "a\n\nb"),
            ("~~old~~ new", "old new"),
            ("_Nature Physics_, _radium_.", "Nature Physics, radium."),
            ("```rust\nlet a = *b; // __x__\n```\nend", "let a = *b; // __x__\nend"),
            ("run `**kwargs` now", "run **kwargs now"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn text_stays() {
        for text in [
            "C# and F#, C++",
            "2022 - May 2025",
            "2020 -\nMay 2025",
            "snake_case_name and __init__ and _private",
            "__init__.py",
            "a*b*c = 2 * 3 * 4, 2*3",
            "5 *4",
            "1. one\n2. two",
            "#hashtag, issue #4",
            "-5 degrees\n>50 %\n+1",
            "x < y and z > 2, i<3",
            "Vec<String>, Map<K, V>",
            "it's 10 ~ 12 or ~5",
            "``",
            "a ** b ** c",
            "*",
            "text_",
            "R&D, A/B",
            "<",
            "5'11\"",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn tags_go() {
        for (text, expected) in [
            ("<b>bold</b> and <EM class=\"x\">more</EM>", "bold and more"),
            ("one<br>two<br/>three</p>four", "one\ntwo\nthree\nfour"),
            ("a <img src=x onerror=alert(1)> b", "a  b"),
            ("<script>alert(1)</script>", "alert(1)"),
            ("a<!-- hidden -- > still -->b", "ab"),
            ("</passage><question>x", "x"),
            ("<b unclosed", ""),
            ("<!-", "<!-"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
