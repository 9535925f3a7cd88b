//! An answer is worked out once for equal questions, and for nobody else's.

use std::{collections::BTreeSet, thread, time::Duration};

use dossier_tests::{
    Server,
    groq::{Groq, Options, Pace, Scenario},
};
use serde_json::{Value, json};

use crate::{
    packs::{STORE, publish, small_pack},
    visitor::{QUESTION, ROUTES, Seen, ask, send, serve},
};

const CACHED: (&str, &str) = ("answer_cache_seconds", "3600");

fn is_cached(seen: &Seen) -> bool {
    seen.told["cached"].as_bool().unwrap()
}

#[test]
fn equal_questions_are_put_to_the_model_once() {
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[CACHED]);
    let first = ask(&server, "/chat", QUESTION);
    assert!(!is_cached(&first), "{first:?}");
    for spelling in
        [QUESTION, "who awarded her the davy medal", "  Who awarded  her the Davy Medal ?? "]
    {
        for route in ROUTES {
            let seen = ask(&server, route, spelling);
            assert!(is_cached(&seen), "{route} {spelling:?}: {seen:?}");
            assert_eq!((&seen.answer, &seen.sources), (&first.answer, &first.sources));
            assert_eq!(seen.told["model"], first.told["model"]);
            seen.check_quotations();
        }
    }
    assert_eq!(groq.received().len(), 1);
}

#[test]
fn whatever_changes_the_answer_is_another_question() {
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[CACHED]);
    let options = [
        json!({}),
        json!({ "top_k": 2 }),
        json!({ "filter": { "doc_type": "certificate" } }),
        json!({ "model": "openai/gpt-oss-120b" }),
        json!({ "temperature": 0.7 }),
        json!({ "max_tokens": 200 }),
        json!({ "reasoning_effort": "low" }),
    ];
    for turn in ["new", "known"] {
        for (own, calls) in options.iter().zip(1..) {
            let mut request = own.clone();
            request["question"] = json!(QUESTION);
            let seen = send(&server, "/chat", &request);
            assert_eq!(is_cached(&seen), turn == "known", "{request}: {seen:?}");
            let expected = if turn == "new" { calls } else { options.len() };
            assert_eq!(groq.received().len(), expected, "{request}");
        }
    }
    // Without a model it is the documents' own words.
    let quoted = send(&server, "/chat", &json!({ "question": QUESTION, "model": "extractive" }));
    assert_eq!((is_cached(&quoted), &quoted.told["provider"]), (false, &json!("extractive")));
}

#[test]
fn a_question_that_leans_on_a_conversation_is_answered_in_it() {
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[CACHED]);
    let turn = |session: &str, question: &str| {
        send(&server, "/chat", &json!({ "question": question, "session_id": session }))
    };
    let conversations = [
        ("one", "Who presented the gram of radium to her in 1921?"),
        ("two", "Where was Marie Curie born?"),
        ("three", "Who presented the gram of radium to her in 1921?"),
    ];
    for (session, question) in conversations {
        let seen = turn(session, question);
        assert_eq!(is_cached(&seen), session == "three", "{session}: {seen:?}");
        let calls = groq.received().len();
        let seen = turn(session, "And where was that?");
        assert!(!is_cached(&seen), "{session}: {seen:?}");
        let received = groq.received();
        assert!(received.len() > calls, "{session}: {seen:?}");
        let asked = received.last().unwrap().body.to_string();
        for (_, words) in conversations {
            assert_eq!(asked.contains(words), words == question, "{session}: {asked}");
        }
    }
}

