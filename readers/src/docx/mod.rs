//! Word documents: the text of the body, with what its styles say of headings and lists.
//!
//! Left to others: pages, which a Word document does not have until it is laid out; headers,
//! footers, notes and comments.

mod body;
mod styles;

use std::{
    borrow::Cow,
    io::{Cursor, Read as _},
};

use quick_xml::{Reader, events::Event};
use zip::ZipArchive;

use self::{body::Block, styles::Styles};
use crate::{
    Content, Format, ReadError,
    limits::MAX_PART_BYTES,
    markdown::{Writer, squeeze},
};

/// Longest paragraph in bold that is taken for a heading, in characters.
const MAX_HEADING_CHARS: usize = 60;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

pub(crate) fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| ReadError::damaged(Format::Docx, error))?;
    // Some versions of Word number it: `document2.xml`.
    let is_main = |name: &str| name.starts_with("word/document") && name.ends_with(".xml");
    let main = archive.file_names().flatten().find(|name| is_main(name)).map(Cow::into_owned);
    let Some(main) = main else {
        let reason = "a ZIP archive without word/document.xml; save it as .docx from Word";
        return Err(ReadError::Shape { format: Format::Docx, reason: reason.to_owned() });
    };
    let styles = match part(&mut archive, "word/styles.xml")? {
        Some(xml) => Styles::read(&xml)?,
        None => Styles::default(),
    };
    let body = part(&mut archive, &main)?.unwrap_or_default();
    let blocks = body::read(&body, &styles)?;
    let mut writer = Writer::default();
    if let Some(core) = part(&mut archive, "docProps/core.xml")? {
        describe(&core, &mut writer);
    }
    write(&blocks, &mut writer);
    Ok(writer.finish())
}

/// Whether an OLE file is a document that Word has encrypted.
pub(crate) fn is_locked(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(name.len()).any(|it| it == name)
}

/// A part of the archive as text; `None` where there is none of that name.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<Option<String>, ReadError> {
    if archive.index_for_name(name).is_none() {
        return Ok(None);
    }
    let damaged = |error: &dyn std::fmt::Display| ReadError::damaged(Format::Docx, error);
    let file = archive.by_name(name).map_err(|error| damaged(&error))?;
    let mut bytes = Vec::new();
    // What the archive declares as the part's size is not believed.
    let most = MAX_PART_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    if bytes.len() > MAX_PART_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_PART_BYTES >> 20, unit: "MiB when unpacked" });
    }
    let text = String::from_utf8(bytes).map_err(|error| damaged(&error.utf8_error()))?;
    Ok(Some(text))
}

