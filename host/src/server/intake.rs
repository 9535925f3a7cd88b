//! A request as the guest will see it: an absolute URI, Spin's headers, an id.
//!
//! Whatever a client sends under Spin's names is removed first: guests trust them.

use crate::routes::Match;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, request};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, SocketAddr};

/// The header that ties together a request, its response and their log lines.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken over from a client, in bytes.
const REQUEST_ID_LIMIT: usize = 128;

/// Headers that only the host may set; `spin-path-match-*` belong to them too.
const OWN_HEADERS: [&str; 7] = [
    "spin-base-path",
    "spin-client-addr",
    "spin-component-route",
    "spin-full-url",
    "spin-matched-route",
    "spin-path-info",
    "spin-raw-component-route",
];

/// The client's id if it is one (`^[A-Za-z0-9._-]{1,128}$`), else a fresh one.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let valid = |text: &&str| {
        (1..=REQUEST_ID_LIMIT).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(valid) {
        Some(id) => id.to_owned(),
        None => {
            // Ids must differ, not be secret; the standard library's hash keys differ every time.
            let random = || RandomState::new().build_hasher().finish();
            format!("{:016x}{:016x}", random(), random())
        }
    }
}

/// Whether a request was made to a name that only this machine itself can mean. One without a name
/// (HTTP/1.0) was not made by a browser.
pub(crate) fn is_for_this_machine<B>(request: &Request<B>) -> bool {
    let authority = match (request.uri().authority(), request.headers().get(HOST)) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => Authority::try_from(host.as_bytes()).ok(),
        (None, None) => return true,
    };
    authority.is_some_and(|authority| {
        let name = authority.host().trim_matches(['[', ']']);
        let address = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        address || name.eq_ignore_ascii_case("localhost")
    })
}

/// Rewrites the head of a request for the guest that `found` names.
pub(crate) fn prepare(
    parts: &mut request::Parts,
    found: &Match<'_>,
    client: SocketAddr,
    local: SocketAddr,
    request_id: &str,
) {
    let authority = parts
        .uri
        .authority()
        .map(ToString::to_string)
        .or_else(|| Some(parts.headers.get(HOST)?.to_str().ok()?.to_owned()))
        .filter(|text| text.parse::<Authority>().is_ok())
        .unwrap_or_else(|| local.to_string());
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("http://{authority}{path_and_query}");
    if let Ok(uri) = full_url.parse::<Uri>() {
        parts.uri = uri;
    }

    let headers = &mut parts.headers;
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            OWN_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("spin-path-match-")
        })
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    let mut set = |name: &str, value: &str| {
        // A path holds only visible characters, so neither conversion fails in practice.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    };
    let route = found.trigger.route.as_str();
    set("spin-base-path", "/");
    set("spin-client-addr", &client.to_string());
    set("spin-component-route", found.prefix());
    set("spin-full-url", &full_url);
    set("spin-matched-route", route);
    set("spin-path-info", &found.rest);
    set("spin-raw-component-route", route);
    for (name, value) in &found.parameters {
        set(&format!("spin-path-match-{name}"), value);
    }
    set(REQUEST_ID.as_str(), request_id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Trigger;
    use crate::routes::Routes;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for (host, local) in [
            ("localhost:3000", true),
            ("LOCALHOST", true),
            ("127.0.0.1:3000", true),
            ("[::1]:3000", true),
            ("evil.example", false),
            ("localhost.evil.example:3000", false),
            ("192.168.0.7:3000", false),
            ("", false),
        ] {
            let request = Request::builder().uri("/chat").header(HOST, host).body(()).unwrap();
            assert_eq!(is_for_this_machine(&request), local, "{host}");
        }
        assert!(is_for_this_machine(&Request::new(())));
    }

    fn prepared(uri: &str, headers: &[(&str, &str)]) -> request::Parts {
        let triggers = [Trigger { route: "/docs/:page/...".into(), component: "docs".into() }];
        let routes = Routes::new(&triggers).unwrap();
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let found = routes.find(parts.uri.path()).unwrap();
        let client = "127.0.0.9:5000".parse().unwrap();
        let local = "127.0.0.1:3000".parse().unwrap();
        prepare(&mut parts, &found, client, local, "r-1");
        parts
    }

    #[test]
    fn guests_get_the_headers_of_spin() {
        let parts = prepared("/docs/faq/a/b?q=1", &[("host", "site.example:80")]);
        assert_eq!(parts.uri, "http://site.example:80/docs/faq/a/b?q=1");
        for (name, value) in [
            ("spin-base-path", "/"),
            ("spin-client-addr", "127.0.0.9:5000"),
            ("spin-component-route", "/docs/:page"),
            ("spin-full-url", "http://site.example:80/docs/faq/a/b?q=1"),
            ("spin-matched-route", "/docs/:page/..."),
            ("spin-path-info", "/a/b"),
            ("spin-path-match-page", "faq"),
            ("spin-raw-component-route", "/docs/:page/..."),
            ("x-request-id", "r-1"),
        ] {
            assert_eq!(parts.headers[name], value, "{name}");
        }
    }

    #[test]
    fn forged_headers_do_not_reach_the_guest() {
        let parts = prepared(
            "/docs/faq",
            &[
                ("spin-client-addr", "10.0.0.1:1"),
                ("spin-path-match-admin", "yes"),
                ("x-other", "kept"),
            ],
        );
        assert_eq!(parts.headers["spin-client-addr"], "127.0.0.9:5000");
        assert!(!parts.headers.contains_key("spin-path-match-admin"));
        assert_eq!(parts.headers["x-other"], "kept");
        assert_eq!(parts.uri.authority().unwrap(), "127.0.0.1:3000");
    }

    #[test]
    fn only_harmless_ids_are_taken_over() {
        let id = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(value));
            request_id(&headers)
        };
        assert_eq!(id("Abc-1_2.3"), "Abc-1_2.3");
        assert_eq!(id("a b").len(), 32);
        assert_eq!(id("").len(), 32);
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
