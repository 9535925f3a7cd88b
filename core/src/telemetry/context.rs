//! The names of a request: its own id, and its place in a trace across services (W3C Trace
//! Context, <https://www.w3.org/TR/trace-context/>).

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::ports::Entropy;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken from a caller: room for any tracing system's, too short to fill logs.
const MAX_REQUEST_ID: usize = 128;
/// Longest `tracestate` handed on, in bytes: what the standard asks everybody to carry.
const MAX_STATE: usize = 512;
/// The flags that the standard defines: sampled, and random trace id. Others are not passed on.
const KNOWN_FLAGS: u8 = 0b11;

/// The id of a request: the caller's `X-Request-Id` where it is 1 to 128 of `[A-Za-z0-9._-]`, else
/// a new one.
pub fn request_id(headers: &HeaderMap, entropy: &impl Entropy) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    given
        .filter(|id| (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(legal))
        .map_or_else(|| id::<16>(entropy), str::to_owned)
}

/// A request's place in a trace: the trace, the caller's span if there is one, and our own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    /// The trace, 32 hexadecimal digits.
    pub trace_id: String,
    /// The span that called this one, 16 hexadecimal digits.
    pub parent_id: Option<String>,
    /// This request's span, 16 hexadecimal digits.
    pub span_id: String,
    flags: u8,
    state: Option<String>,
}

impl Context {
    /// Continues the caller's trace, or begins one where `headers` have none that is valid.
    ///
    /// A new trace is not marked as sampled: only the log knows of it.
    pub fn incoming(headers: &HeaderMap, entropy: &impl Entropy) -> Self {
        let span_id = id::<8>(entropy);
        match parent(headers) {
            Some((trace_id, parent, flags)) => Self {
                trace_id: trace_id.to_owned(),
                parent_id: Some(parent.to_owned()),
                span_id,
                flags,
                state: state(headers),
            },
            None => {
                let trace_id = id::<16>(entropy);
                Self { trace_id, parent_id: None, span_id, flags: 0, state: None }
            }
        }
    }

    /// A span below this one, for a request to another service that is to be told apart.
    #[must_use]
    pub fn child(&self, entropy: &impl Entropy) -> Self {
        let parent_id = Some(self.span_id.clone());
        Self { parent_id, span_id: id::<8>(entropy), ..self.clone() }
    }

    /// The value of `traceparent` that names this span as the parent.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }

    /// Adds `traceparent`, and the caller's `tracestate`, to a request to another service.
    pub fn inject(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.traceparent()) {
            headers.insert(TRACEPARENT, value);
        }
        if let Some(Ok(value)) = self.state.as_deref().map(HeaderValue::from_str) {
            headers.insert(TRACESTATE, value);
        }
    }
}