/// Title and author from the document's properties.
fn describe(core: &str, writer: &mut Writer) {
    let mut reader = Reader::from_str(core);
    let (mut field, mut value) = (None, String::new());
    // Properties that cannot be read are done without: the text is what counts.
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(tag) => {
                value.clear();
                field = match tag.local_name().as_ref() {
                    "title" => Some("title"),
                    "creator" => Some("author"),
                    _ => None,
                };
            }
            Event::Text(text) => value.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => value.push_str(&body::reference(&name)),
            Event::End(_) => {
                if let Some(field) = field.take() {
                    writer.describe(field, &value);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
}

fn write(blocks: &[Block], writer: &mut Writer) {
    let styled = blocks.iter().any(|it| matches!(it, Block::Paragraph(it) if it.heading.is_some()));
    for block in blocks {
        match block {
            Block::Table(rows) => writer.table(rows),
            Block::Paragraph(paragraph) => {
                let text = squeeze(&paragraph.text);
                match (paragraph.heading, paragraph.list) {
                    (Some(level), _) => writer.heading(level, &text),
                    // Many people make headings by hand.
                    (None, None) if !styled && paragraph.is_bold && is_short(&text) => {
                        writer.heading(2, &text);
                    }
                    (None, Some(depth)) => writer.item(depth, None, &text),
                    (None, None) => writer.paragraph(&text),
                }
            }
        }
    }
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= MAX_HEADING_CHARS && !text.ends_with(['.', ',', ';'])
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// An archive of the parts given.
    fn docx(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn check(body: &str, expected: &str) {
        let body = format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
        let styles = "<w:styles xmlns:w=\"w\"><w:style w:styleId=\"b1\"><w:name w:val=\"heading 1\"/></w:style>\
                      <w:style w:styleId=\"own\"><w:basedOn w:val=\"b1\"/></w:style></w:styles>";
        let bytes = docx(&[("word/document.xml", &body), ("word/styles.xml", styles)]);
        assert_eq!(read(&bytes).unwrap().text.trim_end(), expected, "{body}");
    }

    fn paragraph(properties: &str, text: &str) -> String {
        format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
    }

    #[test]
    fn headings_lists_and_text() {
        let heading = paragraph("<w:pStyle w:val=\"own\"/>", "Work &amp; life");
        let item =
            paragraph("<w:numPr><w:ilvl w:val=\"1\"/><w:numId w:val=\"3\"/></w:numPr>", "deep");
        let none = paragraph("<w:numPr><w:numId w:val=\"0\"/></w:numPr>", "plain");
        check(&format!("{heading}{item}{none}"), "# Work & life\n\n   - deep\n\nplain");
        check(
            "<w:p><w:r><w:t>a</w:t><w:tab/><w:t xml:space=\"preserve\">b </w:t><w:br/><w:t>c</w:t><w:delText>gone</w:delText></w:r></w:p>",
            "a b c",
        );
    }

    #[test]
    fn bold_lines_are_headings_where_no_style_says_so() {
        let bold = "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>EDUCATION</w:t></w:r></w:p>";
        check(&format!("{bold}{}", paragraph("", "text")), "## EDUCATION\n\ntext");
        let heading = paragraph("<w:pStyle w:val=\"b1\"/>", "A");
        check(&format!("{heading}{bold}"), "# A\n\nEDUCATION");
        check("<w:p><w:r><w:rPr><w:b w:val=\"0\"/></w:rPr><w:t>no</w:t></w:r></w:p>", "no");
    }

    #[test]
    fn tables_layouts_and_text_boxes() {
        let row = |cells: &[&str]| {
            let cells = cells.iter().map(|it| format!("<w:tc>{it}</w:tc>")).collect::<String>();
            format!("<w:tr>{cells}</w:tr>")
        };
        let text = |it| paragraph("", it);
        let table = format!(
            "<w:tbl>{}{}</w:tbl>",
            row(&[&text("Year"), &text("Prize")]),
            row(&[&text("1903"), &(text("Davy") + &text("Medal"))])
        );
        check(&table, "| Year | Prize |\n|---|---|\n| 1903 | Davy Medal |");
        let heading = paragraph("<w:pStyle w:val=\"b1\"/>", "Work");
        let layout =
            format!("<w:tbl>{}</w:tbl>", row(&[&text("left"), &(heading + &text("right"))]));
        check(&layout, "left\n\n# Work\n\nright");
        check(
            &format!(
                "<w:p><w:r><w:t>out</w:t><mc:AlternateContent xmlns:mc=\"m\"><mc:Choice><w:txbxContent>{0}</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>{0}</w:txbxContent></mc:Fallback></mc:AlternateContent><w:t>er</w:t></w:r></w:p>",
                text("box")
            ),
            "box\n\nouter",
        );
    }

    #[test]
    fn titles_and_numbered_parts() {
        let core = "<c xmlns:dc=\"d\"><dc:title>R&#233;sum&#xe9;</dc:title><dc:creator>Ada</dc:creator></c>";
        let body = format!("<w:document xmlns:w=\"w\">{}</w:document>", paragraph("", "x"));
        let bytes = docx(&[("word/document2.xml", &body), ("docProps/core.xml", core)]);
        let content = read(&bytes).unwrap();
        assert_eq!(
            (content.text.as_str(), content.metadata["title"][0].as_str()),
            ("x\n", "Résumé")
        );
        assert_eq!(content.metadata["author"], ["Ada"]);
    }

    #[test]
    fn refusals() {
        let check = |bytes: &[u8], expected: &str| {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&docx(&[("xl/workbook.xml", "<x/>")]), "without word/document.xml");
        check(&docx(&[("word/document.xml", "<a><b></a>")]), "damaged Word document");
        let whole = docx(&[("word/document.xml", "<a/>")]);
        check(&whole[..whole.len() - 30], "damaged Word document");
        let bomb = " ".repeat(MAX_PART_BYTES + 1);
        check(&docx(&[("word/document.xml", &bomb)]), "more than 64 MiB when unpacked");
    }
}
