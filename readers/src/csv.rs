//! Tables as text: a transcript from a spreadsheet, with commas, semicolons or tabs.

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::{Content, Format, ReadError, limits::MAX_CELLS, markdown::Writer, text::decode};

/// Rows that are looked at to tell the delimiter.
const SAMPLE_ROWS: usize = 30;

type Row = Vec<String>;

pub(crate) fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let text = decode(bytes, None);
    let text = text.trim_start_matches('\u{feff}');
    if text.contains('\0') {
        return Err(ReadError::damaged(Format::Csv, "it has zero bytes, as no text has"));
    }
    let mut rows = rows(text, delimiter(text), usize::MAX);
    // Exports start with lines that are not of the table: a title, a date.
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let start = rows.iter().position(|row| filled(row) * 2 >= width).unwrap_or(0);
    let mut writer = Writer::default();
    for row in rows.drain(..start) {
        writer.paragraph(&row.join(" "));
    }
    if let Some(header) = rows.first_mut() {
        header.resize(width, String::new());
        for (at, name) in header.iter_mut().enumerate().filter(|(_, it)| it.is_empty()) {
            *name = format!("Column {}", at + 1);
        }
    }
    writer.table(&rows);
    Ok(writer.finish())
}

/// The delimiter that cuts the first rows into the most cells, all rows alike.
fn delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let sample = rows(text, delimiter, SAMPLE_ROWS);
        let alike = |width: usize| sample.iter().filter(|row| row.len() == width).count();
        let usual = sample.iter().map(Vec::len).max_by_key(|width| (alike(*width), *width));
        usual.filter(|width| *width > 1).map_or((0, 0), |width| (alike(width), width))
    };
    // Among equals the later one is taken: a comma is the likeliest to separate cells.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|it| score(*it)).unwrap_or(b',')
}

/// The rows that have something in them, at most `most`.
fn rows(text: &str, delimiter: u8, most: usize) -> Vec<Row> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let mut input = text.as_bytes();
    // A cell is never longer than what it is read from, and has no more ends than bytes.
    let (mut cells, mut ends) = (vec![0; input.len()], [0; MAX_CELLS]);
    let mut rows = Vec::new();
    let (mut written, mut ended) = (0, 0);
    while rows.len() < most {
        let (result, read, wrote, closed) =
            reader.read_record(input, &mut cells[written..], &mut ends[ended..]);
        input = &input[read..];
        (written, ended) = (written + wrote, ended + closed);
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull => {}
            // Cells beyond the last that is kept are joined to it.
            ReadRecordResult::OutputEndsFull => ended -= 1,
            ReadRecordResult::Record => {
                let starts = std::iter::once(0).chain(ends[..ended].iter().copied());
                let cell = |(from, to): (usize, &usize)| {
                    String::from_utf8_lossy(&cells[from..*to]).trim().to_owned()
                };
                let row: Row = starts.zip(&ends[..ended]).map(cell).collect();
                rows.extend((filled(&row) > 0).then_some(row));
                (written, ended) = (0, 0);
            }
            ReadRecordResult::End => break,
        }
    }
    rows
}

fn filled(row: &Row) -> usize {
    row.iter().filter(|cell| !cell.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(read(text.as_bytes()).unwrap().text, expected, "{text}");
    }

    #[test]
    fn delimiters_and_quotes() {
        let expected = "| Course | Grade |\n|---|---|\n| Optics, waves | A |\n| Heat | B |\n";
        check("Course,Grade\n\"Optics, waves\",A\nHeat,B\n", expected);
        check("\u{feff}Course;Grade\r\nOptics, waves;A\r\n\r\nHeat;B\r\n", expected);
        check("Course\tGrade\nOptics, waves\tA\nHeat\tB", expected);
    }

    #[test]
    fn titles_and_ragged_rows() {
        check(
            "Transcript of records,,\nCode,Course,\nA1,Heat,5,more\nB2\n",
            "Transcript of records\n\n| Code | Course | Column 3 | Column 4 |\n|---|---|---|---|\n| A1 | Heat | 5 | more |\n| B2 |  |  |  |\n",
        );
        check("one line", "one line\n");
        assert!(read(b"a,b\0").is_err());
    }
}
