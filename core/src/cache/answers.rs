//! Answers given before: a first level in the instance, a second in the key-value store.

use std::{cell::RefCell, num::NonZeroUsize, rc::Rc, time::Duration};

use lru::LruCache;

use crate::{
    ports::{Kv, KvError},
    wire::AnswerRecord,
};

/// Answers an instance keeps: some 3 KiB each, so a megabyte at the most.
const FIRST_LEVEL: NonZeroUsize = NonZeroUsize::new(256).unwrap();
const VERSION: u8 = 1;

/// Where an answer was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// In this instance.
    Instance,
    /// In the key-value store.
    Store,
}

/// What an instance knows of answers given before.
#[derive(Debug)]
pub struct AnswerCache {
    recent: RefCell<LruCache<String, Rc<AnswerRecord>>>,
}

impl Default for AnswerCache {
    fn default() -> Self {
        Self { recent: RefCell::new(LruCache::new(FIRST_LEVEL)) }
    }
}

impl AnswerCache {
    /// Looks for the answer under `name` that is still good at `now`: one read of the store at most.
    ///
    /// # Errors
    /// The store cannot be reached; to the question it is a miss.
    pub async fn find(
        &self,
        kv: &impl Kv,
        name: &str,
        now: Duration,
    ) -> Result<Option<(Rc<AnswerRecord>, Level)>, KvError> {
        if let Some(record) = self.recent(name, now) {
            return Ok(Some((record, Level::Instance)));
        }
        let Some(bytes) = kv.get(name).await? else { return Ok(None) };
        let record = serde_json::from_slice::<AnswerRecord>(&bytes).ok();
        let Some(record) = record.filter(|it| live(it, now)) else { return Ok(None) };
        let record = Rc::new(record);
        self.recent.borrow_mut().put(name.to_owned(), Rc::clone(&record));
        Ok(Some((record, Level::Store)))
    }

    /// Looks in this instance alone.
    pub fn recent(&self, name: &str, now: Duration) -> Option<Rc<AnswerRecord>> {
        let mut recent = self.recent.borrow_mut();
        let record = recent.get(name).filter(|record| live(record, now)).cloned();
        if record.is_none() {
            recent.pop(name);
        }
        record
    }

    /// Keeps an answer in this instance for `life` from `now`; [`store`](Self::store) shares it.
    pub fn keep(
        &self,
        name: &str,
        record: AnswerRecord,
        now: Duration,
        life: Duration,
    ) -> Rc<AnswerRecord> {
        let expires_at = now.saturating_add(life).as_secs();
        let record = Rc::new(AnswerRecord { version: VERSION, expires_at, ..record });
        self.recent.borrow_mut().put(name.to_owned(), Rc::clone(&record));
        record
    }

    /// Shares a kept answer with the other instances: one write.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn store(
        &self,
        kv: &impl Kv,
        name: &str,
        record: &AnswerRecord,
    ) -> Result<(), KvError> {
        let bytes = serde_json::to_vec(record)
            .map_err(|error| KvError::Unavailable { reason: error.to_string() })?;
        kv.set(name, &bytes).await
    }
}

fn live(record: &AnswerRecord, now: Duration) -> bool {
    record.version == VERSION && record.expires_at > now.as_secs()
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MemoryKv;

    const LIFE: Duration = Duration::from_secs(60);
    const NOW: Duration = Duration::from_secs(1_000);

    fn record(answer: &str) -> AnswerRecord {
        AnswerRecord { answer: answer.to_owned(), ..AnswerRecord::default() }
    }

    #[test]
    fn another_instance_finds_it_in_the_store_until_it_expires() {
        let kv = MemoryKv::default();
        let (one, two) = (AnswerCache::default(), AnswerCache::default());
        block_on(async {
            let kept = one.keep("answer:1", record("yes"), NOW, LIFE);
            assert_eq!(two.find(&kv, "answer:1", NOW).await.unwrap(), None);
            one.store(&kv, "answer:1", &kept).await.unwrap();
            for (cache, level) in
                [(&one, Level::Instance), (&two, Level::Store), (&two, Level::Instance)]
            {
                let (found, at) = cache.find(&kv, "answer:1", NOW).await.unwrap().unwrap();
                assert_eq!((found.answer.as_str(), at), ("yes", level));
            }
            for cache in [&one, &two, &AnswerCache::default()] {
                assert_eq!(cache.find(&kv, "answer:1", NOW + LIFE).await.unwrap(), None);
            }
        });
    }

    #[test]
    fn junk_and_loss_of_the_store_are_misses() {
        let kv = MemoryKv::default();
        let cache = AnswerCache::default();
        block_on(async {
            kv.set("answer:1", b"junk").await.unwrap();
            assert_eq!(cache.find(&kv, "answer:1", NOW).await.unwrap(), None);
            kv.set_down(true);
            assert!(cache.find(&kv, "answer:1", NOW).await.is_err());
            cache.keep("answer:1", record("yes"), NOW, LIFE);
            assert!(cache.find(&kv, "answer:1", NOW).await.unwrap().is_some());
        });
    }
}
