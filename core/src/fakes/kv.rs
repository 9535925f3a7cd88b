//! A key-value store in memory.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::ports::{Kv, KvError, check_key};

/// A store in memory; clones share it, as instances share a real one.
#[derive(Clone, Debug, Default)]
pub struct MemoryKv {
    records: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    down: Rc<RefCell<bool>>,
}

impl MemoryKv {
    /// Makes every call fail (`true`) or work again (`false`).
    pub fn set_down(&self, down: bool) {
        *self.down.borrow_mut() = down;
    }

    fn check(&self, key: &str, value: Option<&[u8]>) -> Result<(), KvError> {
        if *self.down.borrow() {
            return Err(KvError::Unavailable { reason: "set down by a test".to_owned() });
        }
        check_key(key, value)
    }
}

impl Kv for MemoryKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.check(key, None)?;
        Ok(self.records.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        self.check(key, Some(value))?;
        self.records.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.check(key, None)?;
        self.records.borrow_mut().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, KvError> {
        self.check("any", None)?;
        let records = self.records.borrow();
        Ok(records.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    async fn swap(&self, key: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool, KvError> {
        self.check(key, Some(new))?;
        let mut records = self.records.borrow_mut();
        if records.get(key).map(Vec::as_slice) != expected {
            return Ok(false);
        }
        records.insert(key.to_owned(), new.to_vec());
        Ok(true)
    }
}
