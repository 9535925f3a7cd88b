//! Tables as text: a transcript from a spreadsheet, with commas, semicolons or tabs.

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::{Content, Format, ReadError, limits::MAX_CELLS, markdown::Writer, text::decode};

/// Rows that are looked at to tell the delimiter.
const SAMPLE_ROWS: usize = 30;

pub(crate) fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let text = decode(bytes, None);
    let text = text.trim_start_matches('\u{feff}');
    if text.contains('\0') {
        return Err(ReadError::damaged(Format::Csv, "it has zero bytes, as no text has"));
    }
    let mut records = records(text, delimiter(text), usize::MAX);
    // Exports start with lines that are not of the table: a title, a date.
    let width = records.iter().map(StringRecord::len).max().unwrap_or(0).min(MAX_CELLS);
    let start = records.iter().position(|it| filled(it) * 2 >= width).unwrap_or(0);
    let mut writer = Writer::default();
    for record in records.drain(..start) {
        writer.paragraph(&cells(&record).join(" "));
    }
    let mut rows: Vec<Vec<String>> = records.iter().map(cells).collect();
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
        let widths: Vec<usize> =
            records(text, delimiter, SAMPLE_ROWS).iter().map(StringRecord::len).collect();
        let usual = widths
            .iter()
            .copied()
            .max_by_key(|width| (widths.iter().filter(|it| *it == width).count(), *width));
        let usual = usual.unwrap_or(1);
        let agreeing = widths.iter().filter(|width| **width == usual).count();
        if usual < 2 { 0 } else { agreeing * 100 + usual.min(99) }
    };
    // Among equals the later one is taken: a comma is the likeliest to separate cells.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|it| score(*it)).unwrap_or(b',')
}

fn records(text: &str, delimiter: u8, most: usize) -> Vec<StringRecord> {
    let reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let records = reader.into_records().filter_map(Result::ok);
    records.filter(|record| filled(record) > 0).take(most).collect()
}

fn filled(record: &StringRecord) -> usize {
    record.iter().filter(|cell| !cell.is_empty()).count()
}

fn cells(record: &StringRecord) -> Vec<String> {
    record.iter().take(MAX_CELLS).map(str::to_owned).collect()
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
