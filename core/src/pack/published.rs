//! A pack in the key-value store: published in parts, swapped in by one small record.
//!
//! Parts are written first, under a version of their own, then the pointer is swapped. A reader that
//! has the old pointer still finds the old parts: [`publish`] keeps the pack before the current one
//! and removes those before that.

use super::{PackError, header};
use crate::{
    ports::{Kv, KvError, MAX_VALUE_BYTES},
    wire::PackPointer,
};

/// Key of the pointer.
const POINTER: &str = "pack:current";

/// Why a pack cannot be published or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Another publisher replaced the pointer meanwhile.
    #[error("another pack was published at the same time; publish again")]
    Crossed,
    /// What was published is not a pack of this version.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The pointer cannot be read.
    #[error("the published pack's pointer is damaged: {reason}; publish the pack again")]
    Pointer {
        /// What the parser said.
        reason: String,
    },
    /// A part that the pointer promises is not there.
    #[error("part {part} of the published pack {version} is missing; publish it again")]
    Part {
        /// The pack's version.
        version: String,
        /// The part's number.
        part: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] KvError),
}

/// Publishes `pack` and makes it the current one. Publishing the current one again repairs it.
///
/// # Errors
/// [`PublishError::Pack`] when it is not a pack, [`PublishError::Crossed`] when another publisher
/// was quicker, [`PublishError::Store`]. What was current stays so.
pub async fn publish(kv: &impl Kv, pack: &[u8]) -> Result<PackPointer, PublishError> {
    let (header, _) = header(pack)?;
    let crc32 = crc32fast::hash(pack);
    let version = format!("{}-{crc32:08x}", header.corpus.get(..16).unwrap_or(&header.corpus));
    let record_before = kv.get(POINTER).await?;
    // A damaged pointer is replaced.
    let before = record_before.as_deref().and_then(|record| parse(record).ok());
    let parts = pack.chunks(MAX_VALUE_BYTES);
    let pointer = PackPointer {
        version,
        parts: parts.len(),
        bytes: pack.len(),
        documents: header.documents,
        chunks: header.chunks,
        subject: header.subject,
        model: header.model.map(|model| model.id),
    };
    for (number, part) in parts.enumerate() {
        kv.set(&part_key(&pointer.version, number), part).await?;
    }
    let record = serde_json::to_vec(&pointer)
        .map_err(|error| PublishError::Pointer { reason: error.to_string() })?;
    if !kv.swap(POINTER, record_before.as_deref(), &record).await? {
        return Err(PublishError::Crossed);
    }
    let kept = [Some(&pointer), before.as_ref()];
    for key in kv.list("pack:part:").await? {
        let of = |it: &&PackPointer| key.starts_with(&format!("pack:part:{}:", it.version));
        if !kept.into_iter().flatten().any(|pointer| of(&pointer)) {
            kv.delete(&key).await?;
        }
    }
    Ok(pointer)
}

/// Returns the pointer to the current pack, or `None` where none was ever published.
///
/// # Errors
/// [`PublishError::Pointer`] or [`PublishError::Store`].
pub async fn current(kv: &impl Kv) -> Result<Option<PackPointer>, PublishError> {
    kv.get(POINTER).await?.as_deref().map(parse).transpose()
}

fn parse(record: &[u8]) -> Result<PackPointer, PublishError> {
    serde_json::from_slice(record)
        .map_err(|error| PublishError::Pointer { reason: error.to_string() })
}

/// Withdraws the published pack: the one embedded in the program serves again.
///
/// # Errors
/// [`PublishError::Store`].
pub async fn withdraw(kv: &impl Kv) -> Result<(), PublishError> {
    Ok(kv.delete(POINTER).await?)
}

/// Fetches the pack's bytes.
///
/// # Errors
/// [`PublishError::Part`] or [`PublishError::Store`].
pub async fn fetch(kv: &impl Kv, pointer: &PackPointer) -> Result<Vec<u8>, PublishError> {
    let mut pack = Vec::new();
    for part in 0..pointer.parts {
        let bytes = kv
            .get(&part_key(&pointer.version, part))
            .await?
            .ok_or_else(|| PublishError::Part { version: pointer.version.clone(), part })?;
        pack.extend_from_slice(&bytes);
    }
    Ok(pack)
}

