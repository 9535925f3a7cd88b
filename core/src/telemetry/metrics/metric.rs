//! What a metric is: name, meaning, kind, labels and the values these may have.

/// The value of a label that stands for everything not foreseen.
pub const OTHER: &str = "other";

/// Longest value of an open label, in bytes: the longest names of models have about 50.
const MAX_VALUE: usize = 64;

/// One family of series.
#[derive(Debug)]
pub struct Metric {
    /// Its name, as dashboards ask for it.
    pub name: &'static str,
    /// What it counts, in one line.
    pub help: &'static str,
    /// How it counts.
    pub kind: Kind,
    /// Its labels, in the order in which values are given.
    pub labels: &'static [Label],
}

/// How a metric counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Whole events.
    Counter,
    /// A growing amount, exact to a millionth.
    Amount,
    /// Computed when it is asked for; no snapshot holds it.
    Gauge,
    /// Observations by size; upper bounds of buckets, ascending. Sums are exact to a millionth.
    Histogram(&'static [f64]),
    /// Number and sum of observations.
    Summary,
}

impl Kind {
    /// The upper bounds of its finite buckets.
    pub(super) fn bounds(self) -> &'static [f64] {
        match self {
            Self::Histogram(bounds) => bounds,
            Self::Counter | Self::Amount | Self::Gauge | Self::Summary => &[],
        }
    }
}

/// A label and what it may say.
#[derive(Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub values: Values,
}

/// The values of a label. Never a session, a visitor or a text of one.
#[derive(Debug)]
pub enum Values {
    /// These, and [`OTHER`].
    Known(&'static [&'static str]),
    /// What the operator's configuration names: models, providers, patterns. A snapshot keeps
    /// [`MAX_SERIES`](super::MAX_SERIES) of them; the rest is [`OTHER`].
    Open,
}

impl Label {
    pub(super) const fn known(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values: Values::Known(values) }
    }

    pub(super) const fn open(name: &'static str) -> Self {
        Self { name, values: Values::Open }
    }

    /// `value` where it is allowed, else [`OTHER`].
    pub(in crate::telemetry) fn fold<'a>(&self, value: &'a str) -> &'a str {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
        let allowed = match self.values {
            Values::Known(known) => known.contains(&value),
            Values::Open => (1..=MAX_VALUE).contains(&value.len()) && value.bytes().all(legal),
        };
        if allowed { value } else { OTHER }
    }
}
