//! Plots as inline SVG: coloured by the page's style, and told in words to those who do not see
//! them.

use maud::{Markup, html};

use crate::eval::{bootstrap::Estimate, grounding::Grounding};

/// Bars that stand together.
pub(crate) struct Group<'a> {
    /// What they are of.
    pub(crate) name: &'a str,
    /// One a stage.
    pub(crate) bars: Vec<Bar>,
}

/// A bar with its interval; both from 0 to 1.
pub(crate) struct Bar {
    /// The stage.
    pub(crate) name: String,
    /// Its figure.
    pub(crate) estimate: Estimate,
}

/// Height of the drawn area, and width of the square ones, in pixels.
const AREA: f64 = 220.0;
/// Room for numbers on the left, names below, and dots and whiskers above.
const LEFT: f64 = 36.0;
const BELOW: f64 = 36.0;
const ABOVE: f64 = 20.0;
const BAR: f64 = 16.0;
const GAP: f64 = 20.0;
/// Colours that the page's style has; further stages start over.
const COLOURS: usize = 8;

/// Bars by group, each with a whisker for its interval.
pub(crate) fn bars(id: &str, title: &str, groups: &[Group<'_>]) -> Markup {
    let mut x = LEFT + GAP / 2.0;
    let placed: Vec<(f64, &Group<'_>)> = groups
        .iter()
        .map(|group| {
            let own = x;
            x += group.bars.len() as f64 * BAR + GAP;
            (own, group)
        })
        .collect();
    let stages = groups.first().map_or(&[][..], |group| &group.bars);
    html! {
        figure {
            svg role="img" aria-labelledby=(id) width=(x) height=(ABOVE + AREA + BELOW)
                viewBox={ "0 0 " (x) " " (ABOVE + AREA + BELOW) } {
                title id=(id) { (title) }
                (grid(x - LEFT))
                @for (left, group) in &placed {
                    @for (at, bar) in group.bars.iter().enumerate() {
                        @let left = left + at as f64 * BAR;
                        @let middle = left + BAR / 2.0 - 1.0;
                        @let Estimate { mean, low, high, .. } = bar.estimate;
                        rect x=(left) y=(y(mean)) width=(BAR - 2.0) height=(mean.clamp(0.0, 1.0) * AREA)
                            fill=(colour(at)) {
                            title { (group.name) ", " (bar.name) ": " (format!("{mean:.3} ({low:.3}–{high:.3})")) }
                        }
                        line.whisker x1=(middle) x2=(middle) y1=(y(low)) y2=(y(high)) {}
                    }
                    text x=(left) y=(ABOVE + AREA + 18.0) { (group.name) }
                }
            }
            figcaption {
                (title) ": "
                @for (at, stage) in stages.iter().enumerate() {
                    @if at > 0 { ", " }
                    span style={ "color:" (colour(at)) } aria-hidden="true" { "■" }
                    " " (stage.name)
                }
            }
        }
    }
}

/// Precision over recall of "answerable", with the threshold marked.
pub(crate) fn precision_recall(id: &str, grounding: &Grounding) -> Markup {
    let points: Vec<String> = grounding
        .curve
        .iter()
        .map(|point| format!("{:.1},{:.1}", x(point.recall), y(point.precision)))
        .collect();
    let mark = grounding.at_threshold;
    let title = format!(
        "Precision over recall of \"answerable\": at the threshold {:.2} precision {:.3} and recall \
         {:.3}",
        mark.threshold, mark.precision, mark.recall
    );
    square(
        id,
        &title,
        "recall",
        &html! {
            polyline.curve points=(points.join(" ")) {}
            circle.mark cx=(x(mark.recall)) cy=(y(mark.precision)) r="5" {
                title { "threshold " (format!("{:.2}", mark.threshold)) }
            }
        },
    )
}

/// The share of answerable cases over the confidence, by bin; a dot's area goes with its cases.
pub(crate) fn calibration(id: &str, grounding: &Grounding) -> Markup {
    let cases: usize = grounding.bins.iter().map(|bin| bin.cases).sum();
    let title = format!(
        "Share of answerable cases over confidence: calibration error {:.3}; on the line the \
         confidence is right",
        grounding.calibration_error
    );
    square(
        id,
        &title,
        "confidence",
        &html! {
            line.axis x1=(x(0.0)) y1=(y(0.0)) x2=(x(1.0)) y2=(y(1.0)) {}
            @for bin in &grounding.bins {
                @let radius = 3.0 + 14.0 * (bin.cases as f64 / cases.max(1) as f64).sqrt();
                circle.dot cx=(x(bin.confidence)) cy=(y(bin.answerable)) r=(format!("{radius:.1}")) {
                    title { (bin.cases) " cases" }
                }
            }
        },
    )
}

/// A square plot with both axes from 0 to 1.
fn square(id: &str, title: &str, across: &str, content: &Markup) -> Markup {
    let (width, height) = (LEFT + AREA + 20.0, ABOVE + AREA + BELOW);
    html! {
        figure {
            svg role="img" aria-labelledby=(id) width=(width) height=(height)
                viewBox={ "0 0 " (width) " " (height) } {
                title id=(id) { (title) }
                (grid(AREA))
                @for tick in TICKS {
                    text x=(x(tick)) y=(ABOVE + AREA + 16.0) text-anchor="middle" { (tick) }
                }
                text x=(x(0.5)) y=(ABOVE + AREA + 32.0) text-anchor="middle" { (across) }
                (content)
            }
            figcaption { (title) }
        }
    }
}

/// Lines and numbers of the vertical axis.
fn grid(width: f64) -> Markup {
    html! {
        @for tick in TICKS {
            line.axis x1=(LEFT) x2=(LEFT + width) y1=(y(tick)) y2=(y(tick)) {}
            text x=(LEFT - 6.0) y=(y(tick) + 4.0) text-anchor="end" { (tick) }
        }
    }
}

const TICKS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

fn x(share: f64) -> f64 {
    tenths(LEFT + share.clamp(0.0, 1.0) * AREA)
}

fn y(share: f64) -> f64 {
    tenths(ABOVE + (1.0 - share.clamp(0.0, 1.0)) * AREA)
}

fn tenths(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

fn colour(stage: usize) -> String {
    format!("var(--stage-{})", stage % COLOURS)
}
