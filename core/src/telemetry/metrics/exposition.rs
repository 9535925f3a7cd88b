//! The text that Prometheus reads, version 0.0.4.

use std::fmt::Write as _;

use super::{
    Snapshot,
    metric::{Kind, Metric, OTHER, Values},
    snapshot::total,
    table::TABLE,
};

/// The media type of [`render`]'s text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Most series of a counter that are printed before anything was counted. A series that begins at 1
/// hides its first event from `rate()`; one that begins at 0 does not.
const MAX_ZEROS: usize = 32;

/// A gauge's value at the time of printing.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// Which gauge.
    pub metric: &'static Metric,
    /// Values of its labels.
    pub labels: Vec<String>,
    /// Its value.
    pub value: f64,
}

/// Prints counters and gauges.
///
/// Where nobody knows what was counted, because the store does not answer, `snapshot` is `None` and
/// gauges come alone: zeros would look like a restart, and the way back like a burst of events.
pub fn render(snapshot: Option<&Snapshot>, gauges: &[Gauge]) -> String {
    let mut text = String::new();
    for metric in TABLE {
        let mut samples = String::new();
        match metric.kind {
            Kind::Gauge => {
                for gauge in gauges.iter().filter(|gauge| gauge.metric.name == metric.name) {
                    let given = metric.labels.iter().zip(&gauge.labels);
                    let labels: Vec<&str> = given.map(|(label, value)| label.fold(value)).collect();
                    sample(&mut samples, metric, "", &labels, None, &float(gauge.value));
                }
            }
            Kind::Counter | Kind::Amount => {
                snapshot.inspect(|snapshot| counters(&mut samples, metric, snapshot));
            }
            Kind::Histogram(_) | Kind::Summary => {
                snapshot.inspect(|snapshot| observations(&mut samples, metric, snapshot));
            }
        }
        if !samples.is_empty() {
            let help = metric.help.replace('\\', "\\\\").replace('\n', "\\n");
            let kind = match metric.kind {
                Kind::Counter | Kind::Amount => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram(_) => "histogram",
                Kind::Summary => "summary",
            };
            // Writing to a string cannot fail.
            let _ = write!(text, "# HELP {0} {help}\n# TYPE {0} {kind}\n{samples}", metric.name);
        }
    }
    text
}

fn counters(text: &mut String, metric: &Metric, snapshot: &Snapshot) {
    let mut series: Vec<(Vec<&str>, u64)> =
        snapshot.series(metric).map(|(labels, numbers)| (labels, total(numbers))).collect();
    for labels in foreseen(metric) {
        if !series.iter().any(|(counted, _)| *counted == labels) {
            series.push((labels, 0));
        }
    }
    series.sort();
    for (labels, number) in series {
        let value = match metric.kind {
            Kind::Amount => millionths(number),
            _ => number.to_string(),
        };
        sample(text, metric, "", &labels, None, &value);
    }
}

fn observations(text: &mut String, metric: &Metric, snapshot: &Snapshot) {
    for (labels, numbers) in snapshot.series(metric) {
        let (sum, buckets) = numbers.split_first().unwrap_or((&0, &[]));
        let count = total(buckets).to_string();
        if matches!(metric.kind, Kind::Histogram(_)) {
            let mut below = 0;
            for (bound, bucket) in metric.kind.bounds().iter().zip(buckets) {
                below = total([&below, bucket]);
                let bound = float(*bound);
                sample(text, metric, "_bucket", &labels, Some(&bound), &below.to_string());
            }
            sample(text, metric, "_bucket", &labels, Some("+Inf"), &count);
        }
        sample(text, metric, "_sum", &labels, None, &millionths(*sum));
        sample(text, metric, "_count", &labels, None, &count);
    }
}

