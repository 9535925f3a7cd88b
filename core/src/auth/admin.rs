//! The owner's key, which opens listings of what visitors wrote.

use sha2::{Digest as _, Sha256};

use crate::{RequestError, ports::Config, setting::SettingFault};

/// Variable with the owner's key. Empty: nobody may read the listings.
pub const ADMIN_KEY: &str = "admin_key";

/// Admits a request whose `Authorization` header has the owner's key as a bearer token.
///
/// # Errors
/// [`RequestError::Forbidden`] where no key is configured, [`RequestError::AdminUnauthorized`]
/// without the right one, [`RequestError::Misconfigured`] where it cannot be read.
pub async fn admit_admin(
    config: &impl Config,
    authorization: Option<&str>,
) -> Result<(), RequestError> {
    let key = config.get(ADMIN_KEY).await.map_err(SettingFault::from)?;
    let Some(key) = key else {
        let reason = "the listing is closed: set the variable admin_key to open it".to_owned();
        return Err(RequestError::Forbidden { reason });
    };
    let offered = authorization.and_then(bearer).unwrap_or_default();
    // Digests are compared: the time taken tells nothing of the key.
    let known = Sha256::digest(offered) == Sha256::digest(key.trim());
    known.then_some(()).ok_or(RequestError::AdminUnauthorized)
}

/// The token of a bearer authorization; the scheme's case does not matter (RFC 9110, 11.1).
pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    #[test]
    fn only_the_owner_is_admitted() {
        let check = |key: &str, authorization, status: Option<u16>| {
            let config = MapConfig([(ADMIN_KEY.to_owned(), key.to_owned())].into());
            let refused = block_on(admit_admin(&config, authorization)).err();
            assert_eq!(refused.map(|error| error.row().1), status, "{key} {authorization:?}");
        };
        check("owner", Some("Bearer owner"), None);
        check("owner", Some("bearer  owner "), None);
        check("owner", Some("Bearer owne"), Some(401));
        check("owner", Some("Bearer "), Some(401));
        check("owner", Some("Basic owner"), Some(401));
        check("owner", Some("owner"), Some(401));
        check("owner", None, Some(401));
        check("", Some("Bearer "), Some(403));
        check("", None, Some(403));
    }
}
