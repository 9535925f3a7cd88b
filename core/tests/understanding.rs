//! Understanding over whole collections of documents: conversations, questions about what is not
//! there, and that nothing which can be answered is turned away.
#![expect(clippy::disallowed_methods, reason = "the tests read documents and cases from files")]
#![expect(clippy::unwrap_used, reason = "a file that is missing or wrong ends the test")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use dossier_core::{
    fakes::SeededEntropy,
    index::{Index, MAX_TOPICS, build},
    retrieval::{Mode, Query, Retrieval, Retriever},
    text::{Document, chunks, terms::terms},
    understanding::{
        Rewriter, ambiguity, chit_chat, condensation, condense, deny, existence, premise,
    },
    wire::TurnRecord,
};
use serde::Deserialize;

/// Passages among which an expected one must be.
const PASSAGES: usize = 5;
/// The sample and the collections of `data/eval` that are Markdown.
const COLLECTIONS: [&str; 5] = ["sample", "engineer", "nurse", "baker", "graduate"];

fn root() -> PathBuf {
    // Asked for when running: checkouts may share a target folder, and with it this program.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("..")
}

fn index(collection: &str) -> Index {
    let folder = match collection {
        "sample" => root().join("data/docs"),
        other => root().join("data/eval/collections").join(other).join("docs"),
    };
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let documents = files.iter().map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        Document::read(name, fs::read(file).unwrap()).unwrap()
    });
    let chunks: Vec<_> = documents.flat_map(|document| chunks(&document)).collect();
    Index::open(build(&chunks, None).unwrap()).unwrap()
}

fn search(index: &Index, text: &str) -> Retrieval {
    let query = Query { text, top_k: PASSAGES, mode: Mode::Bm25, ..Query::default() };
    Retriever::new(index, None).search(&query)
}

/// Whether a passage of `section`, `<doc_id>#<slug>` or a whole document, is among those found.
fn finds(index: &Index, retrieval: &Retrieval, section: &str) -> bool {
    retrieval.hits.iter().any(|hit| {
        let id = &index.chunks()[hit.ordinal].id;
        let path = id.rsplit_once(':').map_or(id.as_str(), |(path, _)| path);
        path.strip_prefix(section)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '#']))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    name: String,
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    ask: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    has: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
    finds: Option<String>,
}

