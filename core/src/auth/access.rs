//! The door: whether a request may come in at all, before its body is read.

use http::{HeaderMap, header};

use super::{
    Addresses, Keys, Origins,
    address::is_from_this_machine,
    admin::bearer,
    origin::{is_local, origin_of},
};
use crate::{
    RequestError,
    policy::Profile,
    ports::Config,
    setting::{SettingFault, choice},
};

/// Variable that says whether pages that may ask need a key: `yes` or `no` (default). A key in a page
/// is no secret, so a chat for everybody has none; limits and caps hold for its visitors all the same.
const PUBLIC_PAGES: &str = "public_pages";

/// Who is let in, as the operator configured it.
#[derive(Clone)]
pub struct Access {
    keys: Keys,
    origins: Origins,
    addresses: Addresses,
    public_pages: bool,
    profile: Profile,
}

/// Who asks, as far as limits and conversations need to know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Visitor {
    /// Hash of the network; `None` where the platform does not tell.
    pub address: Option<u64>,
}

impl Access {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`SettingFault`]; then nobody is let in.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        Ok(Self {
            keys: Keys::configured(config).await?,
            origins: Origins::configured(config).await?,
            addresses: Addresses::configured(config).await?,
            public_pages: choice(config, PUBLIC_PAGES, &[("yes", true), ("no", false)])
                .await?
                .unwrap_or_default(),
            profile: Profile::configured(config).await?,
        })
    }

    /// Lets a request in: its page's origin first, then its key.
    ///
    /// `authority` is what the service was addressed as. Without any key configured only requests of
    /// this machine to itself are served, and in production none.
    ///
    /// # Errors
    /// [`RequestError::OriginNotAllowed`], [`RequestError::Unauthorized`] or
    /// [`RequestError::Misdirected`].
    pub fn admit(
        &self,
        authority: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Visitor, RequestError> {
        if !self.origin_allowed(authority, headers) {
            return Err(RequestError::OriginNotAllowed);
        }
        if self.keys.is_empty() {
            let local = authority.is_some_and(is_local) && is_from_this_machine(headers);
            if !local || self.profile == Profile::Production {
                return Err(RequestError::Misdirected);
            }
        } else if !offered(headers).any(|key| self.keys.contains(key)) && !self.is_public(headers) {
            return Err(RequestError::Unauthorized);
        }
        Ok(Visitor { address: self.addresses.hash(headers) })
    }

    /// Whether a request comes from a page that needs no key. Only `Origin` tells: browsers send it
    /// with every question, and pages cannot change it.
    fn is_public(&self, headers: &HeaderMap) -> bool {
        self.public_pages && headers.contains_key(header::ORIGIN)
    }

    /// A request that names no page comes from a program, which the key is for.
    fn origin_allowed(&self, authority: Option<&str>, headers: &HeaderMap) -> bool {
        let page = match headers.get(header::ORIGIN) {
            Some(origin) => origin.to_str().ok(),
            None => match headers.get(header::REFERER) {
                Some(page) => page.to_str().ok().map(origin_of),
                None => return true,
            },
        };
        page.is_some_and(|origin| self.origins.allow(origin, authority))
    }
}