fn part_key(version: &str, part: usize) -> String {
    format!("pack:part:{version}:{part}")
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        fakes::{MemoryKv, SeededEntropy},
        index::{Index, build},
        text::{Document, chunks},
    };

    fn pack(text: &str) -> Vec<u8> {
        let document = Document::read("a.md", text.as_bytes().to_vec()).unwrap();
        build(&chunks(&document), None).unwrap()
    }

    #[test]
    fn the_newest_is_current_and_the_one_before_it_stays() {
        let kv = MemoryKv::default();
        block_on(async {
            assert_eq!(current(&kv).await.unwrap(), None);
            let packs = ["one", "two", "three"].map(pack);
            let mut pointers = Vec::new();
            for pack in &packs {
                pointers.push(publish(&kv, pack).await.unwrap());
            }
            assert_eq!(current(&kv).await.unwrap().as_ref(), pointers.last());
            assert_eq!(fetch(&kv, &pointers[2]).await.unwrap(), packs[2]);
            assert_eq!(fetch(&kv, &pointers[1]).await.unwrap(), packs[1]);
            assert!(matches!(
                fetch(&kv, &pointers[0]).await,
                Err(PublishError::Part { part: 0, .. })
            ));
        });
    }

    #[test]
    fn what_is_no_pack_is_refused_and_the_old_one_stays() {
        let kv = MemoryKv::default();
        block_on(async {
            let good = publish(&kv, &pack("one")).await.unwrap();
            assert!(matches!(publish(&kv, b"junk").await, Err(PublishError::Pack(_))));
            assert_eq!(current(&kv).await.unwrap(), Some(good));
            withdraw(&kv).await.unwrap();
            assert_eq!(current(&kv).await.unwrap(), None);
        });
    }

    /// What a reader gets to serve, if anything.
    async fn opened(kv: &MemoryKv) -> Option<Vec<u8>> {
        let pack = fetch(kv, &current(kv).await.ok()??).await.ok()?;
        Index::open(pack.clone()).ok().map(|_| pack)
    }

    #[test]
    fn damaged_records_are_refused_or_do_no_harm() {
        const SEED: u64 = 20_261_121;
        let entropy = SeededEntropy::new(SEED);
        let letters = (0..2 * MAX_VALUE_BYTES).map(|_| b'a' + (entropy.next() % 26) as u8);
        let pack = pack(&String::from_utf8(letters.collect()).unwrap());
        block_on(async {
            let kv = MemoryKv::default();
            publish(&kv, &pack).await.unwrap();
            assert_eq!(opened(&kv).await.as_ref(), Some(&pack));
            let keys = kv.list("pack:").await.unwrap();
            assert!(keys.len() > 3, "{keys:?}");
            for key in keys {
                let good = kv.get(&key).await.unwrap().unwrap();
                for _ in 0..20 {
                    let at = 1 + entropy.next() as usize % (good.len() - 1);
                    let mut flipped = good.clone();
                    flipped[at] ^= 1 << (entropy.next() % 8);
                    for damaged in
                        [&flipped, &good[..at].to_vec(), &[&good[at..], &good[..at]].concat()]
                    {
                        kv.set(&key, damaged).await.unwrap();
                        // A pointer may err in what it says of the pack, and lead to it all the same.
                        let served = opened(&kv).await;
                        let whole = served.as_ref() == Some(&pack) && key == POINTER;
                        assert!(served.is_none() || whole, "seed {SEED}: {key} at {at}");
                    }
                }
                kv.delete(&key).await.unwrap();
                assert_eq!(opened(&kv).await, None, "{key} is gone");
                kv.set(&key, &good).await.unwrap();
            }
        });
    }

    #[test]
    fn a_pointer_to_endless_parts_ends_with_the_first_that_is_missing() {
        let kv = MemoryKv::default();
        block_on(async {
            let mut pointer = publish(&kv, &pack("one")).await.unwrap();
            (pointer.parts, pointer.bytes) = (usize::MAX, usize::MAX);
            assert!(matches!(fetch(&kv, &pointer).await, Err(PublishError::Part { part: 1, .. })));
        });
    }
}
