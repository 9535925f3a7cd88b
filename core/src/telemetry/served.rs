//! How a request ended: the one account for the metrics of HTTP and the log.

use std::time::Duration;

use super::metrics::{self, Snapshot, labels};

/// A request and its reply, when its last byte has left.
#[derive(Clone, Debug)]
pub struct Served<'a> {
    /// Names the request.
    pub request_id: &'a str,
    /// Method.
    pub method: &'a str,
    /// Template of the route, without the API prefix; unknown paths are told as `other`.
    pub route: &'a str,
    /// Status of the reply.
    pub status: u16,
    /// Code of the error that it was, as in the problem's `error_code`.
    pub error_code: Option<&'a str>,
    /// When it came in, since the Unix epoch.
    pub started: Duration,
    /// How long it took.
    pub elapsed: Duration,
    /// Bytes of the request's body, where they were counted.
    pub request_bytes: Option<u64>,
    /// Bytes of the reply's body, where they were counted.
    pub response_bytes: Option<u64>,
}

impl Served<'_> {
    /// Counts the request.
    pub fn record(&self, snapshot: &mut Snapshot) {
        let class = match self.status {
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            500..=599 => "5xx",
            _ => metrics::OTHER,
        };
        let seconds = self.elapsed.as_secs_f64();
        let http = [self.route, self.method, class];
        snapshot.record(&metrics::HTTP_REQUESTS, &http, 1.0);
        snapshot.record(&metrics::HTTP_SECONDS, &http, seconds);
        snapshot.record(&metrics::HTTP_FINE_SECONDS, &[], seconds);
        for (metric, bytes) in [
            (&metrics::HTTP_REQUEST_BYTES, self.request_bytes),
            (&metrics::HTTP_RESPONSE_BYTES, self.response_bytes),
        ] {
            if let Some(bytes) = bytes {
                snapshot.record(metric, &[self.route], bytes as f64);
            }
        }
        if self.status >= 400 {
            let code = format!("http_{}", self.status);
            snapshot.record(&metrics::ERRORS, &["api", &code], 1.0);
        }
        let is_question = labels::ENDPOINT.fold(self.route) == self.route;
        if is_question {
            let outcome = match self.status {
                ..400 => "success",
                400..500 => "rejected",
                _ => "error",
            };
            snapshot.record(&metrics::REQUESTS, &[self.route, outcome], 1.0);
            if outcome == "success" {
                snapshot.record(&metrics::REQUEST_SECONDS, &[self.route], seconds);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_count_by_route_and_outcome() {
        let check = |route: &str, status: u16, class: &str, outcome: Option<&str>| {
            let served = Served {
                request_id: "r",
                method: "POST",
                route,
                status,
                error_code: None,
                started: Duration::ZERO,
                elapsed: Duration::from_millis(20),
                request_bytes: Some(10),
                response_bytes: None,
            };
            let mut snapshot = Snapshot::default();
            served.record(&mut snapshot);
            let handler = labels::HANDLER.fold(route);
            assert_eq!(snapshot.value(&metrics::HTTP_REQUESTS, &[handler, "POST", class]), 1);
            assert_eq!(snapshot.value(&metrics::HTTP_SECONDS, &[handler, "POST", class]), 1);
            assert_eq!(snapshot.value(&metrics::HTTP_REQUEST_BYTES, &[handler]), 1);
            assert_eq!(snapshot.value(&metrics::HTTP_RESPONSE_BYTES, &[handler]), 0);
            for other in ["success", "rejected", "error"] {
                let counted = snapshot.value(&metrics::REQUESTS, &[route, other]);
                assert_eq!(counted, u64::from(outcome == Some(other)), "{route} {status}");
            }
            let timed = snapshot.value(&metrics::REQUEST_SECONDS, &[route]);
            assert_eq!(timed, u64::from(outcome == Some("success")), "{route} {status}");
            let errors = snapshot.value(&metrics::ERRORS, &["api", &format!("http_{status}")]);
            assert_eq!(errors, u64::from(status >= 400), "{route} {status}");
        };
        check("/chat", 200, "2xx", Some("success"));
        check("/chat/stream", 200, "2xx", Some("success"));
        check("/chat", 429, "4xx", Some("rejected"));
        check("/chat", 503, "5xx", Some("error"));
        check("/feedback", 201, "2xx", None);
        check("/.env", 404, "4xx", None);
    }
}
