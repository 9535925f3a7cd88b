//! The figures as a page with a plot.

use std::fmt::Write as _;

use super::{build, search};

type Row = (build::Figures, search::Figures);

/// One size, for who waits.
pub(super) fn line(built: &build::Figures, searched: &search::Figures) -> String {
    format!(
        "{} chunks: built in {:.1} s, searched in {:.2} ms, with the encoder in {:.2} ms",
        built.chunks,
        built.cutting + built.lexical + built.dense,
        searched.given.p50,
        searched.encoded.p50
    )
}

pub(super) fn page(rows: &[Row]) -> String {
    let mut page = String::from(HEAD);
    let mut table = |title: &str, cells: &dyn Fn(&Row) -> Vec<String>, head: &[&str]| {
        let rule = "|---:".repeat(head.len());
        let _ = write!(page, "\n## {title}\n\n| {} |\n{rule}|\n", head.join(" | "));
        for row in rows {
            let _ = writeln!(page, "| {} |", cells(row).join(" | "));
        }
    };
    let times = |times: &search::Times| format!("{:.2} / {:.2}", times.p50, times.p99);
    table(
        "Retrieval, p50 / p99 in ms",
        &|(built, found)| {
            let with = |on: bool, it: String| if on { format!("**{it}**") } else { it };
            vec![
                thousands(built.chunks),
                times(&found.given),
                times(&found.encoded),
                times(&found.bm25),
                with(!found.carries_graph, times(&found.exact)),
                with(found.carries_graph, times(&found.graph)),
                format!("{:.3}", found.recall),
            ]
        },
        &["chunks", "without encoder", "with encoder", "BM25", "exact", "graph", "recall@10"],
    );
    table(
        "Building, in seconds",
        &|(built, _)| {
            vec![
                thousands(built.chunks),
                format!("{:.1}", built.text_bytes as f64 / f64::from(1 << 20)),
                format!("{:.2}", built.cutting),
                format!("{:.2}", built.lexical),
                format!("{:.2}", built.dense),
                format!("{:.0}", built.encoding),
                format!("{:.0}", built.chunks as f64 / built.encoding),
            ]
        },
        &[
            "chunks",
            "text, MiB",
            "cutting",
            "BM25",
            "vectors, graph",
            "chunks/s encoded",
            "encoding all",
        ],
    );
    table(
        "Size",
        &|(built, found)| {
            vec![
                thousands(built.chunks),
                format!("{:.1}", built.pack_bytes as f64 / f64::from(1 << 20)),
                format!("{:.0}", built.pack_bytes as f64 / built.chunks as f64),
                format!("{:.1}", found.open),
                format!("{:.0}", found.memory),
                format!("{:.0}", built.memory),
            ]
        },
        &[
            "chunks",
            "pack, MiB",
            "bytes a chunk",
            "opened in ms",
            "memory of the pack, MiB",
            "building, MiB",
        ],
    );
    if let [(first, small), .., (last, large)] = rows {
        let _ = write!(
            page,
            "\n## Growth\n\nFrom {} to {} chunks the median grows {:.1} times with the encoder, {:.1} \
             times without.\n",
            thousands(first.chunks),
            thousands(last.chunks),
            large.encoded.p50 / small.encoded.p50,
            large.given.p50 / small.given.p50,
        );
    }
    page
}

const HEAD: &str = "\
# Scale

Written by `cargo xtask bench scale`; nothing here is by hand.

![Latency of retrieval by number of chunks](scale.svg)

Documents, sections and sentences are generated from a seed, with words as frequent as in real text (`tests/src/bench/scale/corpus.rs`).
The first 3 000 passages are encoded; all others have vectors scattered around theirs, since encoding a hundred thousand takes the time given below.
Larger packs go without late interaction (`core/src/index/pieces.rs`), so the step from 3 000 to 10 000 chunks takes that away.
Questions are of the same manner and are encoded; each of 50 is asked ten times, natively, in one thread.
Bold is what a pack of that size uses; recall@10 is the graph's, against comparing every vector.
";

/// Both axes logarithmic: the median as a line, up to the 99th percentile as a band.
pub(super) fn plot(rows: &[Row]) -> String {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 380.0;
    const MARGIN: f64 = 56.0;
    let of = |pick: fn(&search::Figures) -> search::Times| -> Vec<(f64, search::Times)> {
        rows.iter().map(|(built, found)| (built.chunks as f64, pick(found))).collect()
    };
    let series = [
        ("with encoder", "#b3541e", of(|it| it.encoded)),
        ("without encoder", "#1f6f8b", of(|it| it.given)),
        ("BM25", "#5b7f2b", of(|it| it.bm25)),
        ("exact vectors", "#7a4fa3", of(|it| it.exact)),
        ("graph", "#8a8a8a", of(|it| it.graph)),
    ];
    let points = || series.iter().flat_map(|(_, _, points)| points);
    let low = points().map(|(_, it)| it.p50).fold(f64::MAX, f64::min).log10().floor();
    let high = points().map(|(_, it)| it.p99).fold(0.0, f64::max).log10().ceil();
    let (least, most) = (rows[0].0.chunks as f64, rows[rows.len() - 1].0.chunks as f64);
    let x = |chunks: f64| {
        MARGIN + (chunks / least).log10() / (most / least).log10() * (WIDTH - 4.0 * MARGIN)
    };
    let y = |ms: f64| HEIGHT - MARGIN - (ms.log10() - low) / (high - low) * (HEIGHT - 2.0 * MARGIN);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>Milliseconds of retrieval by number of chunks</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for power in low as i32..=high as i32 {
        let (at, end) = (y(10_f64.powi(power)), WIDTH - 3.0 * MARGIN);
        let _ = writeln!(
            svg,
            "<path d=\"M{MARGIN} {at:.1}H{end}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} ms</text>",
            MARGIN - 6.0,
            at + 4.0,
            10_f64.powi(power),
        );
    }
    for (built, _) in rows {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x(built.chunks as f64),
            HEIGHT - MARGIN + 20.0,
            thousands(built.chunks)
        );
    }
    for (name, colour, points) in &series {
        let path = |pick: fn(&search::Times) -> f64| -> Vec<String> {
            let at = |(chunks, it): &(f64, search::Times)| {
                format!("{:.1},{:.1}", x(*chunks), y(pick(it)))
            };
            points.iter().map(at).collect()
        };
        let (median, mut high) = (path(|it| it.p50), path(|it| it.p99));
        high.reverse();
        let _ = writeln!(
            svg,
            "<polygon points=\"{} {}\" fill=\"{colour}\" opacity=\"0.12\"/>\
             <polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            median.join(" "),
            high.join(" "),
            median.join(" ")
        );
        if let Some((chunks, last)) = points.last() {
            let (left, top) = (x(*chunks) + 8.0, y(last.p50) + 4.0);
            let _ = writeln!(
                svg,
                "<text x=\"{left:.1}\" y=\"{top:.1}\" fill=\"{colour}\">{name}</text>"
            );
        }
    }
    svg + "</svg>\n"
}

/// A number with thin groups of three digits.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let groups: Vec<_> = groups.into_iter().map(String::from_utf8_lossy).collect();
    groups.join(" ")
}
