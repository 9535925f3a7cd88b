//! The report as Markdown, for a pull request or a page of measurements.

use std::fmt::Write as _;

use super::tables::{self, LEGEND, Table};
use crate::eval::summary::Report;

/// Renders the report.
pub(crate) fn render(report: &Report) -> String {
    let mut text = format!("# Evaluation: {}\n", tables::headline(report));
    for table in tables::over_all(report) {
        push(&mut text, 2, &table);
    }
    for summary in &report.collections {
        let _ = writeln!(text, "\n## {}", tables::collection_headline(summary));
        for table in tables::of_collection(summary) {
            push(&mut text, 3, &table);
        }
        tables::failures(summary).iter().for_each(|table| push(&mut text, 3, table));
    }
    let _ = writeln!(text, "\n{LEGEND}");
    text
}

fn push(text: &mut String, level: usize, table: &Table) {
    let _ = writeln!(text, "\n{} {}\n", "#".repeat(level), table.title);
    let mut row = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    row(&table.header);
    let rule = |at| if at < table.words { "---" } else { "--:" };
    row(&(0..table.header.len()).map(|at| rule(at).to_owned()).collect::<Vec<_>>());
    table.rows.iter().for_each(|cells| row(cells));
    if !table.note.is_empty() {
        let _ = writeln!(text, "\n{}", table.note);
    }
}

/// What would end a cell, or start a tag, is written so that it does not.
fn escape(cell: &str) -> String {
    let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
    cell.replace('\\', "\\\\").replace('|', "\\|").replace('<', "\\<").replace('`', "\\`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_cells() {
        assert_eq!(escape("a|b\n<i> `c`"), "a\\|b \\<i> \\`c\\`");
    }

    #[test]
    fn a_table_has_its_rule() {
        let cells = |cells: &[&str]| cells.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let table = Table {
            title: "stages".to_owned(),
            header: cells(&["stage", "MRR"]),
            rows: vec![cells(&["bm25", "0.500"])],
            note: "a note".to_owned(),
            words: 1,
        };
        let mut text = String::new();
        push(&mut text, 2, &table);
        assert_eq!(
            text,
            "\n## stages\n\n| stage | MRR |\n| --- | --: |\n| bm25 | 0.500 |\n\na note\n"
        );
    }
}
