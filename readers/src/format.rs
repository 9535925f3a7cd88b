//! Which reader a file goes to, by its name and its first bytes, and the net below all readers.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    Content, ReadError, csv, docx, html, json_resume,
    limits::{MAX_FILE_BYTES, MAX_TEXT_BYTES},
    pdf, yaml,
};

/// A format that is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Rows of cells: comma, semicolon or tab between them.
    Csv,
    /// Word since 2007.
    Docx,
    /// A page of the web.
    Html,
    /// A résumé after the JSON Resume schema.
    Json,
    /// Portable Document Format.
    Pdf,
    /// Records, such as certificates.
    Yaml,
}

/// Endings of the files that are read, in lower case, and their formats.
pub const ENDINGS: &[(&str, Format)] = &[
    ("html", Format::Html),
    ("htm", Format::Html),
    ("xhtml", Format::Html),
    ("pdf", Format::Pdf),
    ("docx", Format::Docx),
    ("json", Format::Json),
    ("yaml", Format::Yaml),
    ("yml", Format::Yaml),
    ("csv", Format::Csv),
    ("tsv", Format::Csv),
];

/// Reads the file called `name`.
///
/// A PDF is known by its first bytes whatever its name; all else by its ending, and its content
/// must not contradict it.
///
/// # Errors
/// [`ReadError`], saying what to do.
pub fn read(name: &str, bytes: &[u8]) -> Result<Content, ReadError> {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    let format = Format::of(&ending, bytes)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ReadError::FILE_TOO_LARGE);
    }
    let reader = match format {
        Format::Csv => csv::read,
        Format::Docx => docx::read,
        Format::Html => html::read,
        Format::Json => json_resume::read,
        Format::Pdf => pdf::read,
        Format::Yaml => yaml::read,
    };
    // The libraries below read files that nobody has checked. A panic in one of them is that
    // file's, and nothing of the reader's state outlives it.
    let content = catch_unwind(AssertUnwindSafe(|| reader(bytes)))
        .unwrap_or_else(|_| Err(ReadError::damaged(format, "its reader gave up")))?;
    if content.text.len() > MAX_TEXT_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_TEXT_BYTES >> 20, unit: "MiB of text" });
    }
    if content.text.trim().is_empty() {
        return Err(ReadError::Empty { format });
    }
    Ok(content)
}

impl Format {
    fn of(ending: &str, bytes: &[u8]) -> Result<Self, ReadError> {
        // Readers of PDF accept a header within the first kilobyte.
        let head = &bytes[..bytes.len().min(1024)];
        if head.windows(5).any(|it| it == b"%PDF-") && !head.starts_with(b"<") {
            return Ok(Self::Pdf);
        }
        let named = ENDINGS.iter().find(|(it, _)| *it == ending).map(|(_, format)| *format);
        let named = named.ok_or_else(|| ReadError::Unsupported { ending: ending.to_owned() })?;
        let found = match head {
            [b'P', b'K', 3, 4, ..] => Some(("a ZIP archive", ".docx")),
            [0xd0, 0xcf, 0x11, 0xe0, ..] if docx::is_locked(bytes) => {
                return Err(ReadError::Locked { format: Self::Docx });
            }
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Some(("an old Office file", ".docx")),
            [b'{', b'\\', b'r', b't', b'f', ..] => Some(("Rich Text", ".docx")),
            [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => Some(("a picture", ".pdf")),
            _ => None,
        };
        match found {
            Some(("a ZIP archive", _)) if named == Self::Docx => Ok(named),
            Some((found, expected)) => {
                Err(ReadError::Mismatch { ending: format!(".{ending}"), found, expected })
            }
            None => match named {
                Self::Docx | Self::Pdf => {
                    Err(ReadError::damaged(named, "it does not start as one"))
                }
                Self::Csv | Self::Html | Self::Json | Self::Yaml => Ok(named),
            },
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "table (CSV)",
            Self::Docx => "Word document",
            Self::Html => "HTML page",
            Self::Json => "JSON file",
            Self::Pdf => "PDF",
            Self::Yaml => "YAML file",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_name_and_content() {
        let check = |ending: &str, bytes: &[u8], expected: &str| {
            let shown = match Format::of(ending, bytes) {
                Ok(format) => format!("{format:?}"),
                Err(error) => error.to_string(),
            };
            assert!(shown.contains(expected), "{ending}: {shown}");
        };
        check("html", b"<!doctype html>", "Html");
        check("yml", b"a: 1", "Yaml");
        check("txt", b"%PDF-1.7", "Pdf");
        check("docx", b"PK\x03\x04", "Docx");
        check(
            "csv",
            b"PK\x03\x04",
            "named .csv, but its content is a ZIP archive; save it as .docx",
        );
        check("docx", b"\xd0\xcf\x11\xe0 WordDocument", "an old Office file; save it as .docx");
        check(
            "docx",
            b"\xd0\xcf\x11\xe0 E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
            "locked",
        );
        check("pdf", b"<html>", "damaged PDF: it does not start as one");
        check("odt", b"PK\x03\x04", "unsupported ending \"odt\"");
        check("", b"text", "unsupported ending \"\"");
    }

    #[test]
    fn refuses_what_is_too_large_or_empty() {
        let large = vec![b' '; MAX_FILE_BYTES + 1];
        assert_eq!(read("a.html", &large), Err(ReadError::FILE_TOO_LARGE));
        assert_eq!(read("a.html", b"<p> </p>"), Err(ReadError::Empty { format: Format::Html }));
    }
}