/// Trace, span and flags of a `traceparent` that stands there once and is valid.
///
/// Versions to come are read as far as version 00 goes, as the standard asks.
fn parent(headers: &HeaderMap) -> Option<(&str, &str, u8)> {
    let mut values = headers.get_all(&TRACEPARENT).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let mut parts = value.splitn(5, '-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || !more)
        && is_hex(trace, 32)
        && is_hex(span, 16)
        && is_hex(flags, 2)
        && [trace, span].iter().all(|id| id.bytes().any(|byte| byte != b'0'));
    let flags = u8::from_str_radix(flags, 16).ok()?;
    valid.then_some((trace, span, flags & KNOWN_FLAGS))
}

/// The caller's `tracestate`, untouched, or none where it is too long to be carried.
fn state(headers: &HeaderMap) -> Option<String> {
    let mut values = Vec::new();
    for value in headers.get_all(&TRACESTATE) {
        values.push(value.to_str().ok()?);
    }
    let joined = values.join(",");
    (1..=MAX_STATE).contains(&joined.len()).then_some(joined)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A random id of `N` bytes in hexadecimal.
fn id<const N: usize>(entropy: &impl Entropy) -> String {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::SeededEntropy;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn traces_are_continued_or_begun() {
        let entropy = SeededEntropy::new(1);
        let check = |value: &str, flags: Option<&str>| {
            let headers = headers(&[(TRACEPARENT, value), (TRACESTATE, "a=1")]);
            let context = Context::incoming(&headers, &entropy);
            let sent = context.traceparent();
            assert_eq!(context.parent_id.as_deref(), flags.map(|_| SPAN), "{value}");
            assert_eq!(sent.starts_with(&format!("00-{TRACE}-")), flags.is_some(), "{value}");
            assert!(sent.ends_with(&format!("-{}", flags.unwrap_or("00"))), "{value}: {sent}");
            assert_eq!(context.state.is_some(), flags.is_some(), "{value}");
            assert_ne!(context.span_id, SPAN);
            let mut next = HeaderMap::new();
            context.inject(&mut next);
            let next = Context::incoming(&next, &entropy);
            assert_eq!(
                (next.trace_id, next.parent_id),
                (context.trace_id, Some(context.span_id)),
                "what is sent can be read: {sent}"
            );
        };
        check(&format!("00-{TRACE}-{SPAN}-01"), Some("01"));
        check(&format!("00-{TRACE}-{SPAN}-00"), Some("00"));
        check(&format!("00-{TRACE}-{SPAN}-ff"), Some("03"));
        check(&format!("01-{TRACE}-{SPAN}-01"), Some("01"));
        check(&format!("cc-{TRACE}-{SPAN}-01-what-comes"), Some("01"));
        for invalid in [
            "",
            "00",
            "junk",
            &format!("ff-{TRACE}-{SPAN}-01"),
            &format!("00-{TRACE}-{SPAN}-01-more"),
            &format!("00-{TRACE}-{SPAN}-01-"),
            &format!("00-{TRACE}-{SPAN}-1"),
            &format!("00-{TRACE}-{SPAN}"),
            &format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            &format!("00-{}-{SPAN}-01", "0".repeat(32)),
            &format!("00-{TRACE}-{}-01", "0".repeat(16)),
            &format!("00-{TRACE}g-{SPAN}-01"),
            &format!("0-{TRACE}-{SPAN}-01"),
            &format!("00-{TRACE}-{SPAN}-é"),
        ] {
            check(invalid, None);
        }
    }

    #[test]
    fn two_parents_are_none() {
        let value = format!("00-{TRACE}-{SPAN}-01");
        let headers = headers(&[(TRACEPARENT, &value), (TRACEPARENT, &value)]);
        assert_eq!(Context::incoming(&headers, &SeededEntropy::new(1)).parent_id, None);
    }

    #[test]
    fn state_is_handed_on_untouched_within_its_limit() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let entropy = SeededEntropy::new(2);
        let check = |values: &[&str], expected: Option<&str>| {
            let mut fields = vec![(TRACEPARENT, parent.as_str())];
            fields.extend(values.iter().map(|value| (TRACESTATE, *value)));
            let mut sent = HeaderMap::new();
            Context::incoming(&headers(&fields), &entropy).child(&entropy).inject(&mut sent);
            assert_eq!(sent.get(TRACESTATE).map(|it| it.to_str().unwrap()), expected, "{values:?}");
        };
        check(&[], None);
        check(&[""], None);
        check(&["rojo=00f067aa, congo=t61"], Some("rojo=00f067aa, congo=t61"));
        check(&["a=1", "b=2"], Some("a=1,b=2"));
        let longest = "x".repeat(512);
        check(&[&longest], Some(&longest));
        check(&[&"x".repeat(513)], None);
        check(&["a=é"], None);
    }

    #[test]
    fn children_keep_the_trace() {
        let entropy = SeededEntropy::new(3);
        let context = Context::incoming(&HeaderMap::new(), &entropy);
        let child = context.child(&entropy);
        assert_eq!(
            (&child.trace_id, &child.parent_id),
            (&context.trace_id, &Some(context.span_id.clone()))
        );
        assert_ne!(child.span_id, context.span_id);
    }

    #[test]
    fn request_ids() {
        let entropy = SeededEntropy::new(4);
        let check = |given: &str, kept: bool| {
            let id = request_id(&headers(&[(REQUEST_ID, given)]), &entropy);
            assert_eq!(id == given, kept, "{given}");
            assert!(kept || id.len() == 32, "{id}");
        };
        check("abc-1.2_3", true);
        check(&"x".repeat(128), true);
        check(&"x".repeat(129), false);
        check("", false);
        check("a b", false);
        check("a\"b", false);
        check("é", false);
    }
}
