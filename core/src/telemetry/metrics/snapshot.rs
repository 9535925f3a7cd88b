//! Numbers of counters and histograms at one moment, to be added to and added up.

use super::metric::{Kind, Metric, OTHER, Values};
use crate::wire::Families;

/// Most series of a metric with an open label in one snapshot: a chain of three providers with five
/// models each, both outcomes, and as many again. What comes later counts as [`OTHER`].
pub const MAX_SERIES: usize = 64;

/// Between the values of labels in the name of a series; no value can contain it.
const SEPARATOR: char = '\u{1f}';
/// Amounts and sums are whole millionths, so that adding them up is exact in any order.
const MILLION: f64 = 1e6;

/// What has been counted.
///
/// A counter has one number. Everything else has its sum, and how many observations fell into each
/// bucket, the last being for those beyond every bound.
///
/// Families that this version of the program does not know are kept and added up all the same:
/// another version may have written them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Snapshot {
    pub(super) families: Families,
}

impl Snapshot {
    /// Counts `value` for `metric`: a counter grows by it, anything else observes it.
    ///
    /// `labels` are values in the order of the metric's labels; one that is not foreseen, or not
    /// given, is [`OTHER`]. A value that is negative or no number counts as 0. Gauges are not
    /// counted.
    pub fn record(&mut self, metric: &Metric, labels: &[&str], value: f64) {
        if metric.kind == Kind::Gauge {
            return;
        }
        let mut series = name(metric, labels, false);
        let family = self.families.entry(metric.name.to_owned()).or_default();
        if family.len() >= MAX_SERIES && !family.contains_key(&series) {
            series = name(metric, labels, true);
        }
        let numbers = family.entry(series).or_default();
        match metric.kind {
            // Casting a float saturates, and takes what is no number as 0.
            Kind::Counter => add(numbers, &[value.round() as u64]),
            Kind::Amount => add(numbers, &[(value * MILLION).round() as u64]),
            Kind::Gauge | Kind::Histogram(_) | Kind::Summary => {
                let bounds = metric.kind.bounds();
                let sum = (value * MILLION).round() as u64;
                let bucket = bounds.partition_point(|bound| *bound < sum as f64 / MILLION);
                let mut observed = vec![0; bounds.len() + 2];
                observed[0] = sum;
                observed[bucket + 1] = 1;
                add(numbers, &observed);
            }
        }
    }

    /// Adds everything that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (name, series) in &other.families {
            let family = self.families.entry(name.clone()).or_default();
            for (labels, numbers) in series {
                add(family.entry(labels.clone()).or_default(), numbers);
            }
        }
    }

    /// What has been counted since `earlier`, an earlier state of the same snapshot.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut families = Families::new();
        for (name, series) in &self.families {
            let before = earlier.families.get(name);
            for (labels, numbers) in series {
                let before = before.and_then(|before| before.get(labels));
                let before = before.map_or(&[] as &[u64], Vec::as_slice);
                let past = before.iter().chain(std::iter::repeat(&0));
                let grown: Vec<u64> =
                    numbers.iter().zip(past).map(|(now, past)| now.saturating_sub(*past)).collect();
                if grown.iter().any(|number| *number > 0) {
                    families.entry(name.clone()).or_default().insert(labels.clone(), grown);
                }
            }
        }
        Self { families }
    }

    /// Whether nothing has been counted.
    pub fn is_empty(&self) -> bool {
        self.families.is_empty()
    }

    /// The number of a counter, in millionths for an amount; of anything else, how often it was
    /// observed. 0 for a series that is not there.
    pub fn value(&self, metric: &Metric, labels: &[&str]) -> u64 {
        let series = self.families.get(metric.name);
        let numbers = series.and_then(|series| series.get(&name(metric, labels, false)));
        let is_sum_first = matches!(metric.kind, Kind::Histogram(_) | Kind::Summary);
        numbers.map_or(0, |numbers| total(numbers.iter().skip(usize::from(is_sum_first))))
    }

    /// The series of `metric`: the values of their labels, and their numbers.
    pub(super) fn series(&self, metric: &Metric) -> impl Iterator<Item = (Vec<&str>, &[u64])> {
        let series = self.families.get(metric.name).into_iter().flatten();
        series.map(|(labels, numbers)| (values(labels), numbers.as_slice()))
    }
}

/// Adds numbers one by one.
fn add(numbers: &mut Vec<u64>, more: &[u64]) {
    numbers.resize(numbers.len().max(more.len()), 0);
    for (number, more) in numbers.iter_mut().zip(more) {
        *number = number.saturating_add(*more);
    }
}

/// The sum of numbers; whatever stands in the store, it does not overflow.
pub(super) fn total<'a>(numbers: impl IntoIterator<Item = &'a u64>) -> u64 {
    numbers.into_iter().fold(0, |sum, number| sum.saturating_add(*number))
}

/// The name of a series.
fn name(metric: &Metric, given: &[&str], full: bool) -> String {
    let mut name = String::new();
    for (at, label) in metric.labels.iter().enumerate() {
        if at > 0 {
            name.push(SEPARATOR);
        }
        let folded = given.get(at).filter(|_| !(full && matches!(label.values, Values::Open)));
        name.push_str(folded.map_or(OTHER, |value| label.fold(value)));
    }
    name
}

