//! Where a visitor comes from: the address that limits are kept for.
//!
//! A header is believed only as far as the operator says who wrote it. What is kept is a hash of the
//! network, never the address.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};

use super::{API_KEYS, digest64};
use crate::{
    ports::Config,
    setting::{SettingFault, number, parsed},
};

/// Variable with the number of proxies in front, each of which adds its peer to `X-Forwarded-For`; 0
/// to 8, 0 by default: then nobody's word is taken.
const TRUSTED_PROXIES: &str = "trusted_proxies";
/// Variable with the header in which a proxy in front names the client, such as `cf-connecting-ip` or
/// `true-client-ip`. Only where nobody can reach the service past that proxy. Empty: none.
const CLIENT_ADDRESS_HEADER: &str = "client_address_header";
/// Variable with a secret that addresses are hashed with. Empty: the API keys serve, so that limits
/// begin anew when they change; without keys only one machine is served, and its address is no secret.
const ADDRESS_SALT: &str = "address_salt";
/// The connection's other end, `address:port`, as the platform sees it; clients cannot set it.
const PEER: &str = "spin-client-addr";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// How clients' addresses are found and hashed.
#[derive(Clone)]
pub struct Addresses {
    trusted_proxies: usize,
    header: Option<HeaderName>,
    salt: String,
}

impl Addresses {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`SettingFault`] for a number outside of its range, or a name that no header has.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let expected = "the name of a header";
        let header =
            parsed(config, CLIENT_ADDRESS_HEADER, expected, |name| name.parse().ok()).await?;
        let salt = match config.get(ADDRESS_SALT).await? {
            Some(salt) => salt,
            None => config.get(API_KEYS).await?.unwrap_or_default(),
        };
        let trusted_proxies = number(config, TRUSTED_PROXIES, 0, 0..=8).await?;
        Ok(Self { trusted_proxies, header, salt })
    }

    /// The hash of the client's network; `None` where the platform does not tell.
    ///
    /// A whole IPv6 network of 64 bits is one client: it is what one household or one server gets.
    pub fn hash(&self, headers: &HeaderMap) -> Option<u64> {
        let network = match self.client(headers)?.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
        };
        Some(digest64(&[b"address", self.salt.as_bytes(), &network]))
    }

    /// The client's address.
    fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = headers.get(PEER).and_then(|value| address(value.to_str().ok()?));
        let named = self.header.as_ref().and_then(|name| headers.get(name)?.to_str().ok());
        if let Some(named) = named.and_then(address) {
            return Some(named);
        }
        if self.trusted_proxies == 0 {
            return peer;
        }
        // Each proxy appends whom it talks to: the last entries are the proxies' own words, and what
        // stands before them may be anybody's.
        let lines = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        let at = hops.len().saturating_sub(self.trusted_proxies);
        hops.get(at).and_then(|hop| address(hop)).or(peer)
    }
}

/// Whether the request comes from this machine itself and through no proxy, as far as anybody says.
pub(super) fn is_from_this_machine(headers: &HeaderMap) -> bool {
    let peer = headers.get(PEER).and_then(|value| value.to_str().ok());
    let forwarded = headers.contains_key(FORWARDED_FOR) || headers.contains_key("forwarded");
    // A platform that does not name the peer is judged by the name it was addressed by alone.
    let local =
        peer.is_none_or(|peer| address(peer).is_some_and(|it| it.to_canonical().is_loopback()));
    local && !forwarded
}

/// Reads an address with or without port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|it| it.ip());
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    bare().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn configured(variables: &[(&str, &str)]) -> Result<Addresses, SettingFault> {
        let map = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        block_on(Addresses::configured(&MapConfig(map.collect())))
    }

    #[test]
    fn a_header_is_believed_only_as_far_as_configured() {
        let check = |proxies: &str, header: &str, fields: &[(&'static str, &str)], expected| {
            let addresses =
                configured(&[("trusted_proxies", proxies), ("client_address_header", header)]);
            let client = addresses.unwrap().client(&headers(fields)).map(|it| it.to_string());
            assert_eq!(client.as_deref(), expected, "{proxies} {header} {fields:?}");
        };
        let peer = ("spin-client-addr", "10.0.0.9:5000");
        let forged = ("x-forwarded-for", "1.1.1.1, 2.2.2.2");
        check("", "", &[], None);
        check("0", "", &[peer], Some("10.0.0.9"));
        check("0", "", &[("spin-client-addr", "[2001:db8::1]:5000")], Some("2001:db8::1"));
        check("0", "", &[peer, forged, ("cf-connecting-ip", "3.3.3.3")], Some("10.0.0.9"));
        check("1", "", &[peer, forged], Some("2.2.2.2"));
        check("1", "", &[peer, forged, ("x-forwarded-for", "4.4.4.4:80")], Some("4.4.4.4"));
        check("2", "", &[peer, forged], Some("1.1.1.1"));
        check(
            "2",
            "",
            &[peer, ("x-forwarded-for", "9.9.9.9,1.1.1.1,[2001:db8::2]")],
            Some("1.1.1.1"),
        );
        check("3", "", &[peer, forged], Some("1.1.1.1"));
        check("1", "", &[peer, ("x-forwarded-for", "1.1.1.1, unknown")], Some("10.0.0.9"));
        check("1", "", &[peer], Some("10.0.0.9"));
        let named = ("cf-connecting-ip", "3.3.3.3");
        check("0", "CF-Connecting-IP", &[peer, named], Some("3.3.3.3"));
        check("0", "true-client-ip", &[peer, named], Some("10.0.0.9"));
        check("0", "cf-connecting-ip", &[peer, ("cf-connecting-ip", "x")], Some("10.0.0.9"));
        check("1", "cf-connecting-ip", &[peer, forged], Some("2.2.2.2"));
    }

    #[test]
    fn a_network_is_one_client_and_the_salt_hides_it() {
        let addresses = configured(&[("address_salt", "s")]).unwrap();
        let hash = |of: &Addresses, peer| of.hash(&headers(&[("spin-client-addr", peer)])).unwrap();
        let same = |one, other| hash(&addresses, one) == hash(&addresses, other);
        assert!(same("1.2.3.4:1", "1.2.3.4:2") && !same("1.2.3.4:1", "1.2.3.5:1"));
        assert!(same("1.2.3.4:1", "[::ffff:1.2.3.4]:1"));
        assert!(same("[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::2]:1"));
        assert!(!same("[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1"));
        let keys = configured(&[("api_keys", "s")]).unwrap();
        let none = configured(&[]).unwrap();
        let peer = "1.2.3.4:1";
        assert_eq!(hash(&keys, peer), hash(&addresses, peer));
        assert_ne!(hash(&none, peer), hash(&addresses, peer));
        assert_eq!(addresses.hash(&HeaderMap::new()), None);
    }

    #[test]
    fn figures_and_names_are_checked() {
        assert!(configured(&[("trusted_proxies", "9")]).is_err());
        assert!(configured(&[("client_address_header", "not a header")]).is_err());
    }
}
