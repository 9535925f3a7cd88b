//! Sites that may ask from a browser: a list of origins, compared part by part.

use std::net::Ipv6Addr;

use crate::{
    policy::PROFILE,
    ports::Config,
    setting::{SettingFault, items},
};

/// Variable with the origins whose pages may ask, comma-separated: `https://example.com`, with a port
/// where it is not the scheme's own, or `https://*.example.com` for all names below, at any depth,
/// but not for `example.com` itself. The service's own origin always may. Empty: pages of this
/// machine may too, unless the profile is named as production.
const ALLOWED_ORIGINS: &str = "allowed_origins";
const EXPECTED: &str = "a list of scheme://host[:port], where the host may begin with *. and ends in \
    two names or more; names beyond ASCII as xn--";
/// Names of this machine, as browsers write them.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The origins that may ask.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origins {
    patterns: Vec<Pattern>,
    local: bool,
}

impl Origins {
    /// Reads `allowed_origins`.
    ///
    /// # Errors
    /// [`SettingFault`] for an entry that is no origin.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let list = config.get(ALLOWED_ORIGINS).await?.unwrap_or_default();
        let production = config.get(PROFILE).await?.is_some_and(|name| name == "production");
        let origins = Self::new(&list)?;
        Ok(Self { local: origins.patterns.is_empty() && !production, ..origins })
    }

    /// Takes a value of `allowed_origins`.
    ///
    /// # Errors
    /// As [`Origins::configured`].
    pub fn new(list: &str) -> Result<Self, SettingFault> {
        let patterns = items(list).map(|entry| {
            let fault = || SettingFault::malformed(ALLOWED_ORIGINS, EXPECTED, entry);
            Pattern::parse(entry).ok_or_else(fault)
        });
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()?, local: false })
    }

    /// Whether a page of `origin`, as the browser names it, may ask the service that was addressed as
    /// `authority`.
    pub fn allow(&self, origin: &str, authority: Option<&str>) -> bool {
        let Some(origin) = Origin::parse(origin) else { return false };
        self.patterns.iter().any(|pattern| pattern.admits(&origin))
            || authority.is_some_and(|authority| origin.is_at(authority))
            || (self.local && LOCAL.contains(&origin.host.as_str()))
    }
}

/// The origin of an address of a page, such as `Referer` has it.
pub(super) fn origin_of(address: &str) -> &str {
    let start = address.find("://").map_or(0, |at| at + 3);
    let host = address.get(start..).unwrap_or_default();
    let end = host.find(['/', '?', '#']).map_or(address.len(), |at| start + at);
    address.get(..end).unwrap_or_default()
}

/// Whether `authority` names this machine.
pub(super) fn is_local(authority: &str) -> bool {
    Origin::parse(&format!("http://{authority}"))
        .is_some_and(|origin| LOCAL.contains(&origin.host.as_str()))
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Pattern {
    origin: Origin,
    /// Whether names below the host are meant, not the host.
    below: bool,
}

impl Pattern {
    fn parse(entry: &str) -> Option<Self> {
        let Some((scheme, rest)) = entry.split_once("://*.") else {
            return Some(Self { origin: Origin::parse(entry)?, below: false });
        };
        let origin = Origin::parse(&format!("{scheme}://{rest}"))?;
        // Everything below a registry's name is everybody.
        let names =
            origin.host.contains('.') && !origin.host.ends_with(|it: char| !it.is_alphabetic());
        names.then_some(Self { origin, below: true })
    }

    fn admits(&self, origin: &Origin) -> bool {
        if !self.below {
            return self.origin == *origin;
        }
        let names = origin.host.strip_suffix(&self.origin.host);
        let below =
            names.and_then(|names| names.strip_suffix('.')).is_some_and(|it| !it.is_empty());
        below && self.origin.scheme == origin.scheme && self.origin.port == origin.port
    }
}

/// Scheme, host and port of a site.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Origin {
    scheme: &'static str,
    /// In lower case, without a dot at its end.
    host: String,
    port: u16,
}

impl Origin {
    /// Reads `scheme://host[:port]` and nothing else: no user, no path, no letters beyond ASCII.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let (scheme, standard) = match scheme.to_ascii_lowercase().as_str() {
            "http" => ("http", 80),
            "https" => ("https", 443),
            _ => return None,
        };
        let (host, port) = host_and_port(authority)?;
        Some(Self { scheme, host: host_name(host)?, port: port.unwrap_or(standard) })
    }

    fn is_at(&self, authority: &str) -> bool {
        let same = Self::parse(&format!("{}://{authority}", self.scheme));
        same.is_some_and(|same| same == *self)
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let split = match authority.rfind(']') {
        Some(bracket) => authority.get(bracket..)?.find(':').map(|at| bracket + at),
        None => authority.find(':'),
    };
    let Some(at) = split else { return Some((authority, None)) };
    let digits = authority.get(at + 1..)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((authority.get(..at)?, Some(digits.parse().ok()?)))
}

