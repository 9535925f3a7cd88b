//! Which paragraph styles are headings or lists.

use std::collections::HashMap;

use quick_xml::{Reader, events::Event};

use super::body::value;
use crate::{Format, ReadError};

/// Steps from a style to the one it is based on; Word's own go three deep.
const MAX_STEPS: usize = 8;

/// The paragraph styles of a document, by id.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Style>);

#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    heading: Option<usize>,
    is_list: bool,
}

impl Styles {
    pub(super) fn read(xml: &str) -> Result<Self, ReadError> {
        let mut reader = Reader::from_str(xml);
        let mut styles = HashMap::new();
        let mut current: Option<(String, Style)> = None;
        loop {
            let event =
                reader.read_event().map_err(|error| ReadError::damaged(Format::Docx, error))?;
            match event {
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    "style" => {
                        styles.extend(current.take());
                        current = value(&tag, "styleId").map(|id| (id, Style::default()));
                    }
                    name => {
                        if let Some((_, style)) = &mut current {
                            style.take(name, value(&tag, "val").as_deref().unwrap_or(""));
                        }
                    }
                },
                Event::Eof => break,
                _ => {}
            }
        }
        styles.extend(current);
        Ok(Self(styles))
    }

    /// The level of a heading in the style `id`, from 1.
    pub(super) fn heading(&self, id: &str) -> Option<usize> {
        self.chain(id).find_map(|style| style.heading)
    }

    /// Whether paragraphs of the style `id` are items of a list.
    pub(super) fn is_list(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.is_list)
    }

    fn chain<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Style> {
        let above = |style: &&'a Style| self.0.get(style.based_on.as_deref()?);
        std::iter::successors(self.0.get(id), above).take(MAX_STEPS)
    }
}

impl Style {
    fn take(&mut self, name: &str, value: &str) {
        match name {
            // Names are the same in every language of Word; ids are not.
            "name" => {
                let value = value.to_lowercase();
                self.heading = match value.strip_prefix("heading ") {
                    Some(level) => level.parse().ok().filter(|it| (1..=9).contains(it)),
                    None => (value == "title").then_some(1),
                };
            }
            "outlineLvl" if self.heading.is_none() => {
                // 9 stands for the text below all headings.
                let level = value.parse::<usize>().ok().filter(|it| *it < 9);
                self.heading = level.map(|it| it + 1);
            }
            "basedOn" => self.based_on = Some(value.to_owned()),
            "numId" => self.is_list = value != "0",
            _ => {}
        }
    }
}
