//! Providers that answer well, badly, late or not at all: what visitors get of it, on both routes,
//! from the built components on the real host.

use std::{io::Read as _, net::TcpListener, path::Path, time::Duration};

use dossier_core::guard::REDIRECT;
use dossier_host::{ReuseLimits, store};
use dossier_tests::{
    Server, ServerOptions, client,
    groq::{Groq, Options, Scenario},
};
use serde_json::{Value, json};

use crate::visitor::{FACT, QUESTION, ROUTES, Seen, ask, options, send, serve};

/// How long a provider is waited for in all, by default: nobody waits as long where one phase of it
/// takes too long, or a provider fails.
const TOTAL: Duration = Duration::from_secs(25);
/// Waits for tests in which they run out.
const IMPATIENT: [(&str, &str); 2] =
    [("llm_head_timeout_ms", "700"), ("llm_idle_timeout_ms", "700")];

fn scenario(name: &str) -> Scenario {
    name.parse().unwrap()
}

/// Starts a double that does the same every time.
fn always(name: &str) -> Groq {
    Groq::start_with(Options { always: scenario(name), ..Options::default() }).unwrap()
}

/// What is said without a model: words of the documents, and that the model is missing.
fn check_quoted(seen: &Seen, case: &str) {
    assert_eq!(seen.told["provider"], "extractive", "{case}: {seen:?}");
    assert_eq!(seen.told["degraded"], json!(["llm"]), "{case}: {seen:?}");
    assert_eq!(seen.told["grounded"], true, "{case}: {seen:?}");
    assert!(seen.answer.contains(FACT), "{case}: {seen:?}");
    assert!(seen.took < TOTAL, "{case}: {:?}", seen.took);
    seen.check_citations();
    if !seen.events.is_empty() {
        assert_eq!(seen.events, "metadata fallback token sources_reorder result done", "{case}");
        let fallback = json!({
            "provider": "extractive", "model": "extractive", "reason": "primary_unavailable",
        });
        assert_eq!(seen.told["fallback"], fallback, "{case}");
    }
}

/// A stream that ends where the model broke off: what was heard is the beginning of `whole`, and
/// the visitor is told, in words that name nobody.
fn check_broken(seen: &Seen, whole: &str, case: &str) {
    match seen.answer.contains('[') {
        true => {
            assert_eq!(seen.events, "metadata token sources_reorder error", "{case}");
            seen.check_quotations();
        }
        false => assert_eq!(seen.events, "metadata token error", "{case}"),
    }
    assert!(
        !seen.answer.is_empty() && whole.starts_with(seen.answer.trim_end()),
        "{case}: {seen:?}"
    );
    let error = json!({ "detail": "Generation failed", "error_code": "generation_failed" });
    assert_eq!(seen.told["error"], error, "{case}");
    assert!(seen.took < TOTAL, "{case}: {:?}", seen.took);
}

fn check_model(seen: &Seen, provider: &str, model: &str) {
    assert_eq!(
        (&seen.told["provider"], &seen.told["model"]),
        (&json!(provider), &json!(model)),
        "{seen:?}"
    );
    assert_eq!(seen.told["degraded"], json!([]), "{seen:?}");
    assert_eq!(seen.told["grounded"], true, "{seen:?}");
    assert!(seen.answer.contains(FACT), "{seen:?}");
}

#[test]
fn a_model_s_answer_is_the_same_on_both_routes_and_its_citations_hold() {
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[]);
    let [whole, live] = ROUTES.map(|route| ask(&server, route, QUESTION));
    for seen in [&whole, &live] {
        check_model(seen, "groq", "openai/gpt-oss-20b");
        seen.check_quotations();
        assert_eq!(seen.told["unsupported"], json!([]));
    }
    assert_eq!(live.events, "metadata token sources_reorder result done");
    assert!(live.pieces > live.answer.split(' ').count() / 2, "word by word: {live:?}");
    assert_eq!((&live.answer, &live.sources), (&whole.answer, &whole.sources));
    let received = groq.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].authorization, "Bearer gsk_of_a_test");
    assert_eq!(received[0].body, received[1].body);
}

