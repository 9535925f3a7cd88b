//! Under what a conversation is kept: its id together with where it is continued from.

use crate::auth::{Visitor, digest, digest64};

/// Names a conversation in the store and in the ledger.
///
/// The id alone opens nothing. Clients choose ids, so an id can be known to somebody else, who
/// planted it or guessed it; from another network the same id is another conversation, which starts
/// empty. A visitor whose network changes starts afresh too, under the id that the client goes on
/// using. Why: docs/decisions/0020-sessions-and-limits.md.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionKey {
    record: String,
    hash: u64,
}

impl SessionKey {
    /// The conversation `id` of `visitor`.
    pub fn new(id: &str, visitor: Visitor) -> Self {
        let address = visitor.address.map(u64::to_le_bytes);
        let network: &[u8] = address.as_ref().map_or(&[], |bytes| bytes);
        let parts: [&[u8]; 3] = [b"session", id.as_bytes(), network];
        let name: String =
            digest(&parts).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { record: format!("session:{name}"), hash: digest64(&parts) }
    }

    /// For the ledger.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// For the store.
    pub(super) fn record(&self) -> &str {
        &self.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::check_key;

    #[test]
    fn an_id_is_another_conversation_from_another_network() {
        let key = |id, address| SessionKey::new(id, Visitor { address });
        assert_eq!(key("a", Some(1)), key("a", Some(1)));
        let keys = [
            key("a", None),
            key("a", Some(1)),
            key("a", Some(2)),
            key("b", Some(1)),
            key("", None),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(check_key(one.record(), None).is_ok() && !one.record().contains(":a"));
            for other in keys.iter().skip(at + 1) {
                assert!(one.hash() != other.hash() && one.record() != other.record());
            }
        }
    }
}
