//! Pages of the web. The tokens are taken as they come, without a tree: whatever is not closed or
//! not nested as it should be costs no memory and no depth, and reads as a browser shows it.

use std::cell::RefCell;

use html5ever::{
    Attribute,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};

use crate::{
    Content, ReadError,
    limits::{MAX_CELLS, MAX_DEPTH},
    markdown::Writer,
    text::decode,
};

/// Elements whose content is no text of the page, or only leads about it.
const SKIPPED: &[&str] =
    &["nav", "svg", "math", "template", "select", "button", "object", "iframe", "noscript"];

/// What surrounds the text of a page and is the same on all pages of a site: elements, and roles of
/// others. Asides and headers are none: a curriculum vitae has its skills and its name there.
const FURNITURE: &[&str] = &["footer", "contentinfo", "navigation", "search"];

/// Elements whose footers are their own and not the page's.
const SECTIONS: &[&str] = &["article", "blockquote", "main", "section"];

/// Elements that stand in the line of the text around them; all others end a paragraph.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "img", "input", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
];

pub(crate) fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let text = StrTendril::from(decode(bytes, charset(bytes)));
    let content = page(text.clone(), Page::default());
    if !content.text.trim().is_empty() {
        return Ok(content);
    }
    // A page that is nothing but furniture is read with it.
    Ok(page(text, Page { is_furnished: true, ..Page::default() }))
}

