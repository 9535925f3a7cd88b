//! What a browser may show to the page that asked: the CORS fields of every reply, and preflights.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::{RequestError, auth::Origins};

const METHODS: &str = "GET, POST, DELETE, OPTIONS";
/// What a page may send beyond what browsers always let it.
const REQUEST_HEADERS: &str = "content-type, x-api-key, authorization, x-request-id, traceparent";
/// What a page may read beyond what browsers always let it.
const EXPOSED: &str = "x-request-id, ratelimit, ratelimit-policy, retry-after, server-timing";
/// Seconds that a browser may remember a preflight; ten minutes, as clients know it.
const MAX_AGE: u32 = 600;

/// One request as CORS sees it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cors {
    /// The page's origin, where it may ask; sent back exactly as it came.
    granted: Option<HeaderValue>,
    preflight: Option<Preflight>,
}

/// A question that a browser asks before it sends the request itself.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Preflight {
    Allowed,
    Refused { reason: String },
}

impl Cors {
    /// Looks at a request to the service that was addressed as `authority`.
    pub fn of(
        origins: &Origins,
        method: &Method,
        authority: Option<&str>,
        headers: &HeaderMap,
    ) -> Self {
        let origin = headers.get(header::ORIGIN);
        let allowed = |origin: &&HeaderValue| {
            origin.to_str().is_ok_and(|origin| origins.allow(origin, authority))
        };
        let granted = origin.filter(allowed).cloned();
        let preflight = (method == Method::OPTIONS).then(|| match (origin, &granted) {
            (Some(_), None) => {
                Preflight::Refused { reason: "the origin is not allowed".to_owned() }
            }
            (None, _) => Preflight::Allowed,
            (Some(_), Some(_)) => preflight(headers),
        });
        Self { granted, preflight }
    }

    /// The answer to an `OPTIONS` request, which no route sees: the fields of a reply without a body.
    ///
    /// Paths are not looked at, so that a page can read the 404 of the request itself; so nothing is
    /// said of the methods that this one has (`Allow`).
    ///
    /// # Errors
    /// [`RequestError::PreflightRefused`], whose reply must not have the fields of
    /// [`Cors::headers`]; it has not.
    pub fn preflight(&self) -> Option<Result<HeaderMap, RequestError>> {
        let preflight = self.preflight.as_ref()?;
        Some(match preflight {
            Preflight::Allowed => Ok(HeaderMap::from_iter([
                (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS)),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS)),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE.into()),
            ])),
            Preflight::Refused { reason } => {
                Err(RequestError::PreflightRefused { reason: reason.clone() })
            }
        })
    }

    /// The fields of every reply, errors included.
    pub fn headers(&self) -> HeaderMap {
        // Caches must keep apart what differs by origin, so it is said to those without one too.
        let mut headers =
            HeaderMap::from_iter([(header::VARY, HeaderValue::from_static("origin"))]);
        let refused = matches!(self.preflight, Some(Preflight::Refused { .. }));
        if let Some(origin) = self.granted.clone().filter(|_| !refused) {
            let field = |name: HeaderName, value| (name, HeaderValue::from_static(value));
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.extend([
                field(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
                field(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
            ]);
        }
        headers
    }
}

fn preflight(headers: &HeaderMap) -> Preflight {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    let listed = |list: &str, name: &str| list.split(", ").any(|it| it.eq_ignore_ascii_case(name));
    let method = text(header::ACCESS_CONTROL_REQUEST_METHOD).map(str::trim);
    // Methods are case-sensitive; HEAD goes wherever GET goes.
    if method.is_some_and(|method| method != "HEAD" && !METHODS.split(", ").any(|it| it == method))
    {
        return Preflight::Refused { reason: format!("the method must be one of {METHODS}") };
    }
    let wanted = text(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let mut wanted = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    // Browsers ask for these where their values are out of the ordinary.
    let safe = "accept, accept-language, content-language";
    if wanted.all(|name| listed(REQUEST_HEADERS, name) || listed(safe, name)) {
        Preflight::Allowed
    } else {
        Preflight::Refused { reason: format!("the headers may be {REQUEST_HEADERS}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(method: &Method, fields: &[(&'static str, &str)]) -> Cors {
        let origins = Origins::new("https://site.example").unwrap();
        let fields =
            fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Cors::of(&origins, method, Some("api.example"), &fields.collect())
    }

    const SITE: (&str, &str) = ("origin", "https://Site.example");
    const EVIL: (&str, &str) = ("origin", "https://evil.example");

    #[test]
    fn replies_are_shared_with_allowed_origins_alone() {
        for (fields, shared) in
            [(&[SITE][..], true), (&[EVIL], false), (&[("origin", "null")], false), (&[], false)]
        {
            let headers = cors(&Method::POST, fields).headers();
            assert_eq!(headers["vary"], "origin");
            assert_eq!(headers.contains_key("access-control-allow-origin"), shared, "{fields:?}");
            assert_eq!(headers.contains_key("access-control-allow-credentials"), shared);
            assert_eq!(cors(&Method::POST, fields).preflight(), None);
        }
        let headers = cors(&Method::GET, &[SITE]).headers();
        assert_eq!(headers["access-control-allow-origin"], "https://Site.example");
        assert!(headers["access-control-expose-headers"].to_str().unwrap().contains("retry-after"));
    }

    #[test]
    fn preflights() {
        let check = |fields: &[(&'static str, &str)], refused: Option<&str>| {
            let cors = cors(&Method::OPTIONS, fields);
            match (cors.preflight().unwrap(), refused) {
                (Ok(headers), None) => {
                    assert_eq!(headers["access-control-max-age"], "600");
                    assert_eq!(headers["access-control-allow-methods"], METHODS);
                }
                (Err(error), Some(words)) => {
                    assert_eq!(error.row().1, 403);
                    assert!(error.to_string().contains(words), "{error}");
                    assert_eq!(cors.headers().len(), 1, "no more than vary");
                }
                (found, _) => panic!("{fields:?}: {found:?}"),
            }
        };
        let method = |name| ("access-control-request-method", name);
        let names = |names| ("access-control-request-headers", names);
        check(&[SITE, method("POST")], None);
        check(&[SITE, method("DELETE"), names("Content-Type, X-API-Key,traceparent")], None);
        check(&[SITE, method("GET"), names("")], None);
        check(&[SITE, method("PATCH")], Some("the method must be one of GET"));
        check(&[SITE, method("post")], Some("the method must be"));
        check(&[SITE, method("POST"), names("content-type, x-evil")], Some("the headers may be"));
        check(&[EVIL, method("POST")], Some("the origin is not allowed"));
        check(&[("origin", "null"), method("POST")], Some("the origin is not allowed"));
        // Not from a browser at all.
        check(&[], None);
    }
}