/// The values of labels in the name of a series.
fn values(name: &str) -> Vec<&str> {
    if name.is_empty() { Vec::new() } else { name.split(SEPARATOR).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::{
        HTTP_REQUESTS, HTTP_SECONDS, LLM_COST, LLM_REQUESTS, RETRIEVAL_CHUNKS, SESSIONS_ACTIVE,
        STAGE_SECONDS,
    };

    #[test]
    fn values_that_are_not_foreseen_fold() {
        let check = |metric: &Metric, given: &[&str], counted: &[&str]| {
            let mut snapshot = Snapshot::default();
            snapshot.record(metric, given, 1.0);
            let series: Vec<_> = snapshot.series(metric).map(|(labels, _)| labels).collect();
            assert_eq!(series, [counted], "{given:?}");
        };
        check(&HTTP_REQUESTS, &["/chat", "POST", "2xx"], &["/chat", "POST", "2xx"]);
        check(&HTTP_REQUESTS, &["/wp-login.php", "BREW", "2xx"], &["other", "other", "2xx"]);
        check(&HTTP_REQUESTS, &["/chat"], &["/chat", "other", "other"]);
        check(
            &LLM_REQUESTS,
            &["success", "groq:openai/gpt-oss-20b"],
            &["success", "groq:openai/gpt-oss-20b"],
        );
        check(&LLM_REQUESTS, &["success", "a model\n"], &["success", "other"]);
        check(&LLM_REQUESTS, &["success", ""], &["success", "other"]);
        check(&LLM_REQUESTS, &["success", &"x".repeat(65)], &["success", "other"]);
    }

    #[test]
    fn open_labels_have_bounds() {
        let mut snapshot = Snapshot::default();
        for n in 0..1_000 {
            snapshot.record(&LLM_REQUESTS, &["success", &format!("model-{n}")], 1.0);
        }
        assert_eq!(snapshot.series(&LLM_REQUESTS).count(), MAX_SERIES + 1);
        assert_eq!(snapshot.value(&LLM_REQUESTS, &["success", "model-0"]), 1);
        assert_eq!(snapshot.value(&LLM_REQUESTS, &["success", "other"]), 936);
    }

    #[test]
    fn observations_fall_into_buckets() {
        let mut snapshot = Snapshot::default();
        let check = |snapshot: &Snapshot, expected: &[u64]| {
            let (_, numbers) = snapshot.series(&RETRIEVAL_CHUNKS).next().unwrap();
            assert_eq!(numbers, expected);
        };
        // Bounds are 0, 1, 2, 4, 8, 16, 32 and 50, and belong to their bucket.
        for value in [0.0, 1.0, 1.1, 50.0, 50.1, f64::INFINITY, f64::NAN, -3.0] {
            if value.is_finite() {
                snapshot.record(&RETRIEVAL_CHUNKS, &[], value);
            }
        }
        check(&snapshot, &[102_200_000, 2, 1, 1, 0, 0, 0, 0, 1, 1]);
        snapshot.record(&RETRIEVAL_CHUNKS, &[], f64::NAN);
        check(&snapshot, &[102_200_000, 3, 1, 1, 0, 0, 0, 0, 1, 1]);
        snapshot.record(&RETRIEVAL_CHUNKS, &[], f64::INFINITY);
        check(&snapshot, &[u64::MAX, 3, 1, 1, 0, 0, 0, 0, 1, 2]);
        snapshot.record(&SESSIONS_ACTIVE, &[], 5.0);
        assert_eq!(snapshot.series(&SESSIONS_ACTIVE).count(), 0, "gauges are not counted");
    }

    #[test]
    fn snapshots_add_up_and_come_apart() {
        let (mut early, mut other) = (Snapshot::default(), Snapshot::default());
        early.record(&LLM_COST, &["m"], 0.000_1);
        early.record(&STAGE_SECONDS, &["admit"], 0.002);
        other.record(&LLM_COST, &["m"], 0.2);
        other.record(&STAGE_SECONDS, &["admit"], 0.2);
        other.families.insert("of_another_version".to_owned(), [("x".to_owned(), vec![7])].into());
        let mut sum = early.clone();
        sum.merge(&other);
        assert_eq!(sum.value(&LLM_COST, &["m"]), 200_100);
        assert_eq!(sum.value(&STAGE_SECONDS, &["admit"]), 2);
        assert_eq!((sum.since(&early), sum.since(&other)), (other.clone(), early.clone()));
        assert!(sum.since(&sum).is_empty());
        assert_eq!(sum.since(&Snapshot::default()), sum);
        other.merge(&early);
        assert_eq!(sum, other, "the order does not matter");
    }

    #[test]
    fn numbers_of_other_lengths_are_survived() {
        let mut snapshot = Snapshot::default();
        let odd = [("/\u{1f}GET\u{1f}2xx".to_owned(), vec![1, 2])].into();
        snapshot.families.insert(HTTP_SECONDS.name.to_owned(), odd);
        snapshot.record(&HTTP_SECONDS, &["/", "GET", "2xx"], 100.0);
        assert_eq!(snapshot.value(&HTTP_SECONDS, &["/", "GET", "2xx"]), 3);
    }
}
