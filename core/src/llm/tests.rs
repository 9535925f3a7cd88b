//! Asking a provider, from the request's bytes to what the listener hears.

use std::{ops::ControlFlow, time::Duration};

use futures::executor::block_on;

use super::*;
use crate::{
    fakes::{MemoryEnv, Reply, ScriptedHttp},
    ports::{Clock as _, HttpError, Phase, Timeouts},
};

const LIMIT: Duration = Duration::from_secs(10);

fn messages() -> Vec<Message> {
    let message = |role, text: &str| Message { role, text: text.to_owned() };
    vec![message(Role::System, "Rules."), message(Role::User, "Which medal came first?")]
}

fn completion(messages: &[Message]) -> Completion<'_> {
    let Settings { temperature, max_tokens, effort, waits } = Settings::default();
    Completion { messages, temperature, max_tokens, effort, waits, deadline: waits.total }
}

fn env(replies: impl IntoIterator<Item = Result<Reply, HttpError>>) -> MemoryEnv {
    MemoryEnv { http: ScriptedHttp::new(replies), ..MemoryEnv::default() }
}

fn ask_with(env: &MemoryEnv, effort: Effort, listener: &mut impl Listener) -> Outcome {
    let messages = messages();
    let completion = Completion { effort, ..completion(&messages) };
    let call = Call { completion: &completion, models: &["first", "second"], tries: 2 };
    let provider = Provider::sample(Limits::default());
    block_on(provider.complete(env, call, listener))
}

fn ask(env: &MemoryEnv) -> (Outcome, Collected) {
    let mut heard = Collected::default();
    let outcome = ask_with(env, Effort::None, &mut heard);
    (outcome, heard)
}

