//! `allowed_outbound_hosts`: patterns of the form `scheme://host:port`.
//!
//! `*` stands for any scheme, host or port; `*.example.com` for any name below `example.com`, not
//! for itself; `8000..9000` for a range of ports, its end excluded. Without a port the scheme's own
//! is meant. `*` alone means anywhere.

use http::Uri;
use std::fmt;

/// The patterns of one component. Empty means nowhere.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AllowedHosts {
    patterns: Vec<Pattern>,
    variables: Vec<String>,
}

impl AllowedHosts {
    /// Parses the patterns of a component, variables already filled in.
    ///
    /// # Errors
    ///
    /// The first pattern that is not one.
    pub fn parse<S: AsRef<str>>(
        patterns: impl IntoIterator<Item = S>,
    ) -> Result<Self, HostPatternError> {
        let patterns = patterns
            .into_iter()
            .map(|text| Pattern::parse(text.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns, variables: Vec::new() })
    }

    /// Names the variables that were filled in, for the remedy.
    #[must_use]
    pub fn with_variables<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.variables.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// What an operator does to have another host allowed.
    pub(crate) fn remedy(&self) -> String {
        let list = "add it as scheme://host:port to the component's allowed_outbound_hosts";
        match self.variables.as_slice() {
            [] => list.to_owned(),
            [name] => format!("set the variable {name} to its scheme://host:port, or {list}"),
            names => format!(
                "set that of the variables {} which stands for it to its scheme://host:port, or {list}",
                names.join(", ")
            ),
        }
    }

    /// Whether a request to `uri` may leave. A URI without scheme or host may not.
    pub fn permit(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return false;
        };
        let Some(port) = uri.port_u16().or_else(|| default_port(scheme)) else {
            return false;
        };
        self.permit_server(scheme, host, port)
    }

    /// Whether a connection to a server of `scheme` may leave.
    pub fn permit_server(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        self.patterns.iter().any(|pattern| {
            pattern.scheme.permit(scheme)
                && pattern.host.permit(&host)
                && pattern.port.permit(scheme, port)
        })
    }
}

/// A pattern nobody can match a request against.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPatternError {
    /// The pattern.
    pub pattern: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

impl fmt::Display for HostPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a host pattern: {}; write \"https://example.com\", \"https://*.example.com:8443\" or \"http://localhost:*\"",
            self.pattern, self.reason
        )
    }
}