fn host_name(host: &str) -> Option<String> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Some(format!("[{}]", address.parse::<Ipv6Addr>().ok()?));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
    };
    name.split('.').all(label).then_some(name)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    #[test]
    fn origins_are_compared_part_by_part() {
        let list = "https://example.com, http://dev.example.com:8080, https://*.pages.example, \
            https://xn--mller-kva.example, https://[2001:db8::1], http://10.0.0.1";
        let origins = Origins::new(list).unwrap();
        let check = |origin: &str, allowed: bool| {
            assert_eq!(origins.allow(origin, None), allowed, "{origin:?}");
        };
        for good in [
            "https://example.com",
            "HTTPS://Example.COM",
            "https://example.com.",
            "https://example.com:443",
            "http://dev.example.com:8080",
            "https://a.pages.example",
            "https://a.b.pages.example",
            "https://xn--mller-kva.example",
            "https://[2001:DB8:0::1]",
            "http://10.0.0.1:80",
        ] {
            check(good, true);
        }
        for bad in [
            "",
            "null",
            "*",
            "example.com",
            "http://example.com",
            "https://example.com:8443",
            "https://www.example.com",
            "https://example.com.evil.test",
            "https://evil.test?https://example.com",
            "https://evil.test#example.com",
            "https://evilexample.com",
            "https://example.com/",
            "https://example.com..",
            "https://example.com@evil.test",
            "https://user@example.com",
            "https://example.com:443@evil.test",
            "https://example.com:",
            "https://example.com:+443",
            "https://example.com:99999",
            "https://example.com\u{0}.evil.test",
            "https://example.com evil",
            "http://dev.example.com",
            "https://pages.example",
            "https://.pages.example",
            "https://evilpages.example",
            "http://a.pages.example",
            "https://a.pages.example:8443",
            "https://a.pages.example.evil.test",
            "https://a/b.pages.example",
            "https://*.pages.example",
            "https://müller.example",
            "https://exаmple.com",
            "https://[2001:db8::2]",
            "https://[2001:db8::1",
            "file://",
            "http://10.0.0.10",
            "http://localhost:3000",
        ] {
            check(bad, false);
        }
    }

    #[test]
    fn what_is_no_origin_is_a_fault_of_the_operator() {
        for bad in [
            "*",
            "example.com",
            "https://*",
            "https://*.com",
            "https://*.",
            "https://*.10.0.0.1",
            "https://a.*.example.com",
            "https://deploy-*.example.com",
            "https://müller.example",
            "https://example.com/",
            "ftp://example.com",
            "https://user@example.com",
            "null",
        ] {
            let fault = Origins::new(&format!("https://good.example, {bad}")).unwrap_err();
            assert!(fault.to_string().ends_with(&format!("got {bad:?}")), "{fault}");
        }
        assert_eq!(Origins::new(" , "), Ok(Origins::default()));
    }

    #[test]
    fn the_services_own_origin_may_always_ask() {
        let check = |origin: &str, authority, allowed: bool| {
            let found = Origins::default().allow(origin, Some(authority));
            assert_eq!(found, allowed, "{origin} {authority}");
        };
        check("http://site.example:3000", "site.example:3000", true);
        check("https://site.example", "Site.Example", true);
        check("https://site.example", "site.example:443", true);
        check("http://site.example", "site.example:443", false);
        check("https://site.example", "other.example", false);
        check("https://site.example", "", false);
        check("null", "null", false);
    }

    #[test]
    fn without_a_list_pages_of_this_machine_may_ask() {
        let check = |variables: &[(&str, &str)], allowed: bool| {
            let map =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let origins = block_on(Origins::configured(&MapConfig(map.collect()))).unwrap();
            for local in ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:1"] {
                assert_eq!(origins.allow(local, None), allowed, "{variables:?} {local}");
            }
            assert!(!origins.allow("http://localhost.evil.test", None));
        };
        check(&[], true);
        check(&[("profile", "development")], true);
        check(&[("profile", "production")], false);
        check(&[("allowed_origins", "https://example.com")], false);
    }

    #[test]
    fn an_address_has_an_origin() {
        for (address, origin) in [
            ("https://example.com/a?b#c", "https://example.com"),
            ("https://example.com", "https://example.com"),
            ("https://example.com?x=https://other.example/", "https://example.com"),
            ("https://user@example.com/", "https://user@example.com"),
            ("about:blank", "about:blank"),
            ("/a", ""),
        ] {
            assert_eq!(origin_of(address), origin);
        }
    }
}
