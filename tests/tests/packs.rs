//! Published packs: a good one is swapped in between requests, a bad one changes nothing.

use dossier_core::{
    fakes::MemoryKv,
    index::{Embedding, Index, build},
    pack::published,
    ports::Kv as _,
    text::{Document, chunks},
};
use dossier_host::KvStore;
use dossier_tests::{Server, pack, root};
use futures::executor::block_on;
use serde_json::json;

pub(crate) const STORE: &str = "default";

pub(crate) fn small_pack(model: Option<&str>) -> Vec<u8> {
    let text =
        "# Ada\n\nAda Lovelace wrote the first published program, for the Analytical Engine.";
    let chunks = chunks(&Document::read("ada.md", text.as_bytes().to_vec()).unwrap());
    let vectors = vec![Embedding::from(vec![1.0; 3]); chunks.len()];
    build(&chunks, model.map(|model| (model, vectors.as_slice()))).unwrap()
}

/// Publishes into memory and copies the records: what the pointer says may then be tampered with.
pub(crate) fn publish(store: &KvStore, pack: &[u8], tamper: impl Fn(&str, Vec<u8>) -> Vec<u8>) {
    let memory = MemoryKv::default();
    block_on(async {
        published::publish(&memory, pack).await.unwrap();
        let mut keys = memory.list("").await.unwrap();
        // The pointer last, as a publisher would.
        keys.sort_by_key(|key| key == "pack:current");
        for key in keys {
            let value = memory.get(&key).await.unwrap().unwrap();
            store.set(STORE, &key, &tamper(&key, value)).unwrap();
        }
    });
}

fn top_hit(server: &Server, query: &str) -> String {
    let reply = server.post("/search", &json!({"query": query})).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["hits"][0]["source"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_published_pack_is_swapped_in_and_withdrawn() {
    let server = Server::start().unwrap();
    assert_ne!(top_hit(&server, "first published program"), "ada.md");
    publish(server.store(), &small_pack(None), |_, value| value);
    assert_eq!(top_hit(&server, "first published program"), "ada.md");
    let health = server.get("/health/detailed").unwrap().json();
    assert_eq!((health["chunks"].as_u64(), health["status"].as_str()), (Some(1), Some("degraded")));
    publish(server.store(), &pack().unwrap(), |_, value| value);
    assert_ne!(top_hit(&server, "radium"), "ada.md");
    server.store().delete(STORE, "pack:current").unwrap();
    assert_ne!(top_hit(&server, "radium"), "ada.md");
}

#[test]
fn bad_packs_leave_the_old_one_serving() {
    let server = Server::start().unwrap();
    let before = top_hit(&server, "radium");
    let is_part = |key: &str| key.starts_with("pack:part:");
    let cut = |key: &str, mut value: Vec<u8>| {
        if is_part(key) {
            value.truncate(value.len() / 2);
        }
        value
    };
    let other_version = |key: &str, mut value: Vec<u8>| {
        if is_part(key) {
            value[8] = 99;
        }
        value
    };
    let flipped = |key: &str, mut value: Vec<u8>| {
        if is_part(key) {
            let middle = value.len() / 2;
            value[middle] ^= 1;
        }
        value
    };
    let no_pointer = |key: &str, value: Vec<u8>| if is_part(key) { value } else { b"{".to_vec() };
    publish(server.store(), &small_pack(None), cut);
    assert_eq!(top_hit(&server, "radium"), before);
    publish(server.store(), &small_pack(None), other_version);
    assert_eq!(top_hit(&server, "radium"), before);
    publish(server.store(), &small_pack(None), flipped);
    assert_eq!(top_hit(&server, "radium"), before);
    publish(server.store(), &small_pack(None), no_pointer);
    assert_eq!(top_hit(&server, "radium"), before);
}

#[test]
fn a_pack_of_another_model_is_searched_on_its_lexical_leg() {
    let server = Server::start().unwrap();
    publish(server.store(), &small_pack(Some("another-model")), |_, value| value);
    let reply =
        server.post("/search", &json!({"query": "first published program"})).unwrap().json();
    assert_eq!(reply["hits"][0]["source"], "ada.md");
    assert_eq!(reply["degraded"], json!(["dense"]));
}

/// As `tests/compat/README.md` says they were written.
#[test]
fn frozen_packs_are_opened_or_refused_in_words_that_name_both_versions() {
    let frozen = |version: u32| {
        let file = root().join(format!("tests/compat/index-v{version}.pack"));
        Index::open(std::fs::read(file).unwrap())
    };
    let refused = frozen(1).unwrap_err().to_string();
    for words in ["format version 1", "reads 2", "dossier ingest"] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    let index = frozen(2).unwrap();
    assert_eq!((index.header().chunks, index.header().documents), (2, 1));
    assert_eq!(index.chunks()[0].heading, ["Ada Lovelace", "Engine"]);
    let found = index.lexical().search(&["program".to_owned()], 1, None).unwrap();
    assert_eq!(found[0].ordinal, 0);
    let query = vec![1.0; index.header().model.as_ref().unwrap().width];
    assert_eq!(index.dense().unwrap().search(&query, 2, None).len(), 2);
}
