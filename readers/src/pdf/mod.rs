//! PDFs: the letters as they are drawn, put back into columns, paragraphs, headings and tables.
//!
//! `glyphs` takes the letters off a page, `layout` brings them into the order of reading, `blocks`
//! makes text of the lines. Left to others: the structure that a tagged PDF may carry, which few
//! programs write well, and pictures of text.

mod blocks;
mod glyphs;
mod layout;

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use self::{
    blocks::{Block, Styles},
    layout::Part,
};
use crate::{
    Content, Format, ReadError,
    limits::MAX_PAGES,
    markdown::{Writer, squeeze},
};

pub(crate) fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            ReadError::Locked { format: Format::Pdf }
        }
        LoadPdfError::Decryption(error) => {
            ReadError::damaged(Format::Pdf, format!("its encryption cannot be read ({error:?})"))
        }
        LoadPdfError::Invalid => ReadError::damaged(Format::Pdf, "its pages cannot be found"),
    })?;
    let count = pdf.pages().len();
    if count > MAX_PAGES {
        return Err(ReadError::TooLarge { limit: MAX_PAGES, unit: "pages" });
    }
    let mut pages = glyphs::pages(&pdf)?.into_iter().map(layout::parts).collect::<Vec<_>>();
    if pages.iter().all(Vec::is_empty) {
        return Err(match count {
            0 => ReadError::damaged(Format::Pdf, "it has no page"),
            pages => ReadError::Scanned { pages },
        });
    }
    layout::drop_running_lines(&mut pages);
    let mut writer = Writer::default();
    let metadata = pdf.metadata();
    writer.describe("title", &title(metadata.title.as_deref()));
    writer.describe("author", &text_string(metadata.author.as_deref()));
    write(&pages, &mut writer);
    Ok(writer.finish())
}

fn write(pages: &[Vec<Part>], writer: &mut Writer) {
    let styles = Styles::of(pages);
    let pages: Vec<Vec<Block>> = pages.iter().map(|parts| styles.blocks(parts)).collect();
    let is_heading = |block: &Block| matches!(block, Block::Heading { .. });
    let headed = pages.iter().flatten().any(is_heading);
    for (n, blocks) in pages.iter().enumerate() {
        writer.page();
        // Without headings of its own a long text would be one section.
        if !headed && pages.len() > 1 && !blocks.is_empty() {
            writer.heading(2, &format!("Page {}", n + 1));
        }
        for block in blocks {
            match block {
                Block::Heading { level, text } => writer.heading(*level, text),
                Block::Item { number, text } => writer.item(0, *number, text),
                Block::Paragraph(text) => writer.paragraph(text),
                Block::Table(rows) => writer.table(rows),
            }
        }
    }
}

/// The title, unless it is what a program put there: the name of the file it printed.
fn title(bytes: Option<&[u8]>) -> String {
    let title = text_string(bytes);
    let lower = title.to_lowercase();
    let is_file = [".doc", ".docx", ".odt", ".pdf", ".tex", ".indd", ".html", ".txt"]
        .iter()
        .any(|ending| lower.ends_with(ending));
    let is_empty = ["untitled", "about:blank", "document"].contains(&lower.as_str());
    if is_file || is_empty || lower.starts_with("microsoft word") { String::new() } else { title }
}

/// A text string of PDF: UTF-16 or UTF-8 with its mark, else as good as Latin-1.
fn text_string(bytes: Option<&[u8]>) -> String {
    let bytes = bytes.unwrap_or_default();
    squeeze(&crate::text::decode(bytes, Some(b"windows-1252")))
}

#[cfg(test)]
mod tests;
