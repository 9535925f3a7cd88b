//! The report on a terminal.

use std::fmt::Write as _;

use super::tables::{self, LEGEND, Table};
use crate::eval::summary::{Failed, Report};

/// Renders the report.
pub(crate) fn render(report: &Report) -> String {
    let mut text = format!("{}\n\n", tables::headline(report));
    for summary in &report.collections {
        let _ = writeln!(text, "{}", tables::collection_headline(summary));
        tables::of_collection(summary).iter().for_each(|table| push(&mut text, table));
        text.push('\n');
    }
    tables::over_all(report).iter().for_each(|table| push(&mut text, table));
    text.push_str(LEGEND);
    text
}

/// Renders the cases that did not pass.
pub(crate) fn failures(report: &Report) -> String {
    let mut text = String::new();
    for summary in &report.collections {
        summary.failures.iter().for_each(|failed| push_failed(&mut text, &summary.name, failed));
    }
    text
}

fn push_failed(text: &mut String, collection: &str, failed: &Failed) {
    let _ = writeln!(text, "{collection} {} ({}): {}", failed.id, failed.category, failed.query);
    let mut lines = vec![
        ("expected", failed.expected.join(", ")),
        ("found", failed.found.join(", ")),
        ("facts", failed.facts.join(", ")),
    ];
    if failed.refuse.is_some_and(|refuse| failed.refused != Some(refuse)) {
        let wrongly = if failed.refuse == Some(true) { "answered" } else { "declined" };
        lines.push(("wrongly", wrongly.to_owned()));
    }
    lines.push(("answer", failed.answer.clone().unwrap_or_default()));
    for (name, line) in lines.into_iter().filter(|(_, line)| !line.is_empty()) {
        let _ = writeln!(text, "    {name:<8} {line}");
    }
}

fn push(text: &mut String, table: &Table) {
    let widths: Vec<usize> = (0..table.header.len())
        .map(|at| {
            let cells = table.rows.iter().filter_map(|row| row.get(at));
            cells.chain([&table.header[at]]).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let _ = writeln!(text, "\n  {}:", table.title);
    for row in [&table.header].into_iter().chain(&table.rows) {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match at {
                0 => write!(text, "  {cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    if !table.note.is_empty() {
        let _ = writeln!(text, "  {}", table.note);
    }
}