/// The keys that a request offers.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    text("x-api-key").into_iter().chain(text("authorization").and_then(bearer))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    const KEYED: &[(&str, &str)] =
        &[("api_keys", "old,new"), ("allowed_origins", "https://site.example")];
    const LOCAL: (&str, &str) = ("spin-client-addr", "127.0.0.1:4000");

    fn admit(
        variables: &[(&str, &str)],
        authority: &str,
        fields: &[(&'static str, &str)],
    ) -> Result<Visitor, RequestError> {
        let map = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let access = block_on(Access::configured(&MapConfig(map.collect())))?;
        let fields =
            fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        access.admit(Some(authority).filter(|it| !it.is_empty()), &fields.collect())
    }

    fn status(variables: &[(&str, &str)], authority: &str, fields: &[(&'static str, &str)]) -> u16 {
        admit(variables, authority, fields).map_or_else(|error| error.row().1, |_| 200)
    }

    #[test]
    fn with_keys_one_must_be_offered_and_pages_must_be_listed() {
        let check = |fields: &[(&'static str, &str)], expected| {
            assert_eq!(status(KEYED, "api.example", fields), expected, "{fields:?}");
        };
        let key = ("x-api-key", "new");
        check(&[], 401);
        check(&[key], 200);
        check(&[("x-api-key", "wrong")], 401);
        check(&[("authorization", "Bearer old")], 200);
        check(&[("authorization", "bearer  old")], 200);
        check(&[("authorization", "Basic old")], 401);
        check(&[("authorization", "old")], 401);
        check(&[("x-api-key", "wrong"), ("authorization", "Bearer new")], 200);
        check(&[key, ("origin", "https://site.example")], 200);
        check(&[key, ("origin", "https://api.example")], 200);
        check(&[key, ("origin", "https://evil.example")], 403);
        check(&[key, ("origin", "null")], 403);
        check(&[key, ("origin", "")], 403);
        check(&[key, ("referer", "https://site.example/page?x")], 200);
        check(&[key, ("referer", "https://evil.example/https://site.example")], 403);
        check(
            &[key, ("origin", "https://site.example"), ("referer", "https://evil.example/")],
            200,
        );
        check(&[("origin", "https://evil.example")], 403);
        check(&[("origin", "https://site.example")], 401);
    }

    #[test]
    fn public_pages_need_no_key_and_programs_do() {
        let variables = [KEYED, &[("public_pages", "yes")]].concat();
        let check = |fields: &[(&'static str, &str)], expected| {
            assert_eq!(status(&variables, "api.example", fields), expected, "{fields:?}");
        };
        check(&[("origin", "https://site.example")], 200);
        check(&[("origin", "https://api.example")], 200);
        check(&[("origin", "https://evil.example")], 403);
        check(&[("origin", "null")], 403);
        check(&[("referer", "https://site.example/page")], 401);
        check(&[], 401);
        check(&[("x-api-key", "new")], 200);
    }

    #[test]
    fn without_keys_only_this_machine_is_served() {
        let check = |profile, authority, fields: &[(&'static str, &str)], expected| {
            let found = status(&[("profile", profile)], authority, fields);
            assert_eq!(found, expected, "{profile} {authority} {fields:?}");
        };
        for name in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST"] {
            check("", name, &[LOCAL], 200);
            check("development", name, &[LOCAL], 200);
            check("production", name, &[LOCAL], 421);
        }
        check("", "localhost", &[], 200);
        check("", "", &[LOCAL], 421);
        check("", "site.example", &[LOCAL], 421);
        check("", "localhost.evil.example", &[LOCAL], 421);
        check("", "localhost", &[("spin-client-addr", "192.168.0.7:1")], 421);
        check("", "localhost", &[LOCAL, ("x-forwarded-for", "127.0.0.1")], 421);
        check("", "localhost", &[LOCAL, ("origin", "http://localhost:5173")], 200);
        check("", "localhost", &[LOCAL, ("origin", "https://evil.example")], 403);
    }

    #[test]
    fn a_bad_configuration_lets_nobody_in() {
        for (name, value) in [
            ("api_keys", "sha256:1"),
            ("api_keys", ","),
            ("allowed_origins", "*"),
            ("trusted_proxies", "many"),
            ("public_pages", "perhaps"),
            ("profile", "test"),
        ] {
            let variables = [("api_keys", "new"), (name, value)];
            assert_eq!(status(&variables, "localhost", &[LOCAL, ("x-api-key", "new")]), 503);
        }
    }

    #[test]
    fn a_visitor_is_a_hash() {
        let visitor = admit(&[], "localhost", &[LOCAL]).unwrap();
        assert!(visitor.address.is_some());
        assert_eq!(admit(&[], "localhost", &[]), Ok(Visitor::default()));
    }
}