fn reply(
    status: u16,
    headers: &[(&'static str, &str)],
    chunks: &[&str],
) -> Result<Reply, HttpError> {
    let headers = headers
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
    Ok(Reply {
        status: http::StatusCode::from_u16(status).unwrap(),
        headers: headers.collect(),
        chunks: chunks.iter().map(|chunk| Ok(chunk.as_bytes().to_vec())).collect(),
    })
}

fn stream(chunks: &[&str]) -> Result<Reply, HttpError> {
    reply(200, &[("content-type", "text/event-stream")], chunks)
}

/// A stream that breaks with `error` after `chunks`.
fn broken(chunks: &[&str], error: HttpError) -> Result<Reply, HttpError> {
    stream(chunks).map(|mut reply| {
        reply.chunks.push(Err(error));
        reply
    })
}

fn failed() -> HttpError {
    HttpError::Failed { reason: "reset".to_owned() }
}

fn said(text: &str) -> String {
    format!("data: {}\n\n", serde_json::json!({"choices": [{"delta": {"content": text}}]}))
}

const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":40,\"completion_tokens\":9,\
                     \"prompt_tokens_details\":{\"cached_tokens\":32}}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn good() -> Result<Reply, HttpError> {
    stream(&[&said("The Davy "), &said("Medal [1]."), STOP, USAGE, DONE])
}

#[test]
fn a_stream_is_handed_on_piece_by_piece() {
    struct Pieces(Vec<String>);
    impl Listener for Pieces {
        async fn thinking(&mut self, _: String) -> ControlFlow<()> {
            unreachable!("it does not think")
        }
        async fn text(&mut self, text: String) -> ControlFlow<()> {
            self.0.push(text);
            ControlFlow::Continue(())
        }
    }
    let env = env([good()]);
    let mut pieces = Pieces(Vec::new());
    let outcome = ask_with(&env, Effort::None, &mut pieces);
    assert_eq!(pieces.0, ["The Davy ", "Medal [1]."]);
    assert_eq!(outcome.result, Ok(Finish::Stop));
    assert_eq!((outcome.model.as_str(), outcome.tries, outcome.began), ("first", 1, true));
    let usage = Usage { prompt: 40, cached: 32, completion: 9, reported: true };
    assert_eq!(outcome.usage, usage);
    assert_eq!(outcome.micro_usd, 49);
    let charge = Charge::Used { tokens: 49, limited: 17, micro_usd: 49 };
    let settlement = outcome.settlement();
    assert_eq!((settlement.charge, settlement.verdict), (charge, Verdict::Success));

    let [sent] = &env.http.requests()[..] else { panic!("one request") };
    assert_eq!(sent.uri, "https://llm.example/v1/chat/completions");
    assert_eq!(sent.headers["authorization"], "Bearer secret");
    let second = |seconds| Some(Duration::from_secs(seconds));
    let timeouts = Timeouts { head: second(5), idle: second(10), total: second(25) };
    assert_eq!(sent.timeouts, timeouts);
    let body: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    let expected = serde_json::json!({
        "model": "first",
        "messages": [
            {"role": "system", "content": "Rules."},
            {"role": "user", "content": "Which medal came first?"},
        ],
        "temperature": 0.1,
        "max_tokens": 600,
        "reasoning_effort": "low",
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(body, expected);
}

#[test]
fn every_dialect_is_understood() {
    let check = |what: &str, reply, finish: Finish, reported: bool| {
        let (outcome, heard) = ask(&env([reply]));
        assert_eq!(outcome.result, Ok(finish), "{what}");
        assert_eq!(heard.text, "Yes [1].", "{what}");
        assert_eq!(outcome.usage.reported, reported, "{what}");
        assert!(outcome.usage.completion > 0, "{what}");
    };
    let whole = "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"Yes [1].\"},\
                 \"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}";
    let json = [("content-type", "application/json; charset=utf-8")];
    check("no stream", reply(200, &json, &[&whole[..20], &whole[20..]]), Finish::Length, true);
    let yes = said("Yes [1].");
    check("no usage", stream(&[&yes, STOP, DONE]), Finish::Stop, false);
    check("no [DONE]", stream(&[&yes, STOP]), Finish::Stop, false);
    check("no finish reason", stream(&[&yes, DONE]), Finish::Other, false);
    check("no last line break", stream(&[&yes, "data: [DONE]"]), Finish::Other, false);
    check("broken after the end", broken(&[&yes, STOP], failed()), Finish::Stop, false);
    let groq = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\
                \"x_groq\":{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}}\n\n";
    check("usage of Groq", stream(&[&yes, groq, DONE]), Finish::Stop, true);
    check(
        "comments",
        stream(&[": hi\n\n", &yes, ": still here\n\n", STOP, DONE]),
        Finish::Stop,
        false,
    );
    let bytes: Vec<String> = format!("{yes}{STOP}{DONE}").chars().map(String::from).collect();
    let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
    check("byte by byte", stream(&bytes), Finish::Stop, false);
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}],\"usage\":null}\n\n";
    let null = "data: {\"choices\":null}\n\n";
    check("no choices", stream(&[null, &yes, STOP, DONE]), Finish::Stop, false);
    check("a role first", stream(&[role, &yes, STOP, DONE]), Finish::Stop, false);
}

#[test]
fn thinking_is_handed_on_where_it_was_asked_for() {
    let field = "data: {\"choices\":[{\"delta\":{\"reasoning\":\"Hm. \"}}]}\n\n";
    let other = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm. \"}}]}\n\n";
    let tags = [said("<thi"), said("nk>Hm. </th"), said("ink>\n\nYes.")].concat();
    for chunks in [format!("{field}{}", said("Yes.")), format!("{other}{}", said("Yes.")), tags] {
        for (effort, thinking) in [(Effort::None, ""), (Effort::High, "Hm. ")] {
            let mut heard = Collected::default();
            let outcome = ask_with(&env([stream(&[&chunks, STOP, DONE])]), effort, &mut heard);
            assert_eq!(outcome.result, Ok(Finish::Stop));
            assert_eq!((heard.thinking.as_str(), heard.text.as_str()), (thinking, "Yes."));
        }
    }
    let (outcome, _) = ask(&env([stream(&[field, STOP, DONE])]));
    assert_eq!(outcome.result, Err(Fault::Empty));
    assert!(!outcome.began, "nobody heard what it thought");
}

#[test]
fn what_may_pass_is_tried_once_more_and_nothing_else() {
    let check = |first: Result<Reply, HttpError>, tries: u8, result: Result<Finish, Fault>| {
        let shown = format!("{first:?}");
        let env = env([first, good()]);
        let (outcome, heard) = ask(&env);
        assert_eq!(outcome.result, result, "{shown}");
        assert_eq!((outcome.tries, env.http.requests().len()), (tries, tries.into()), "{shown}");
        assert_eq!(heard.text.is_empty(), result.is_err(), "{shown}");
        assert_eq!(outcome.elapsed.is_zero(), tries == 1, "a pause before the second: {shown}");
    };
    let fine = Ok(Finish::Stop);
    check(Err(failed()), 2, fine.clone());
    check(reply(503, &[], &["busy"]), 2, fine.clone());
    check(reply(429, &[("retry-after", "2")], &[]), 2, fine.clone());
    let limited = |seconds| Err(Fault::RateLimited { retry_after: seconds });
    check(reply(429, &[("retry-after", "3")], &[]), 1, limited(Some(Duration::from_secs(3))));
    check(reply(429, &[], &[]), 1, limited(None));
    check(reply(401, &[], &[]), 1, Err(Fault::Unauthorized { status: 401 }));
    check(reply(403, &[], &[]), 1, Err(Fault::Unauthorized { status: 403 }));
    let rejected = Fault::Rejected { status: 400, code: "context_length_exceeded".to_owned() };
    let body = "{\"error\": {\"code\": \"context_length_exceeded\"}}";
    check(reply(400, &[], &[body]), 1, Err(rejected));
    let late = HttpError::TimedOut { phase: Phase::Head, limit: LIMIT };
    check(Err(late), 1, Err(Fault::TimedOut { phase: Phase::Head, limit: LIMIT }));
    check(stream(&[]), 1, Err(Fault::Cut));
    check(stream(&[STOP, DONE]), 1, Err(Fault::Empty));
    let event =
        "event: error\ndata: {\"error\": {\"code\": \"over_capacity\", \"message\": \"x\"}}\n\n";
    check(stream(&[event]), 1, Err(Fault::Failed { code: "over_capacity".to_owned() }));
    let reason = "unreadable JSON at line 1, column 2".to_owned();
    check(stream(&["data: {oops\n\n"]), 1, Err(Fault::Malformed { reason }));
}

#[test]
fn the_second_try_is_the_last_and_waits_as_long_as_it_is_told() {
    let env = env([reply(429, &[("retry-after", "1")], &[]), reply(500, &[], &[]), good()]);
    let (outcome, _) = ask(&env);
    assert_eq!(outcome.result, Err(Fault::Unavailable { status: 500 }));
    assert_eq!(env.http.requests().len(), 2);
    let (pause, second) = (env.clock.now(), Duration::from_secs(1));
    assert!(pause >= second && pause < second + Duration::from_millis(150), "{pause:?}");
    let left = env.http.requests()[1].timeouts.total.unwrap();
    assert_eq!(left, Duration::from_secs(25) - pause, "both tries share the time");
    assert_eq!(outcome.settlement().charge, Charge::Nothing);
}

#[test]
fn nothing_is_asked_when_the_time_is_over() {
    let http = env([good()]);
    http.clock.advance(Duration::from_secs(25));
    let (outcome, _) = ask(&http);
    let limit = Duration::from_secs(25);
    assert_eq!(outcome.result, Err(Fault::TimedOut { phase: Phase::Total, limit }));
    assert!(http.http.requests().is_empty());

    let http = env([reply(429, &[("retry-after", "2")], &[]), good()]);
    http.clock.advance(Duration::from_secs(24));
    assert!(ask(&http).0.result.is_err(), "there is no time for a second try");
    assert_eq!(http.http.requests().len(), 1);
}

#[test]
fn after_the_first_piece_nothing_is_asked_again() {
    let check = |reply, fault: Fault, text: &str| {
        let env = env([reply, good()]);
        let (outcome, heard) = ask(&env);
        assert_eq!(outcome.result, Err(fault));
        assert!(outcome.began);
        assert_eq!(heard.text, text);
        assert_eq!(env.http.requests().len(), 1);
        assert_eq!(outcome.settlement().charge, Charge::Reserved, "nobody knows what is billed");
    };
    let half = said("The Davy");
    check(stream(&[&half]), Fault::Cut, "The Davy");
    check(stream(&[&half, "data: {\"choi"]), Fault::Cut, "The Davy");
    check(broken(&[&half], failed()), Fault::Cut, "The Davy");
    let late = |phase| HttpError::TimedOut { phase, limit: LIMIT };
    for phase in [Phase::Idle, Phase::Total] {
        let fault = Fault::TimedOut { phase, limit: LIMIT };
        check(broken(&[&half], late(phase)), fault, "The Davy");
    }
    let groq = "data: {\"choices\": [], \"x_groq\": {\"error\": \"some words\"}}\n\n";
    let fault = Fault::Failed { code: "unknown".to_owned() };
    check(stream(&[&half, groq]), fault, "The Davy");
    let event = "data: {\"error\": {\"code\": 502}}\n\n";
    check(stream(&[&half, event]), Fault::Failed { code: "502".to_owned() }, "The Davy");
    let endless = vec![": x\n".repeat(50_000); 30];
    let endless: Vec<&str> = endless.iter().map(String::as_str).collect();
    let reason = "reply too large: more than 4194304 bytes".to_owned();
    check(
        stream(&[&[half.as_str()][..], &endless].concat()),
        Fault::Malformed { reason },
        "The Davy",
    );
}

#[test]
fn a_withdrawn_model_gives_way_to_the_next_one() {
    let gone = "{\"error\": {\"code\": \"model_decommissioned\"}}";
    let env = env([reply(400, &[], &[gone]), reply(503, &[], &[]), good()]);
    let (outcome, _) = ask(&env);
    assert_eq!(outcome.result, Ok(Finish::Stop));
    assert_eq!((outcome.model.as_str(), outcome.tries), ("second", 2));
    assert_eq!(outcome.withdrawn, ["first"]);
    assert_eq!(outcome.settlement().withdrawn, ["first"]);
    let models = env.http.requests().into_iter().map(|request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        body["model"].as_str().unwrap().to_owned()
    });
    assert_eq!(models.collect::<Vec<_>>(), ["first", "second", "second"]);

    let env = self::env([reply(404, &[], &[]), reply(404, &[], &[]), good()]);
    let (outcome, _) = ask(&env);
    let models = vec!["first".to_owned(), "second".to_owned()];
    assert_eq!(outcome.result, Err(Fault::NoModel { models }));
}

