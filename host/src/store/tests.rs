//! The store's contract, from one thread and from a hundred.

use super::*;
use std::thread;

fn open() -> (tempfile::TempDir, KvStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = KvStore::open(folder.path()).unwrap();
    (folder, store)
}

#[test]
fn values_are_set_read_listed_and_deleted() {
    let (_folder, store) = open();
    assert_eq!(store.get("default", "a").unwrap(), None);
    assert!(!store.exists("default", "a").unwrap());
    assert!(store.list("default", "").unwrap().is_empty());

    store.set("default", "a:1", b"one").unwrap();
    store.set("default", "a:2", b"").unwrap();
    store.set("default", "b:1", b"three").unwrap();
    assert_eq!(store.get("default", "a:1").unwrap().as_deref(), Some(&b"one"[..]));
    assert_eq!(store.get("default", "a:2").unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(store.list("default", "a:").unwrap(), ["a:1", "a:2"]);
    assert_eq!(store.list("default", "").unwrap().len(), 3);

    store.delete("default", "a:1").unwrap();
    store.delete("default", "a:1").unwrap();
    assert!(!store.exists("default", "a:1").unwrap());
}

#[test]
fn labels_do_not_share_keys() {
    let (_folder, store) = open();
    store.set("default", "k", b"1").unwrap();
    assert_eq!(store.get("other", "k").unwrap(), None);
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let (_folder, store) = open();
    let pairs: Vec<_> = (0..25).map(|n| (format!("k{n:02}"), b"v")).collect();
    store.set_many("default", &pairs).unwrap();
    let mut seen = Vec::new();
    loop {
        let after = seen.last().cloned();
        let page = store.page("default", after.as_deref(), 10).unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, store.list("default", "").unwrap());
}

#[test]
fn limits_are_enforced_at_the_byte() {
    let (_folder, store) = open();
    let value = vec![7; VALUE_LIMIT];
    store.set("default", &"k".repeat(KEY_LIMIT), &value).unwrap();
    assert!(matches!(
        store.set("default", &"k".repeat(KEY_LIMIT + 1), b""),
        Err(StoreError::KeyLength { length: 256 })
    ));
    assert!(matches!(store.get("default", ""), Err(StoreError::KeyLength { length: 0 })));
    assert!(matches!(
        store.set("default", "k", &vec![7; VALUE_LIMIT + 1]),
        Err(StoreError::ValueLength { .. })
    ));
    assert!(matches!(
        store.swap("default", "k", None, Some(&vec![7; VALUE_LIMIT + 1])),
        Err(StoreError::ValueLength { .. })
    ));
}

#[test]
fn a_swap_needs_the_expected_value() {
    let (_folder, store) = open();
    assert!(!store.swap("default", "k", Some(b"a"), Some(b"b")).unwrap());
    assert!(store.swap("default", "k", None, Some(b"a")).unwrap());
    assert!(!store.swap("default", "k", None, Some(b"b")).unwrap());
    assert!(store.swap("default", "k", Some(b"a"), Some(b"b")).unwrap());
    assert!(store.swap("default", "k", Some(b"b"), None).unwrap());
    assert!(!store.exists("default", "k").unwrap());
}

#[test]
fn numbers_are_incremented_and_other_values_refused() {
    let (_folder, store) = open();
    assert_eq!(store.increment("default", "n", 5).unwrap(), 5);
    assert_eq!(store.increment("default", "n", -7).unwrap(), -2);
    store.set("default", "t", b"text").unwrap();
    assert!(matches!(store.increment("default", "t", 1), Err(StoreError::NotANumber { .. })));
}

/// Takes one of `limit` places with compare-and-swap; the pattern of every rate limit.
fn admit(store: &KvStore, limit: u8) -> bool {
    loop {
        let current = store.get("default", "places").unwrap();
        let taken = current.as_ref().map_or(0, |value| value[0]);
        if taken == limit {
            return false;
        }
        if store.swap("default", "places", current.as_deref(), Some(&[taken + 1])).unwrap() {
            return true;
        }
    }
}

#[test]
fn a_hundred_threads_on_a_limit_of_ten_admit_exactly_ten() {
    let (_folder, store) = open();
    let admitted = thread::scope(|scope| {
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(|| admit(&store, 10))).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>()
    });
    assert_eq!(admitted, 10);
}

#[test]
fn concurrent_increments_are_all_counted() {
    let (_folder, store) = open();
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| store.increment("default", "n", 1).unwrap());
        }
    });
    assert_eq!(store.increment("default", "n", 0).unwrap(), 100);
}

#[test]
fn dropping_the_store_keeps_everything() {
    let (folder, store) = open();
    store.set("default", "k", b"v").unwrap();
    drop(store);
    let store = KvStore::open(folder.path()).unwrap();
    assert_eq!(store.get("default", "k").unwrap().as_deref(), Some(&b"v"[..]));
}

#[test]
fn a_crash_after_a_flush_loses_nothing_and_corrupts_nothing() {
    let (_folder, store) = open();
    store.set("default", "flushed", b"v").unwrap();
    store.flush().unwrap();
    store.set("default", "after", b"v").unwrap();
    // What a crash leaves behind is the file as it is now, without a clean close.
    let crashed = tempfile::tempdir().unwrap();
    std::fs::copy(store.path(), crashed.path().join(FILE)).unwrap();
    let recovered = KvStore::open(crashed.path()).unwrap();
    assert!(recovered.exists("default", "flushed").unwrap());
    recovered.set("default", "new", b"v").unwrap();
}

#[test]
fn a_second_opening_is_refused_with_the_reason() {
    let (folder, _store) = open();
    let error = KvStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
}