/// The label values that will come, where they are known and few.
fn foreseen(metric: &Metric) -> Vec<Vec<&'static str>> {
    let mut all = vec![Vec::new()];
    for label in metric.labels {
        let Values::Known(values) = label.values else { return Vec::new() };
        if all.len() * values.len() > MAX_ZEROS {
            return Vec::new();
        }
        let longer = |begun: &Vec<&'static str>| {
            let begun = begun.clone();
            values.iter().map(move |value| [begun.as_slice(), &[*value]].concat())
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// One line: name, labels, value.
fn sample(
    text: &mut String,
    metric: &Metric,
    suffix: &str,
    labels: &[&str],
    bound: Option<&str>,
    value: &str,
) {
    text.push_str(metric.name);
    text.push_str(suffix);
    let given = labels.iter().copied().chain(std::iter::repeat(OTHER));
    let labels = metric.labels.iter().map(|label| label.name).zip(given);
    for (at, (name, value)) in labels.chain(bound.map(|bound| ("le", bound))).enumerate() {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{}{name}=\"{value}\"", if at == 0 { '{' } else { ',' });
    }
    if !metric.labels.is_empty() || bound.is_some() {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

/// Whole millionths as a decimal number, exactly.
fn millionths(number: u64) -> String {
    let text = format!("{}.{:06}", number / 1_000_000, number % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::telemetry::metrics::{
        BREAKER_STATE, HTTP_REQUEST_BYTES, HTTP_REQUESTS, HTTP_SECONDS, LLM_COST, SESSIONS_ACTIVE,
        STAGE_SECONDS, STORE_UP,
    };

    /// The page with a little of everything; what every dashboard and alert builds on.
    const GOLDEN: &str = include_str!("exposition.golden.txt");

    fn page() -> String {
        let mut snapshot = Snapshot::default();
        snapshot.record(&HTTP_REQUESTS, &["/chat", "POST", "2xx"], 41.0);
        snapshot.record(&HTTP_REQUESTS, &["/chat", "POST", "5xx"], 1.0);
        for seconds in [0.004, 0.005, 0.3, 61.0] {
            snapshot.record(&HTTP_SECONDS, &["/chat", "POST", "2xx"], seconds);
        }
        snapshot.record(&HTTP_REQUEST_BYTES, &["/chat"], 120.0);
        snapshot.record(&STAGE_SECONDS, &["retrieve"], 0.012_5);
        snapshot.record(&LLM_COST, &["groq:openai/gpt-oss-20b"], 0.000_157);
        let gauge = |metric, labels: &[&str], value| {
            let labels = labels.iter().map(|it| (*it).to_owned()).collect();
            Gauge { metric, labels, value }
        };
        let breaker = gauge(&BREAKER_STATE, &["groq"], 0.5);
        render(Some(&snapshot), &[gauge(&SESSIONS_ACTIVE, &[], 12.0), breaker])
    }

    #[test]
    fn the_page_is_the_golden_one() {
        let page = page();
        assert!(page == GOLDEN, "the page is now:\n{page}");
    }

    #[test]
    fn the_page_can_be_read_by_a_strict_parser() {
        let families = parse(&page()).unwrap();
        let series = |family: &str, sample: &str| {
            families.get(family).and_then(|family| family.samples.get(sample)).copied()
        };
        let http = "{handler=\"/chat\",method=\"POST\",status=\"2xx\"";
        assert_eq!(
            series("http_requests_total", &format!("http_requests_total{http}}}")),
            Some(41.0)
        );
        let seconds = "http_request_duration_seconds";
        for (bound, below) in
            [("0.005", 2.0), ("0.25", 2.0), ("0.5", 3.0), ("60", 3.0), ("+Inf", 4.0)]
        {
            let sample = format!("{seconds}_bucket{http},le=\"{bound}\"}}");
            assert_eq!(series(seconds, &sample), Some(below), "{sample}");
        }
        assert_eq!(series(seconds, &format!("{seconds}_sum{http}}}")), Some(61.309));
        // Alerts on the first event of a kind need the zero before it.
        let zero = "rag_feedback_total{thumbs_up=\"false\"}";
        assert_eq!(series("rag_feedback_total", zero), Some(0.0));
    }

    #[test]
    fn without_the_store_gauges_come_alone() {
        let up = Gauge { metric: &STORE_UP, labels: Vec::new(), value: 0.0 };
        let page = render(None, &[up]);
        let help = "# HELP rag_store_up Whether the key-value store answers: 1 or 0.\n";
        assert_eq!(page, format!("{help}# TYPE rag_store_up gauge\nrag_store_up 0\n"));
    }

    #[test]
    fn whatever_stands_in_the_store_is_escaped() {
        let mut snapshot = Snapshot::default();
        let odd = [("a\\b\"c\nd}".to_owned(), vec![1]), (String::new(), vec![u64::MAX, 2])];
        snapshot.families.insert(LLM_COST.name.to_owned(), odd.into());
        snapshot
            .families
            .insert(HTTP_SECONDS.name.to_owned(), [("x".to_owned(), vec![1, u64::MAX, 2])].into());
        snapshot.families.insert("unknown".to_owned(), [("x".to_owned(), vec![1])].into());
        let page = render(Some(&snapshot), &[]);
        assert!(
            page.contains("rag_llm_cost_total{model=\"a\\\\b\\\"c\\nd}\"} 0.000001\n"),
            "{page}"
        );
        assert!(!page.contains("unknown"));
        parse(&page).unwrap();
    }

    #[test]
    fn numbers() {
        let check = |number, expected| assert_eq!(millionths(number), expected);
        check(0, "0");
        check(1, "0.000001");
        check(1_500_000, "1.5");
        check(10_000_000, "10");
        check(u64::MAX, "18446744073709.551615");
        assert_eq!((float(0.5), float(1.0)), ("0.5".to_owned(), "1".to_owned()));
        assert_eq!((float(f64::INFINITY), float(f64::NAN)), ("+Inf".to_owned(), "NaN".to_owned()));
    }

    #[derive(Default)]
    struct Family {
        kind: String,
        samples: BTreeMap<String, f64>,
    }

    /// Reads a page, and insists on everything that the format demands.
    fn parse(page: &str) -> Result<BTreeMap<String, Family>, String> {
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let mut current = String::new();
        assert!(page.is_empty() || page.ends_with('\n'));
        let mut lines = page.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, _) = help.split_once(' ').ok_or(line)?;
                let kind = lines.next().and_then(|it| it.strip_prefix(&format!("# TYPE {name} ")));
                let kind = kind.ok_or(format!("no type after {line}"))?.to_owned();
                current = name.to_owned();
                let family = Family { kind, ..Family::default() };
                if families.insert(current.clone(), family).is_some() {
                    return Err(format!("twice: {name}"));
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').ok_or(line)?;
            let value = value.parse::<f64>().map_err(|error| format!("{line}: {error}"))?;
            let name = series.split('{').next().ok_or(line)?;
            let family = families.get_mut(&current).ok_or(line)?;
            let suffixes: &[&str] = match family.kind.as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                "summary" => &["_sum", "_count"],
                "counter" | "gauge" => &[""],
                other => return Err(format!("unknown type {other}")),
            };
            if !suffixes.iter().any(|suffix| name == format!("{current}{suffix}")) {
                return Err(format!("{line} below {current}"));
            }
            labels(&series[name.len()..]).ok_or(format!("labels of {line}"))?;
            if family.samples.insert(series.to_owned(), value).is_some() {
                return Err(format!("twice: {series}"));
            }
            // Buckets come in order, never shrink, and end in all.
            if let Some(next) = lines.peek()
                && name.ends_with("_bucket")
            {
                let next_value: f64 =
                    next.rsplit_once(' ').ok_or(line)?.1.parse().map_err(|_| line)?;
                match series.contains("le=\"+Inf\"") {
                    true if !next.contains("_sum") => return Err(format!("no sum after {line}")),
                    false if next_value < value || !next.contains("_bucket") => {
                        return Err(format!("{next} after {line}"));
                    }
                    _ => {}
                }
            }
        }
        if families.values().any(|family| family.samples.is_empty()) {
            return Err("a family without samples".to_owned());
        }
        Ok(families)
    }

    /// Reads `{name="value",…}` to its end, or nothing.
    fn labels(text: &str) -> Option<()> {
        if text.is_empty() {
            return Some(());
        }
        let mut rest = text.strip_prefix('{')?;
        loop {
            let (name, more) = rest.split_once("=\"")?;
            let legal = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            (!name.is_empty() && name.bytes().all(legal)).then_some(())?;
            let mut escaped = false;
            let end = more.char_indices().find(|(_, char)| {
                let ends = *char == '"' && !escaped;
                escaped = *char == '\\' && !escaped;
                ends
            })?;
            rest = &more[end.0 + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => return (rest == "}").then_some(()),
            }
        }
    }
}