#[test]
fn a_listener_that_has_enough_ends_the_reply() {
    struct Enough;
    impl Listener for Enough {
        async fn thinking(&mut self, _: String) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
        async fn text(&mut self, _: String) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    let outcome = ask_with(&env([good()]), Effort::None, &mut Enough);
    assert_eq!(outcome.result, Err(Fault::Stopped));
    assert_eq!(outcome.settlement().verdict, Verdict::Neutral);
}

#[test]
fn the_limits_of_the_provider_are_told() {
    let headers = [("x-ratelimit-remaining-tokens", "12"), ("x-ratelimit-reset-tokens", "1m0.5s")];
    let (outcome, _) = ask(&env([reply(200, &headers, &[&said("Yes."), STOP, DONE])]));
    let tokens = outcome.settlement().limits.tokens;
    assert_eq!((tokens.remaining, tokens.reset), (Some(12), Some(Duration::from_millis(60_500))));
    let (outcome, _) = ask(&env([reply(429, &[], &[])]));
    assert_eq!(outcome.settlement().leave_for, Some(LIMIT));
}

#[test]
fn what_is_estimated_lies_within_what_was_reserved() {
    let messages = messages();
    let completion = completion(&messages);
    let provider = Provider::sample(Limits::default());
    let reservation = provider.reservation(&["first"], &completion);
    let (outcome, _) = ask(&env([stream(&[&said("The Davy Medal [1]."), STOP, DONE])]));
    assert!(!outcome.usage.reported);
    assert!(outcome.usage.total() <= reservation.tokens);
    assert!(outcome.micro_usd <= reservation.micro_usd);
    assert_eq!(reservation.tokens, completion.prompt_tokens() + 600);
}