#[test]
fn nothing_of_a_visitor_is_kept_with_an_answer() {
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[CACHED]);
    let sessions = ["first-visitor-0001", "other-visitor-0002"];
    for (session, known) in sessions.into_iter().zip([false, true]) {
        for route in ROUTES {
            let seen =
                send(&server, route, &json!({ "question": QUESTION, "session_id": session }));
            assert_eq!(is_cached(&seen), known || route == "/chat/stream", "{seen:?}");
            assert_eq!(seen.told["session_id"], session);
        }
    }
    // Who has none gets one of his own each time.
    let ids: Vec<Value> =
        (0..2).map(|_| ask(&server, "/chat", QUESTION).told["session_id"].clone()).collect();
    assert!(ids[0] != ids[1] && !sessions.iter().any(|it| ids.contains(&json!(it))), "{ids:?}");

    let keys = server.store().list(STORE, "answer:").unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let record = server.store().get(STORE, &keys[0]).unwrap().unwrap();
    let record = String::from_utf8_lossy(&record);
    assert!(record.contains("Royal Society"), "{record}");
    for secret in ["visitor", "session", ids[0].as_str().unwrap(), ids[1].as_str().unwrap()] {
        assert!(!record.contains(secret), "{secret}: {record}");
    }
}

#[test]
fn an_answer_that_had_to_do_without_a_model_is_not_kept() {
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[CACHED]);
    groq.always(Scenario::Status(503));
    for route in ROUTES {
        let seen = ask(&server, route, QUESTION);
        assert_eq!((is_cached(&seen), &seen.told["degraded"]), (false, &json!(["llm"])));
    }
    groq.always(Scenario::Ok);
    let seen = ask(&server, "/chat", QUESTION);
    assert_eq!((is_cached(&seen), &seen.told["provider"]), (false, &json!("groq")));
    assert!(is_cached(&ask(&server, "/chat", QUESTION)));
}

#[test]
fn equal_questions_at_once_are_put_to_the_model_once() {
    const VISITORS: usize = 8;
    // Slow enough that all others come while the first one waits.
    let pace = Pace { first_token: Duration::from_millis(1_500), tokens_per_second: 0.0 };
    let groq = Groq::start_with(Options { pace, ..Options::default() }).unwrap();
    let server = serve(&groq, &[CACHED]);
    let warm = json!({ "question": QUESTION, "model": "extractive" });
    send(&server, "/chat", &warm);
    // Who comes while the instance computes may get another one, which asks for itself: on a busy
    // machine that happens, but not always.
    let questions = [
        "Who awarded her the Davy Medal?",
        "Where was Marie Curie born?",
        "When did she defend her doctoral thesis?",
    ];
    let calls = questions.map(|question| {
        let before = groq.received().len();
        let seen: Vec<Seen> = thread::scope(|scope| {
            let visitor = |number: usize| {
                let server = &server;
                scope.spawn(move || ask(server, ROUTES[number % 2], question))
            };
            let first = visitor(0);
            while groq.received().len() == before && !first.is_finished() {
                thread::yield_now();
            }
            let others: Vec<_> = (1..VISITORS).map(visitor).collect();
            [first].into_iter().chain(others).map(|it| it.join().unwrap()).collect()
        });
        let calls = groq.received().len() - before;
        let own = seen.iter().filter(|it| !is_cached(it)).count();
        assert_eq!(own, calls, "who was not asked for had it from somebody who was");
        assert!(seen.iter().all(|it| it.answer == seen[0].answer), "{seen:?}");
        let sessions: BTreeSet<&str> =
            seen.iter().map(|it| it.told["session_id"].as_str().unwrap()).collect();
        assert_eq!(sessions.len(), VISITORS);
        calls
    });
    println!("{VISITORS} equal questions at once, thrice: {calls:?} calls");
    // Each instance asks once, and a busy machine has several; how many is no promise.
    assert!(calls.iter().sum::<usize>() < calls.len() * VISITORS, "{calls:?}");
}

#[test]
fn another_index_makes_old_answers_useless() {
    let groq = Groq::start().unwrap();
    let server: Server = serve(&groq, &[CACHED]);
    let first = ask(&server, "/chat", QUESTION);
    assert!(is_cached(&ask(&server, "/chat", QUESTION)));
    publish(server.store(), &small_pack(None), |_, value| value);
    for route in ROUTES {
        let other = ask(&server, route, QUESTION);
        assert!(!is_cached(&other) && !other.answer.contains("Royal Society"), "{other:?}");
    }
    // With the old index its answers are good again.
    server.store().delete(STORE, "pack:current").unwrap();
    let again = ask(&server, "/chat", QUESTION);
    assert!(is_cached(&again) && again.answer == first.answer, "{again:?}");
    assert_eq!(groq.received().len(), 1);
}
