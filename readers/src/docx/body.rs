//! The body of a Word document as paragraphs and tables.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

use super::styles::Styles;
use crate::{
    Format, ReadError,
    limits::{MAX_CELLS, MAX_DEPTH},
};

/// A paragraph or a table of the body.
#[derive(Debug)]
pub(super) enum Block {
    Paragraph(Paragraph),
    Table(Vec<Vec<String>>),
}

/// A paragraph, and what its properties say of it.
#[derive(Debug, Default)]
pub(super) struct Paragraph {
    pub(super) text: String,
    /// Level from 1.
    pub(super) heading: Option<usize>,
    /// Depth of the list that it is an item of, from 0.
    pub(super) list: Option<usize>,
    /// Whether all of its text is bold.
    pub(super) is_bold: bool,
    regular: usize,
}

pub(super) fn read(xml: &str, styles: &Styles) -> Result<Vec<Block>, ReadError> {
    let mut reader = Reader::from_str(xml);
    let mut body = Body::new(styles);
    loop {
        match reader.read_event().map_err(|error| ReadError::damaged(Format::Docx, error))? {
            Event::Start(tag) => body.start(&tag),
            Event::Empty(tag) => {
                body.start(&tag);
                body.end(tag.local_name().as_ref());
            }
            Event::End(tag) => body.end(tag.local_name().as_ref()),
            Event::Text(text) => body.text(&text.xml10_content()),
            Event::CData(text) => body.text(&text.xml10_content()),
            Event::GeneralRef(name) => body.text(&reference(&name)),
            Event::Eof => break,
            _ => {}
        }
    }
    body.dissolve();
    Ok(body.blocks)
}

/// The value of the attribute called `name`, whatever its prefix.
pub(super) fn value(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.attributes().flatten().find(|it| it.key.local_name().as_ref() == name)?;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

/// The character that a reference such as `&amp;` or `&#233;` stands for.
pub(super) fn reference(name: &BytesRef<'_>) -> String {
    if let Ok(Some(letter)) = name.resolve_char_ref() {
        return letter.to_string();
    }
    quick_xml::escape::resolve_predefined_entity(&name.xml10_content()).unwrap_or("").to_owned()
}

struct Body<'a> {
    styles: &'a Styles,
    blocks: Vec<Block>,
    /// Open paragraphs; a text box stands within one, and has its own.
    open: Vec<Paragraph>,
    /// The table being read, unless it is a layout.
    table: Option<Vec<Vec<String>>>,
    tables: usize,
    in_text: bool,
    is_bold: bool,
    /// Depth below an element that repeats what another says.
    fallback: usize,
}

impl<'a> Body<'a> {
    fn new(styles: &'a Styles) -> Self {
        Self {
            styles,
            blocks: Vec::new(),
            open: Vec::new(),
            table: None,
            tables: 0,
            in_text: false,
            is_bold: false,
            fallback: 0,
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) {
        let name = tag.local_name();
        let name = name.as_ref();
        if self.fallback > 0 || name == "Fallback" {
            self.fallback += 1;
            return;
        }
        let number = || value(tag, "val").and_then(|it| it.parse::<usize>().ok());
        match name {
            "p" if self.open.len() < MAX_DEPTH => self.open.push(Paragraph::default()),
            "r" => self.is_bold = false,
            "t" => self.in_text = true,
            "tab" | "br" | "cr" => self.append(" "),
            "noBreakHyphen" => self.append("-"),
            "b" => {
                let off = ["0", "false", "off"];
                self.is_bold = value(tag, "val").is_none_or(|it| !off.contains(&it.as_str()));
            }
            "pStyle" => {
                let id = value(tag, "val").unwrap_or_default();
                if let Some(paragraph) = self.open.last_mut() {
                    paragraph.heading = self.styles.heading(&id);
                    paragraph.list = self.styles.is_list(&id).then_some(0);
                }
            }
            "outlineLvl" => {
                if let (Some(paragraph), Some(level @ 0..9)) = (self.open.last_mut(), number()) {
                    paragraph.heading = Some(level + 1);
                }
            }
            "ilvl" => {
                if let Some(paragraph) = self.open.last_mut() {
                    paragraph.list = number().map(|it| it.min(MAX_DEPTH));
                }
            }
            "numId" => {
                if let Some(paragraph) = self.open.last_mut() {
                    let depth = paragraph.list.unwrap_or(0);
                    paragraph.list = (number() != Some(0)).then_some(depth);
                }
            }
            "tbl" => {
                // A table in a table is a layout, not a record of anything.
                self.dissolve();
                self.table = (self.tables == 0).then(Vec::new);
                self.tables += 1;
            }
            "tr" => {
                if let Some(rows) = &mut self.table {
                    rows.push(Vec::new());
                }
            }
            "tc" => self.widen(1),
            "gridSpan" => self.widen(number().unwrap_or(1).clamp(1, MAX_CELLS) - 1),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if self.fallback > 0 {
            self.fallback -= 1;
            return;
        }
        match name {
            "t" => self.in_text = false,
            "p" => {
                let paragraph = self.open.pop();
                self.finish(paragraph.unwrap_or_default());
            }
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                self.blocks.extend(self.table.take().map(Block::Table));
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text && self.fallback == 0 {
            self.append(text);
        }
    }

    fn append(&mut self, text: &str) {
        if let Some(paragraph) = self.open.last_mut() {
            paragraph.text.push_str(text);
            if !self.is_bold {
                paragraph.regular += text.trim().len();
            }
        }
    }

    fn finish(&mut self, mut paragraph: Paragraph) {
        if paragraph.text.trim().is_empty() {
            return;
        }
        paragraph.is_bold = paragraph.regular == 0;
        if paragraph.heading.is_some() {
            self.dissolve();
        }
        let cell = self.table.as_mut().and_then(|rows| rows.last_mut()?.last_mut());
        match cell {
            Some(cell) => {
                cell.push_str(&paragraph.text);
                cell.push(' ');
            }
            None => self.blocks.push(Block::Paragraph(paragraph)),
        }
    }

    /// Adds cells to the row; the text goes to the last of them.
    fn widen(&mut self, cells: usize) {
        if let Some(row) = self.table.as_mut().and_then(|rows| rows.last_mut()) {
            row.resize((row.len() + cells).min(MAX_CELLS), String::new());
        }
    }

    /// Takes a table back that turns out to be a layout: its cells become paragraphs.
    fn dissolve(&mut self) {
        for text in self.table.take().into_iter().flatten().flatten() {
            self.blocks.push(Block::Paragraph(Paragraph {
                text,
                regular: 1,
                ..Paragraph::default()
            }));
        }
    }
}