impl std::error::Error for HostPatternError {}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Pattern {
    scheme: Scheme,
    host: Host,
    port: Port,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, HostPatternError> {
        let fail = |reason| HostPatternError { pattern: text.to_owned(), reason };
        if text == "*" {
            return Ok(Self { scheme: Scheme::Any, host: Host::Any, port: Port::Any });
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| fail("it has no scheme"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@']) {
            return Err(fail("it holds more than a scheme, a host and a port"));
        }
        let (host, port) = match rest.rfind(':') {
            // A colon inside brackets belongs to an IPv6 address.
            Some(colon) if !rest[colon..].contains(']') => {
                (&rest[..colon], Some(&rest[colon + 1..]))
            }
            _ => (rest, None),
        };
        let scheme = match scheme {
            "*" => Scheme::Any,
            "" => return Err(fail("it has no scheme")),
            name => Scheme::Named(name.to_ascii_lowercase()),
        };
        let host = Host::parse(host).map_err(fail)?;
        let port = match port {
            None => Port::Default,
            Some(port) => Port::parse(port).ok_or_else(|| fail("its port is not one"))?,
        };
        if let (Scheme::Named(name), Port::Default) = (&scheme, port)
            && default_port(name).is_none()
        {
            return Err(fail("its scheme has no usual port, so it must name one"));
        }
        Ok(Self { scheme, host, port })
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Scheme {
    Any,
    Named(String),
}

impl Scheme {
    fn permit(&self, scheme: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(name) => name.eq_ignore_ascii_case(scheme),
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Host {
    Any,
    /// Names ending in this text, which starts with a dot.
    Below(String),
    Exact(String),
}

impl Host {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.to_ascii_lowercase();
        match text.as_str() {
            "" => Err("it has no host"),
            "*" => Ok(Self::Any),
            _ => match text.strip_prefix('*') {
                Some(below) if below.starts_with('.') && !below.contains('*') => {
                    Ok(Self::Below(below.to_owned()))
                }
                None if !text.contains('*') => Ok(Self::Exact(text)),
                _ => Err("`*` may only stand for a whole host or its first labels"),
            },
        }
    }

    fn permit(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            Self::Exact(name) => name == host,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Port {
    Any,
    Default,
    /// From the first, inclusive, to the second, exclusive.
    Range(u32, u32),
}

impl Port {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let number = |text: &str| text.parse::<u16>().ok().map(u32::from);
        match text.split_once("..") {
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                (from < to).then_some(Self::Range(from, to))
            }
            None => number(text).map(|port| Self::Range(port, port + 1)),
        }
    }

    fn permit(self, scheme: &str, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Default => default_port(scheme) == Some(port),
            Self::Range(from, to) => (from..to).contains(&u32::from(port)),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, granted: &[&str], refused: &[&str]) {
        let hosts = AllowedHosts::parse([pattern]).unwrap();
        for uri in granted {
            assert!(hosts.permit(&uri.parse().unwrap()), "{pattern} should permit {uri}");
        }
        for uri in refused {
            assert!(!hosts.permit(&uri.parse().unwrap()), "{pattern} should refuse {uri}");
        }
    }

    #[test]
    fn exact_hosts() {
        check(
            "https://api.example.com",
            &["https://api.example.com/v1?q=1", "https://API.example.com:443"],
            &[
                "http://api.example.com",
                "https://api.example.com:8443",
                "https://example.com",
                "https://api.example.com.evil.org",
                "https://user@evil.org",
                "/no/host",
            ],
        );
    }

    #[test]
    fn wildcards() {
        check(
            "https://*.example.com",
            &["https://a.example.com", "https://a.b.example.com"],
            &["https://example.com", "https://badexample.com", "https://a.example.com:80"],
        );
        check(
            "http://localhost:*",
            &["http://localhost", "http://localhost:3000"],
            &["https://localhost:3000", "http://127.0.0.1:3000"],
        );
        check(
            "*://example.com",
            &["http://example.com", "https://example.com"],
            &["http://example.com:8080"],
        );
        check("https://*:443", &["https://any.where"], &["https://any.where:444"]);
        check("*", &["http://x:1", "https://y"], &[]);
    }

    #[test]
    fn ports_and_addresses() {
        check(
            "http://127.0.0.1:8000..9000",
            &["http://127.0.0.1:8000", "http://127.0.0.1:8999"],
            &["http://127.0.0.1:9000", "http://127.0.0.1"],
        );
        check("http://[::1]:8080/", &["http://[::1]:8080"], &["http://[::1]"]);
        check("postgres://db", &["postgres://db:5432"], &["http://db:5432", "postgres://db:5433"]);
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(!AllowedHosts::default().permit(&"https://example.com".parse().unwrap()));
    }

    #[test]
    fn the_remedy_names_the_variables_that_stand_for_hosts() {
        let check = |names: &[&str], expected: &str| {
            let hosts = AllowedHosts::default().with_variables(names.iter().copied());
            let remedy = hosts.remedy();
            assert!(remedy.starts_with(expected), "{remedy}");
            assert!(remedy.ends_with("to the component's allowed_outbound_hosts"), "{remedy}");
        };
        check(&[], "add it as scheme://host:port");
        check(&["database_host"], "set the variable database_host to its scheme://host:port, or");
        check(&["reranker_url", "llm_host"], "set that of the variables reranker_url, llm_host ");
    }

    #[test]
    fn broken_patterns_are_refused() {
        for pattern in [
            "example.com",
            "https://",
            "https://a*.example.com",
            "https://example.com/path",
            "https://example.com:http",
            "redis://cache",
            "http://x:9..8",
        ] {
            let error = AllowedHosts::parse([pattern]).unwrap_err();
            assert_eq!(error.pattern, pattern);
        }
    }
}
