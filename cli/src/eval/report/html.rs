//! The report as one HTML page that needs nothing beside it, in light and dark.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    plots::{self, Bar, Group},
    tables::{self, LEGEND, Table},
};
use crate::eval::{
    ablation::StageSummary,
    grounding::Grounding,
    metrics::NDCG,
    summary::{Report, Summary},
};

/// Renders the page.
pub(crate) fn render(report: &Report) -> String {
    let title = format!("Evaluation: {}", tables::headline(report));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    nav aria-label="Collections" {
                        ul {
                            @for (at, summary) in report.collections.iter().enumerate() {
                                li { a href={ "#collection-" (at) } { (summary.name) } }
                            }
                        }
                    }
                    (overview(report))
                    @for (at, summary) in report.collections.iter().enumerate() {
                        (collection(at, summary))
                    }
                    h2 { "How to read the figures" }
                    p { (LEGEND) }
                }
            }
        }
    };
    page.into_string()
}

fn overview(report: &Report) -> Markup {
    let groups: Vec<Group<'_>> = report.collections.iter().filter_map(group).collect();
    html! {
        section aria-labelledby="overview" {
            h2 id="overview" { "All collections" }
            div.plots {
                @if !groups.is_empty() {
                    (plots::bars("stages", "nDCG@10 of each stage by collection, with 95 % intervals", &groups))
                }
                @if let Some(grounding) = &report.grounding { (grounding_plots("all", grounding)) }
            }
            @for table in tables::over_all(report) { (render_table(&table)) }
        }
    }
}

fn collection(at: usize, summary: &Summary) -> Markup {
    let id = format!("collection-{at}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (tables::collection_headline(summary)) }
            @if let Some(grounding) = &summary.grounding {
                div.plots { (grounding_plots(&id, grounding)) }
            }
            @for table in tables::of_collection(summary) { (render_table(&table)) }
            @if let Some(table) = tables::failures(summary) {
                details {
                    summary { "Cases that did not pass: " (table.rows.len()) }
                    (render_table(&table))
                }
            }
        }
    }
}

fn group(summary: &Summary) -> Option<Group<'_>> {
    let stages = &summary.ablation.as_ref()?.stages;
    let bar = |stage: &StageSummary| {
        Some(Bar { name: stage.name.clone(), estimate: *stage.figures.get(NDCG)? })
    };
    Some(Group { name: &summary.name, bars: stages.iter().filter_map(bar).collect() })
}

fn grounding_plots(id: &str, grounding: &Grounding) -> Markup {
    html! {
        (plots::precision_recall(&format!("{id}-curve"), grounding))
        (plots::calibration(&format!("{id}-calibration"), grounding))
    }
}

fn render_table(table: &Table) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(table.title) {
            table {
                caption { (table.title) }
                thead { tr { @for name in &table.header { th scope="col" { (name) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (at, cell) in row.iter().enumerate() {
                                @if at == 0 { th scope="row" { (cell) } }
                                @else if at < table.words { td.words { (cell) } }
                                @else { td { (cell) } }
                            }
                        }
                    }
                }
            }
        }
        @if !table.note.is_empty() { p.note { (table.note) } }
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --ground: #fff; --ink: #1c1e21; --faint: #5b626b; --line: #d4d8dd;
  --stage-0: #0072b2; --stage-1: #d55e00; --stage-2: #009e73; --stage-3: #a8447f;
  --stage-4: #6f7f00; --stage-5: #7a5cc4; --stage-6: #946a2d; --stage-7: #4d5966; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --ink: #e7e9ec; --faint: #a3abb5;
  --line: #3a4048; --stage-0: #56b4e9; --stage-1: #f0803c; --stage-2: #2ec795; --stage-3: #e38bbd;
  --stage-4: #c3d03c; --stage-5: #b59cf0; --stage-6: #d9ab66; --stage-7: #9aa7b5; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1.25rem; list-style: none; padding: 0; }
a { color: inherit; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; max-width: 100%; }
figcaption { font-size: .875rem; color: var(--faint); contain: inline-size; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.axis { stroke: var(--line); fill: none; } .whisker { stroke: var(--ink); }
.curve { stroke: var(--stage-0); stroke-width: 2; fill: none; }
.dot { fill: var(--stage-0); fill-opacity: .75; } .mark { fill: var(--stage-1); }
.scroll { overflow-x: auto; margin-top: 1rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; white-space: nowrap; }
th:first-child, td.words { text-align: left; } td.words { white-space: normal; min-width: 9rem; }
.note { font-size: .875rem; color: var(--faint); margin: .25rem 0; }
summary { cursor: pointer; margin-top: 1rem; }
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{ablation::Ablation, bootstrap::Estimate, metrics::Scores, summary::Failed};

    fn report() -> Report {
        let estimate = Estimate { mean: 0.5, low: 0.4, high: 0.6, cases: 2 };
        let stage = |name: &str| StageSummary {
            name: name.to_owned(),
            figures: [(NDCG.to_owned(), estimate)].into(),
            change: Default::default(),
        };
        let failed = Failed {
            id: "a".to_owned(),
            query: "Who <script>alert(1)</script> & \"why\"?".to_owned(),
            scores: Scores::new(),
            ..Failed::default()
        };
        let grounding = Grounding::weigh(vec![(0.9, true), (0.2, false)]);
        let summary = Summary {
            name: "a <b>".to_owned(),
            cases: 2,
            all: [(NDCG.to_owned(), estimate), ("mrr".to_owned(), estimate)].into(),
            ablation: Some(Ablation {
                stages: vec![stage("bm25"), stage("hybrid")],
                best_reference: "bm25".to_owned(),
                margin: estimate,
            }),
            grounding: grounding.clone(),
            failures: vec![failed],
            ..Summary::default()
        };
        Report { collections: vec![summary], grounding, ..Report::default() }
    }

    /// Checks that tags close in the order in which they open, and returns the ids.
    fn well_formed(page: &str) -> Vec<&str> {
        let void = ["meta", "!DOCTYPE"];
        let (mut open, mut ids) = (Vec::new(), Vec::new());
        for tag in page.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{tag}");
                continue;
            }
            let name = tag.split(' ').next().unwrap_or(tag);
            if !void.contains(&name) {
                open.push(name);
            }
            ids.extend(tag.split_once(" id=\"").and_then(|(_, id)| id.split('"').next()));
        }
        assert!(open.is_empty(), "{open:?}");
        ids
    }

    #[test]
    fn the_page_is_well_formed_and_needs_nothing_beside_it() {
        let page = render(&report());
        let ids = well_formed(&page);
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(ids.len(), unique.len(), "{ids:?}");
        for reference in ["aria-labelledby=\"", "href=\"#"] {
            for at in page.split(reference).skip(1) {
                for id in at.split('"').next().unwrap_or_default().split(' ') {
                    assert!(ids.contains(&id), "{reference}{id}");
                }
            }
        }
        for outside in ["<script", "src=", "@import", "url(", "http"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("Who &lt;script&gt;alert(1)&lt;/script&gt; &amp;"));
        assert!(page.contains("prefers-color-scheme: dark"));
    }
}
