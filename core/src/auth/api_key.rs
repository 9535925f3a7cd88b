//! API keys: several at once, so that one can be replaced while the other still works.

use sha2::{Digest as _, Sha256};

use crate::{RequestError, ports::Config};

/// Variable with the accepted keys, comma-separated. Empty: no key is asked for, which our host
/// allows on loopback only.
pub const API_KEYS: &str = "api_keys";

/// Admits a request that offers one of the configured keys, or any where none is configured.
///
/// # Errors
/// [`RequestError::Unauthorized`]; [`RequestError::Unavailable`] where the keys cannot be read.
pub async fn admit(config: &impl Config, offered: Option<&str>) -> Result<(), RequestError> {
    let keys = config.get(API_KEYS).await;
    let keys = keys.map_err(|error| RequestError::Unavailable { reason: error.to_string() })?;
    knows(&keys.unwrap_or_default(), offered).then_some(()).ok_or(RequestError::Unauthorized)
}

/// Whether `offered` is one of the comma-separated `keys`, or none are configured.
pub fn knows(keys: &str, offered: Option<&str>) -> bool {
    let mut configured = parse(keys).peekable();
    if configured.peek().is_none() {
        return true;
    }
    let offered = Sha256::digest(offered.unwrap_or_default());
    // Digests are compared, and all of them: the time taken tells nothing of a key.
    configured.fold(false, |known, key| known | (Sha256::digest(key) == offered))
}

/// The keys in a value of [`API_KEYS`].
pub fn parse(keys: &str) -> impl Iterator<Item = &str> {
    keys.split(',').map(str::trim).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    #[test]
    fn keys() {
        let check = |keys: &str, offered, admitted: bool| {
            let config = MapConfig([(API_KEYS.to_owned(), keys.to_owned())].into());
            assert_eq!(block_on(admit(&config, offered)).is_ok(), admitted, "{keys} {offered:?}");
        };
        check("", None, true);
        check(" , ", None, true);
        check("old, new", Some("old"), true);
        check("old, new", Some("new"), true);
        check("old", Some("ol"), false);
        check("old", Some(""), false);
        check("old", None, false);
    }
}