#[test]
fn conversations_are_searched_for_what_they_are_about() {
    let index = index("sample");
    let mut conversations: Vec<Conversation> = Vec::new();
    for file in fs::read_dir(root().join("tests/conversations")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|it| it == "json") {
            conversations.extend(
                serde_json::from_slice::<Vec<Conversation>>(&fs::read(file).unwrap()).unwrap(),
            );
        }
    }
    assert!(conversations.len() >= 30, "{}", conversations.len());
    let mut wrong = Vec::new();
    for Conversation { name, turns } in conversations {
        assert!(turns.len() >= 3, "{name}");
        let mut before: Vec<TurnRecord> = Vec::new();
        for Turn { ask, answer, has, lacks, finds: section } in turns {
            let condensed = condense(&ask, &before, &index);
            let about = condensed.about(&before);
            let search_text = condensed.search;
            let held: BTreeSet<String> = terms(&search_text).into_iter().collect();
            let holds = |word: &String| terms(word).iter().all(|term| held.contains(term));
            let found =
                section.as_ref().is_none_or(|it| finds(&index, &search(&index, &search_text), it));
            if !has.iter().all(holds) || lacks.iter().any(holds) || !found {
                wrong.push(format!(
                    "{name}: {ask:?} is searched for as {search_text:?}, found: {found}"
                ));
            }
            before.push(TurnRecord { question: ask, answer, about });
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Silence {
    collection: String,
    query: String,
    /// What the answer must hold; absent where the documents must not be said to be silent.
    says: Option<Vec<String>>,
}

#[test]
fn silence_is_told_from_other_words() {
    let cases: Vec<Silence> =
        serde_json::from_slice(&fs::read(root().join("tests/silence/cases.json")).unwrap())
            .unwrap();
    let quiet = cases.iter().filter(|it| it.says.is_none()).count();
    assert!(cases.len() >= 40 && quiet >= 20, "{quiet} of {}", cases.len());
    let mut wrong = Vec::new();
    for collection in COLLECTIONS {
        let index = index(collection);
        for case in cases.iter().filter(|it| it.collection == collection) {
            let said = silence(&index, &case.query);
            let right = match (&case.says, &said) {
                (None, said) => said.is_none(),
                (Some(parts), Some((text, cited))) => {
                    parts.iter().all(|it| text.contains(it.as_str()))
                        && !cited.is_empty()
                        && cites(text, cited.len())
                }
                (Some(_), None) => false,
            };
            if !right {
                wrong.push(format!("{collection}: {:?}: {said:?}", case.query));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the documents are said to be silent about, and the chunks cited.
fn silence(index: &Index, query: &str) -> Option<(String, Vec<usize>)> {
    let retrieval = search(index, query);
    let denial = existence(query).and_then(|it| deny(&it, index, &retrieval));
    let denial = denial.map(|it| (it.text, it.cited));
    denial.or_else(|| premise(query, index, &retrieval).map(|it| (it.text, it.cited)))
}

/// Whether `text` cites each of `[1]` to `[count]` and nothing more.
fn cites(text: &str, count: usize) -> bool {
    (1..=count).all(|number| text.contains(&format!("[{number}]")))
        && !text.contains(&format!("[{}]", count + 1))
}

#[derive(Deserialize)]
struct Case {
    id: String,
    query: String,
    #[serde(default)]
    history: Vec<String>,
    split: String,
    expected_chunks: Vec<String>,
}

/// Cases of the development split; nothing is ever chosen on the other.
fn cases(collection: &str) -> Vec<Case> {
    let file = match collection {
        "sample" => root().join("data/eval/cases.json"),
        other => root().join("data/eval/collections").join(other).join("cases.json"),
    };
    let mut cases: Vec<Case> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    cases.retain(|case| case.split == "dev");
    cases
}

#[test]
fn no_case_is_turned_away() {
    let mut wrong = Vec::new();
    for collection in COLLECTIONS {
        let index = index(collection);
        let subject = &index.header().subject;
        for Case { id, query, history, .. } in cases(collection) {
            // What cannot be answered is declined, which is not the same as denied.
            if let Some((text, _)) = silence(&index, &query) {
                wrong.push(format!("{collection} {id}: {query:?}: {text}"));
            }
            if let Some(reply) = chit_chat(&query, subject) {
                wrong.push(format!("{collection} {id}: {query:?}: {:?}", reply.kind));
            }
            if let Some(clarification) = ambiguity(&query, !history.is_empty(), &index) {
                wrong.push(format!("{collection} {id}: {query:?}: {}", clarification.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn follow_ups_find_what_they_ask_for() {
    for collection in COLLECTIONS {
        let index = index(collection);
        for case in cases(collection).into_iter().filter(|it| !it.history.is_empty()) {
            let turn = |question: &String| TurnRecord {
                question: question.clone(),
                ..TurnRecord::default()
            };
            let before: Vec<TurnRecord> = case.history.iter().map(turn).collect();
            let condensed = condense(&case.query, &before, &index);
            let retrieval = search(&index, &condensed.search);
            let found = case.expected_chunks.iter().any(|it| finds(&index, &retrieval, it));
            assert!(found, "{collection} {}: {:?}", case.id, condensed.search);
        }
    }
}

#[test]
fn rewriting_finds_no_less() {
    let (mut before, mut after) = (0, 0);
    let mut rewritten = 0;
    for collection in COLLECTIONS {
        let index = index(collection);
        for case in cases(collection).iter().filter(|it| it.history.is_empty()) {
            let Some(rewrite) = Rewriter::shipped().rewrite(&case.query, &index) else { continue };
            assert!(
                rewrite.text.contains(&case.query),
                "{collection} {}: {}",
                case.id,
                rewrite.text
            );
            let found = |text: &str| {
                let retrieval = search(&index, text);
                case.expected_chunks.iter().filter(|it| finds(&index, &retrieval, it)).count()
            };
            rewritten += 1;
            before += found(&case.query);
            after += found(&rewrite.text);
        }
    }
    assert!(
        rewritten > 0 && after >= before,
        "{rewritten} rewritten: {before} sections before, {after} after"
    );
}

#[test]
fn no_text_ends_in_a_panic() {
    const SEED: u64 = 20_261_121;
    const PIECES: [&str; 32] = [
        "?",
        "’s",
        "'s",
        "Ünï",
        "[1",
        "[2].",
        "\u{1f600}",
        "Does",
        "she",
        "have",
        "a",
        "an",
        "PhD",
        "in",
        "1911",
        "what about",
        "the second one",
        "there",
        "Google",
        "of",
        "and",
        "…",
        "ﬁ",
        "x.",
        ".net",
        "C++",
        "(",
        "win",
        "When did",
        "leave",
        "łęk",
        "- a\n- b",
    ];
    let entropy = SeededEntropy::new(SEED);
    let index = index("baker");
    let subject = &index.header().subject;
    let text = || {
        let count = entropy.next() as usize % 9;
        let piece = |_| PIECES[entropy.next() as usize % PIECES.len()];
        let by = if entropy.next().is_multiple_of(4) { "" } else { " " };
        (0..count).map(piece).collect::<Vec<_>>().join(by)
    };
    for _ in 0..1_000 {
        let (question, before) =
            (text(), TurnRecord { question: text(), answer: text(), about: None });
        let condensed = condense(&question, std::slice::from_ref(&before), &index);
        assert!(condensed.leaned_on <= 1, "seed {SEED}: {question:?}");
        if let Some(rewrite) = Rewriter::shipped().rewrite(&question, &index) {
            assert!(rewrite.text.contains(&question), "seed {SEED}: {question:?}");
        }
        if let Some((text, cited)) = silence(&index, &question) {
            assert!(cites(&text, cited.len()), "seed {SEED}: {question:?}: {text}");
        }
        let _ = chit_chat(&question, subject);
        let asked = ambiguity(&question, false, &index);
        assert!(asked.is_none_or(|it| it.options.len() <= MAX_TOPICS), "seed {SEED}: {question:?}");
        let prompt = condensation::prompt(&question, &[before]);
        assert_eq!(prompt.user.matches("</conversation>").count(), 1, "seed {SEED}: {question:?}");
    }
}