#[test]
fn words_are_heard_while_the_model_still_speaks() {
    let groq = always("stalled");
    // Longer than the client waits: what it hears it hears before the model ends.
    let server =
        serve(&groq, &[("llm_idle_timeout_ms", "120000"), ("llm_total_timeout_ms", "120000")]);
    let request = client().unwrap().post(format!("{}/chat/stream", server.base()));
    let mut reply = request.body(json!({ "question": QUESTION }).to_string()).send().unwrap();
    let (mut heard, mut buffer) = (String::new(), [0; 1024]);
    while !heard.contains("event: token") {
        let read = reply.read(&mut buffer).unwrap();
        assert!(read > 0, "the stream ended: {heard}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    // The server would wait for the model otherwise.
    drop(groq);
}

#[test]
fn whatever_goes_wrong_visitors_get_quotes_or_are_told() {
    let whole = whole();
    // The scenario, how often the provider is asked for a question, and whether a stream has begun
    // by then.
    for (name, calls, begun) in [
        ("status:503", 2, false),
        ("status:401", 1, false),
        ("status:422", 1, false),
        ("withdrawn", 3, false),
        ("text:", 1, false),
        ("malformed", 1, true),
        ("cut", 1, true),
        ("unfinished", 1, true),
        ("error_event", 1, true),
    ] {
        check_fault(name, &[], calls, begun.then_some(&whole));
    }
    // An answer of which nothing is left is none.
    let dropped = "text:She received the Fields Medal in Oslo in 1950 [1].";
    check_fault(dropped, &[("citation_policy", "drop")], 1, None);
}

#[test]
fn nobody_waits_longer_than_the_waits() {
    let whole = whole();
    for (name, begun) in [
        ("silent", false),
        ("slow_start:60000", false),
        ("slow_bytes:60000", false),
        ("stalled", true),
    ] {
        check_fault(name, &IMPATIENT, 1, begun.then_some(&whole));
    }
}

/// The answer of a model with which nothing goes wrong.
fn whole() -> String {
    let groq = Groq::start().unwrap();
    ask(&serve(&groq, &[]), "/chat", QUESTION).answer
}

/// Asks on both routes, on a server of its own: a breaker would open. `begun`: the answer whose
/// beginning a stream has heard by then.
fn check_fault(name: &str, variables: &[(&str, &str)], calls: usize, begun: Option<&String>) {
    let groq = always(name);
    let server = serve(&groq, variables);
    check_quoted(&ask(&server, "/chat", QUESTION), name);
    assert_eq!(groq.received().len(), calls, "{name}");
    let live = ask(&server, "/chat/stream", QUESTION);
    match begun {
        Some(whole) => check_broken(&live, whole, name),
        None => check_quoted(&live, name),
    }
    assert_eq!(groq.received().len(), 2 * calls, "{name}");
}

#[test]
fn a_provider_that_is_not_there_is_done_without() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/openai/v1", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::start_with(options(&base, &[])).unwrap();
    for route in ROUTES {
        check_quoted(&ask(&server, route, QUESTION), route);
    }
}

#[test]
fn a_provider_that_asks_to_be_left_alone_is() {
    let groq = always("rate_limited:3600");
    let server = serve(&groq, &[]);
    check_quoted(&ask(&server, "/chat", QUESTION), "limited");
    assert_eq!(groq.received().len(), 1, "an hour is too long to wait for a second try");
    groq.always(Scenario::Ok);
    for route in ROUTES {
        check_quoted(&ask(&server, route, QUESTION), "left alone");
    }
    assert_eq!(groq.received().len(), 1);

    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[]);
    for (route, calls) in ROUTES.into_iter().zip([2, 4]) {
        groq.queue([scenario("rate_limited:0")]);
        check_model(&ask(&server, route, QUESTION), "groq", "openai/gpt-oss-20b");
        assert_eq!(groq.received().len(), calls, "tried again at once");
    }
}

#[test]
fn another_model_answers_for_one_that_was_withdrawn() {
    let withdrawn = vec!["openai/gpt-oss-20b".to_owned()];
    let groq = Groq::start_with(Options { withdrawn, ..Options::default() }).unwrap();
    let server = serve(&groq, &[]);
    for (route, calls) in ROUTES.into_iter().zip([2, 3]) {
        check_model(&ask(&server, route, QUESTION), "groq", "openai/gpt-oss-120b");
        assert_eq!(groq.received().len(), calls, "{route}: asked for in vain once");
    }
}