fn page(text: StrTendril, page: Page) -> Content {
    let input = BufferQueue::default();
    input.push_back(text);
    let tokenizer = Tokenizer::new(Sink(RefCell::new(page)), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut page = tokenizer.sink.0.take();
    page.dissolve();
    page.flush();
    page.writer.describe("title", &page.title);
    page.writer.finish()
}

/// What the page says of its encoding, in its first kilobyte as browsers read it.
fn charset(bytes: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"charset=";
    let head = &bytes[..bytes.len().min(1024)];
    let at = head.windows(NAME.len()).position(|it| it.eq_ignore_ascii_case(NAME))?;
    let label = head[at + NAME.len()..].trim_ascii_start();
    let label = label.strip_prefix(b"\"").or(label.strip_prefix(b"'")).unwrap_or(label);
    let end = label.iter().position(|byte| b"\"' />;".contains(byte))?;
    Some(&label[..end])
}

struct Sink(RefCell<Page>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => page.text(&text),
            Token::TagToken(Tag { kind: TagKind::StartTag, name, attrs, self_closing, .. }) => {
                let is_skipped = [SKIPPED, FURNITURE].iter().any(|them| them.contains(&&*name));
                if !(self_closing && is_skipped) {
                    page.start(&name, &attrs);
                }
                return match &*name {
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" | "xmp" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
                    "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => TokenSinkResult::Continue,
                };
            }
            Token::TagToken(tag) => page.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[derive(Default)]
struct Page {
    writer: Writer,
    title: String,
    /// Text since the last block ended.
    line: String,
    heading: Option<usize>,
    /// Open lists, each with the number of its next item if it is ordered.
    lists: Vec<Option<usize>>,
    /// Whether the next block is the first of a list's item.
    at_item: bool,
    /// Whether the line is a term that its description follows.
    in_term: bool,
    table: Option<Vec<Vec<String>>>,
    preformatted: bool,
    /// An element whose content is skipped, and how many of its name are open.
    skipped: Option<(String, usize)>,
    /// Open [`SECTIONS`].
    sections: usize,
    /// Whether [`FURNITURE`] is read too.
    is_furnished: bool,
    in_title: bool,
    /// Script or style: text that is none.
    in_raw: bool,
}

impl Page {
    fn text(&mut self, text: &str) {
        if self.in_title {
            self.title.push_str(text);
        } else if self.skipped.is_none() && !self.in_raw && !self.writer.is_full() {
            self.line.push_str(text);
        }
    }

    fn start(&mut self, name: &str, attributes: &[Attribute]) {
        if let Some((skipped, open)) = &mut self.skipped {
            *open += usize::from(skipped == name);
            return;
        }
        let role = attribute(attributes, "role").unwrap_or(name);
        let is_furniture = FURNITURE.contains(&name) || FURNITURE.contains(&role);
        if SKIPPED.contains(&name) || is_furniture && self.sections == 0 && !self.is_furnished {
            self.skipped = Some((name.to_owned(), 1));
            return;
        }
        self.sections += usize::from(SECTIONS.contains(&name));
        match name {
            // A drawing has a title too.
            "title" => self.in_title = self.title.is_empty(),
            "script" | "style" | "textarea" => self.in_raw = true,
            "meta" if attribute(attributes, "name") == Some("author") => {
                self.writer.describe("author", attribute(attributes, "content").unwrap_or(""));
            }
            "br" => self.line.push(if self.preformatted { '\n' } else { ' ' }),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.dissolve();
                self.flush();
                self.heading = name[1..].parse().ok();
            }
            "ul" | "ol" => {
                self.flush();
                if self.lists.len() < MAX_DEPTH {
                    let start = attribute(attributes, "start").and_then(|it| it.parse().ok());
                    self.lists.push((name == "ol").then(|| start.unwrap_or(1)));
                }
            }
            "li" => {
                self.flush();
                self.at_item = true;
            }
            "pre" => {
                self.flush();
                self.preformatted = true;
            }
            "table" => {
                // A table in a table is a layout, not a record of anything.
                let nested = self.table.is_some();
                self.dissolve();
                self.flush();
                self.table = (!nested).then(Vec::new);
            }
            "tr" => {
                self.end_cell();
                if let Some(rows) = &mut self.table {
                    rows.push(Vec::new());
                }
                self.flush();
            }
            "td" | "th" => {
                self.end_cell();
                self.flush();
                let span = attribute(attributes, "colspan").and_then(|it| it.parse().ok());
                if let Some(row) = self.table.as_mut().and_then(|rows| rows.last_mut()) {
                    let cells = (row.len() + span.unwrap_or(1).clamp(1, MAX_CELLS)).min(MAX_CELLS);
                    row.resize(cells, String::new());
                    // The text goes to the last of them: it stands over all.
                }
            }
            "dd" if std::mem::take(&mut self.in_term) => self.line.push_str(": "),
            _ if INLINE.contains(&name) => {}
            _ => {
                self.flush();
                self.in_term = name == "dt";
            }
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "title" => self.in_title = false,
            "script" | "style" | "textarea" => self.in_raw = false,
            _ => {}
        }
        if let Some((skipped, open)) = &mut self.skipped {
            if skipped == name {
                *open -= 1;
                self.skipped = self.skipped.take().filter(|(_, open)| *open > 0);
            }
            return;
        }
        if SECTIONS.contains(&name) {
            self.sections = self.sections.saturating_sub(1);
        }
        match name {
            // What describes it follows in the same line.
            "dt" if self.in_term => {}
            "ul" | "ol" => {
                self.flush();
                self.lists.pop();
                self.at_item = false;
            }
            "td" | "th" | "tr" => self.end_cell(),
            "table" => {
                self.end_cell();
                if let Some(rows) = self.table.take() {
                    self.writer.table(&filled(rows));
                }
            }
            "pre" => {
                self.flush();
                self.preformatted = false;
            }
            _ if INLINE.contains(&name) => {}
            _ => {
                self.flush();
                if name == "li" {
                    self.at_item = false;
                }
            }
        }
    }

    /// Ends the block that the line belongs to.
    fn flush(&mut self) {
        if self.table.as_ref().is_some_and(|rows| rows.last().is_some_and(|row| !row.is_empty())) {
            // Blocks within a cell are one text.
            self.line.push(' ');
            return;
        }
        let line = std::mem::take(&mut self.line);
        if line.trim().is_empty() {
            return;
        }
        match (self.heading.take(), self.lists.last_mut()) {
            (Some(level), _) => self.writer.heading(level, &line),
            _ if self.preformatted => self.writer.lines(&line),
            (None, Some(number)) if self.at_item => {
                let own = *number;
                *number = number.map(|it| it.saturating_add(1));
                self.at_item = false;
                self.writer.item(self.lists.len() - 1, own, &line);
            }
            _ => self.writer.paragraph(&line),
        }
    }

    fn end_cell(&mut self) {
        if let Some(cell) = self.table.as_mut().and_then(|rows| rows.last_mut()?.last_mut()) {
            let line = std::mem::take(&mut self.line);
            if !line.trim().is_empty() {
                cell.push_str(&line);
            }
        }
    }

    /// Takes a table back that turns out to be a layout: its cells become paragraphs.
    fn dissolve(&mut self) {
        self.end_cell();
        for cell in self.table.take().into_iter().flatten().flatten() {
            self.writer.paragraph(&cell);
        }
    }
}

fn filled(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect()
}

fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|it| &*it.name.local == name).map(|it| &*it.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(read(html.as_bytes()).unwrap().text.trim_end(), expected, "{html}");
    }

    #[test]
    fn blocks() {
        check(
            "<h1>A <b>title</b></h1><p>One <i>two</i>\n three &amp; four<p>next<hr>after",
            "# A title\n\nOne two three & four\n\nnext\n\nafter",
        );
        check("<ul><li>a<li>b<ol start=3><li>c</ol></ul>after", "- a\n- b\n   3. c\n\nafter");
        check(
            "<dl><dt>2018</dt><dd>Welder</dd><dt>2020<dd>Boss</dl>",
            "2018: Welder\n\n2020: Boss",
        );
        check("<pre>a\n  b</pre>", "```\na\n  b\n```");
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        check(
            "<title>T</title><script>if (a<b) {}</script><style>p{}</style><nav><a>Home</a><nav>x</nav></nav><!-- c --><p>text</p><svg><title>no</title></svg>",
            "text",
        );
        let content = read(b"<title> My\n page </title><meta name=author content=Ada>x").unwrap();
        assert_eq!(content.metadata["title"], ["My page"]);
        assert_eq!(content.metadata["author"], ["Ada"]);
    }

    #[test]
    fn the_furniture_of_a_page_is_left_out_where_there_is_anything_else() {
        check("<p>text</p><footer><p>Imprint</p></footer>", "text");
        check(
            "<div role=navigation>Home<div>x</div></div>text<footer>a<footer/>b</footer>",
            "text",
        );
        check(
            "<main><p>text</p><footer>signed</footer></main><footer>Imprint</footer>",
            "text\n\nsigned",
        );
        check("<article>a<footer>b</footer></article></article><footer>c</footer>", "a\n\nb");
        check("<blockquote>a<footer>b</footer></blockquote>", "a\n\nb");
        check("<header>Ada</header><aside>Rust</aside>", "Ada\n\nRust");
        check("<p>text</p><footer/><p>more</p>", "text\n\nmore");
        check("<nav>Home</nav><footer><p>Ada Lovelace</p></footer>", "Ada Lovelace");
    }

    #[test]
    fn tables_and_layouts() {
        check(
            "<table><caption>Grades</caption><tr><th>Course<th>Grade<tr><td><p>Heat</p><p>waves</p><td>A<tr></table>",
            "Grades\n\n| Course | Grade |\n|---|---|\n| Heat waves | A |",
        );
        check(
            "<table><tr><td>left</td><td><h2>Work</h2>Welder</td></tr></table>",
            "left\n\n## Work\n\nWelder",
        );
        check(
            "<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>",
            "a\n\nb",
        );
    }

    #[test]
    fn encodings() {
        let read = |bytes: &[u8]| read(bytes).unwrap().text;
        assert_eq!(read(b"<meta charset=iso-8859-2><p>\xb1"), "ą\n");
        assert_eq!(read("<meta charset='utf-8'><p>é".as_bytes()), "é\n");
        assert_eq!(read(b"<p>\xe9"), "é\n");
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{}x", "<div><ul><li><table><tr><td>".repeat(50_000));
        assert!(read(deep.as_bytes()).unwrap().text.contains('x'));
    }
}