#[test]
fn thinking_is_heard_by_whoever_asks_for_it() {
    for name in ["reasoning", "think_tags"] {
        let groq = always(name);
        let server = serve(&groq, &[]);
        for effort in [json!("low"), Value::Null] {
            let request = json!({ "question": QUESTION, "reasoning_effort": effort });
            let [whole, live] = ROUTES.map(|route| send(&server, route, &request));
            for seen in [&whole, &live] {
                check_model(seen, "groq", "openai/gpt-oss-20b");
                seen.check_quotations();
            }
            assert_eq!(whole.answer, live.answer, "{name}");
            let expected = match effort {
                Value::Null => "metadata token sources_reorder result done",
                _ => "metadata thinking thinking_done token sources_reorder result done",
            };
            assert_eq!(live.events, expected, "{name}");
        }
    }
}

#[test]
fn wrong_citations_are_mended_and_what_nothing_supports_is_marked() {
    let groq = always("wrong_citations");
    let server = serve(&groq, &[]);
    for route in ROUTES {
        let seen = ask(&server, route, QUESTION);
        check_model(&seen, "groq", "openai/gpt-oss-20b");
        // Numbers of no passage and of another one: each sentence names the one that it quotes.
        seen.check_quotations();
    }
    let invented = "She received the Fields Medal in Oslo in 1950";
    groq.always(Scenario::Text(format!("{invented} [1].")));
    for route in ROUTES {
        let seen = ask(&server, route, QUESTION);
        assert_eq!(seen.answer, format!("{invented} [1]. [unconfirmed]"));
        assert_eq!(seen.told["unsupported"], json!([format!("{invented}.")]), "{seen:?}");
        assert_eq!(
            (&seen.told["grounded"], &seen.told["confidence"]),
            (&json!(false), &json!(0.0))
        );
    }
}

#[test]
fn the_next_provider_takes_over_before_the_first_word() {
    for name in ["status:503", "silent"] {
        let (groq, own) = (always(name), Groq::start().unwrap());
        let server = two(&groq, &own);
        let [whole, live] = ROUTES.map(|route| ask(&server, route, QUESTION));
        for seen in [&whole, &live] {
            check_model(seen, "custom", "own-model");
            seen.check_quotations();
            assert!(seen.took < TOTAL, "{name}: {:?}", seen.took);
        }
        assert_eq!(live.events, "metadata fallback token sources_reorder result done", "{name}");
        let fallback = json!({
            "provider": "custom", "model": "own-model", "reason": "primary_unavailable",
        });
        assert_eq!(live.told["fallback"], fallback, "{name}");
        let received = own.received();
        assert_eq!(received.len(), 2, "{name}");
        assert_eq!(received[0].authorization, "Bearer own-key", "{name}");
    }
    // Who has heard words of one model is not told those of another.
    let (groq, own) = (always("cut"), Groq::start().unwrap());
    let server = two(&groq, &own);
    let whole = ask(&server, "/chat", QUESTION);
    check_model(&whole, "custom", "own-model");
    assert_eq!(own.received().len(), 1);
    check_broken(&ask(&server, "/chat/stream", QUESTION), &whole.answer, "cut");
    assert_eq!(own.received().len(), 1);
    // With both in ruins there are still the documents.
    own.always(scenario("status:500"));
    check_quoted(&ask(&server, "/chat", QUESTION), "both");
}

/// A server with a second provider behind the first.
fn two(groq: &Groq, own: &Groq) -> Server {
    let base = own.base();
    let variables = [
        ("llm_head_timeout_ms", "2000"),
        ("llm_base_url", &*base),
        ("llm_models", "own-model"),
        ("llm_api_key", "own-key"),
    ];
    serve(groq, &variables)
}

#[test]
fn a_provider_that_fails_five_times_is_left_alone_by_every_instance() {
    let groq = always("cut");
    let mut fresh = options(&groq.base(), &[]);
    // Each request gets an instance of its own: what is known of a provider is in the store.
    fresh.limits.reuse = ReuseLimits { requests: 1, ..ReuseLimits::default() };
    let server = Server::start_with(fresh).unwrap();
    for failures in 1..=5 {
        check_quoted(&ask(&server, "/chat", QUESTION), "failing");
        assert_eq!(groq.received().len(), failures);
    }
    groq.always(Scenario::Ok);
    for route in ROUTES {
        check_quoted(&ask(&server, route, QUESTION), "open");
    }
    assert_eq!(groq.received().len(), 5);
}

#[test]
fn what_may_be_spent_in_a_day_is_never_passed() {
    // Some questions' worth: a prompt takes about two thousand tokens, a reply is granted 600.
    const CAP: usize = 9_000;
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[("llm_daily_tokens", &CAP.to_string())]);
    let asked = || groq.received().len();
    let mut routes = ROUTES.iter().cycle();
    while asked() < 20 {
        let before = asked();
        let seen = ask(&server, routes.next().unwrap(), QUESTION);
        if asked() == before {
            check_quoted(&seen, "spent");
            break;
        }
        check_model(&seen, "groq", "openai/gpt-oss-20b");
    }
    let answered = asked();
    assert!((1..20).contains(&answered), "{answered}");
    for route in ROUTES {
        check_quoted(&ask(&server, route, QUESTION), "spent");
    }
    assert_eq!(asked(), answered);
    // By the double's count of a prompt, four letters a token.
    let letters = |body: &Value| -> usize {
        let messages = body["messages"].as_array().unwrap();
        messages.iter().map(|it| it["content"].as_str().unwrap().chars().count()).sum()
    };
    let spent: usize = groq.received().iter().map(|it| letters(&it.body) / 4).sum();
    assert!(spent <= CAP, "{answered} questions: {spent}");
}

#[test]
fn without_the_store_visitors_get_quotes_and_no_model_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    ruin_store(folder.path());
    let groq = Groq::start().unwrap();
    let state = Some(folder.path().to_owned());
    let server = Server::start_with(ServerOptions { state, ..options(&groq.base(), &[]) }).unwrap();
    server.store().get("default", "any").unwrap_err();
    for route in ROUTES {
        let seen = send(&server, route, &json!({ "question": QUESTION, "session_id": "s" }));
        assert_eq!(seen.told["provider"], "extractive", "{seen:?}");
        assert_eq!(seen.told["session_id"], "s");
        let degraded = seen.told["degraded"].as_array().unwrap();
        assert!(["store", "llm"].iter().all(|it| degraded.contains(&json!(it))), "{seen:?}");
        assert!(seen.answer.contains(FACT) && seen.took < TOTAL, "{seen:?}");
        seen.check_citations();
        assert!(seen.events.is_empty() || seen.events.ends_with(" done"), "{seen:?}");
    }
    // Spending cannot be counted, so nothing is spent.
    assert!(groq.received().is_empty());
    let health = server.get("/health/detailed").unwrap().json();
    assert_eq!(health["components"]["store"], "degraded", "{health}");
}

/// Leaves a file that opens well and then fails every read and write of the components' store: its
/// table is there, but of numbers.
fn ruin_store(folder: &Path) {
    let table = redb::TableDefinition::<u64, u64>::new("default");
    let database = redb::Database::create(folder.join(store::FILE)).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(table).unwrap().insert(1_u64, 1_u64).unwrap();
    write.commit().unwrap();
}

#[test]
fn prompt_guard_is_heard_before_the_first_word_and_done_without() {
    let groq = Groq::start().unwrap();
    let server = serve(&groq, &[("guard_remote", "auto"), ("guard_timeout_ms", "2000")]);
    let models = || -> Vec<String> {
        let received = groq.received();
        received.iter().map(|it| it.body["model"].as_str().unwrap().to_owned()).collect()
    };
    check_model(&ask(&server, "/chat", QUESTION), "groq", "openai/gpt-oss-20b");
    assert_eq!(models().iter().filter(|it| it.contains("prompt-guard")).count(), 1);
    // A signal is kept.
    check_model(&ask(&server, "/chat/stream", QUESTION), "groq", "openai/gpt-oss-20b");
    assert_eq!(models().iter().filter(|it| it.contains("prompt-guard")).count(), 1);

    // The double takes this for an attack, the layers of our own do not.
    let sure = "Who awarded her the Davy Medal, and did she disregard it?";
    for route in ROUTES {
        let seen = ask(&server, route, sure);
        assert_eq!((seen.answer.as_str(), seen.sources.len()), (REDIRECT, 0), "{seen:?}");
        assert!(["", "metadata token result done"].contains(&seen.events.as_str()), "{seen:?}");
    }
    for (name, question) in [
        ("status:503", "Which society awarded her the Davy Medal?"),
        ("silent", "Which society gave her the Davy Medal?"),
    ] {
        groq.guard(scenario(name));
        for route in ROUTES {
            let seen = ask(&server, route, question);
            assert_eq!(seen.told["provider"], "groq", "{name}: {seen:?}");
            assert_eq!(seen.told["degraded"], json!(["prompt_guard"]), "{name}: {seen:?}");
            assert!(seen.answer.contains(FACT) && seen.took < TOTAL, "{name}: {seen:?}");
        }
    }
}
