//! What every implementation of a port must do, as functions over the port.
//!
//! They run on the fakes here, and on the real adapters from inside a guest (`tests/guests/probe`)
//! and natively. Each returns the first promise that was broken.

use std::time::Duration;

use crate::{
    feedback::{Cursor, Selection, Vote},
    ports::{
        Body, Clock, Config, Entropy, Feedback, FeedbackError, Http, HttpError, HttpRequest, Kv,
        KvError, MAX_VALUE_BYTES, Phase, Proposal, Timeouts,
    },
};

/// The outcome of a suite: the promise that was broken, in words.
pub type Outcome = Result<(), String>;

fn check(promise: &str, kept: bool) -> Outcome {
    kept.then_some(()).ok_or_else(|| promise.to_owned())
}

fn call<T>(step: &str, result: Result<T, KvError>) -> Result<T, String> {
    result.map_err(|error| format!("{step}: {error}"))
}

/// The contract of [`Kv`]; leaves nothing behind under the prefix `contract:`.
pub async fn kv(kv: &impl Kv) -> Outcome {
    let key = "contract:a";
    call("delete of what is not there", kv.delete(key).await)?;
    check("an absent key reads as none", call("get", kv.get(key).await)?.is_none())?;
    call("set", kv.set(key, b"one").await)?;
    check("a write is read back", call("get", kv.get(key).await)?.as_deref() == Some(b"one"))?;
    call("set", kv.set(key, b"").await)?;
    check("empty is not absent", call("get", kv.get(key).await)?.as_deref() == Some(b""))?;

    let stale = call("swap", kv.swap(key, Some(b"one"), b"two").await)?;
    check("a swap with a stale expectation writes nothing", !stale)?;
    let fresh = call("swap", kv.swap(key, Some(b""), b"two").await)?;
    check("a swap with the current value writes", fresh)?;
    check("and is read back", call("get", kv.get(key).await)?.as_deref() == Some(b"two"))?;
    let exists = call("swap", kv.swap(key, None, b"three").await)?;
    check("a swap that expects absence fails where there is a value", !exists)?;
    let created = call("swap", kv.swap("contract:b", None, b"new").await)?;
    check("a swap that expects absence creates", created)?;

    let keys = call("list", kv.list("contract:").await)?;
    check("a listing has the keys of the prefix, sorted", keys == ["contract:a", "contract:b"])?;
    check("and no others", call("list", kv.list("contract:b").await)? == ["contract:b"])?;

    let largest = vec![7; MAX_VALUE_BYTES];
    call("set of the largest value", kv.set(key, &largest).await)?;
    check("the largest value is kept", call("get", kv.get(key).await)? == Some(largest))?;
    let too_large = kv.set(key, &vec![0; MAX_VALUE_BYTES + 1]).await;
    check("a larger one is refused", matches!(too_large, Err(KvError::TooLarge { .. })))?;
    for bad in ["", "a b", "ü", &"k".repeat(256)] {
        let refused = matches!(kv.get(bad).await, Err(KvError::BadKey { .. }));
        check("a bad key is refused", refused)?;
    }
    for key in keys {
        call("delete", kv.delete(&key).await)?;
    }
    check("deleted is gone", call("list", kv.list("contract:").await)?.is_empty())
}

/// The contract of [`Feedback`], against a table that may hold other sessions' votes. Its own are of
/// the session `contract-<now>`; `now`, in milliseconds, is later than all others.
pub async fn feedback(store: &impl Feedback, now: u64) -> Outcome {
    let session_id = format!("contract-{now}");
    let vote = |message: u64, thumbs_up, comment: Option<&str>| Vote {
        session_id: session_id.clone(),
        message_id: format!("message ✓ {message}'"),
        thumbs_up,
        comment: comment.map(str::to_owned),
    };
    let proposal = |number: u64, later| Proposal {
        id: format!("{:08x}-0000-4000-8000-{number:012x}", now % (1 << 32)),
        now: now + later,
    };
    let step = |error: FeedbackError| error.to_string();
    for number in 0..4 {
        // The second and third share their time.
        let proposal = proposal(number, [0, 1, 1, 2][number as usize % 4]);
        let vote =
            vote(number, number % 2 == 0, (number == 1).then_some("it's\na \"good\" one; --"));
        let recorded = store.record(&vote, &proposal).await.map_err(step)?;
        check("a first vote is new", recorded.created)?;
        check("and has the id proposed", recorded.id == proposal.id)?;
    }
    let changed =
        store.record(&vote(3, true, Some("second")), &proposal(9, 5)).await.map_err(step)?;
    check("a second vote is not new", !changed.created)?;
    check("and has the id of the first", changed.id == proposal(3, 0).id)?;

    let selection = Selection { limit: 4, ..Selection::default() };
    let entries = store.list(&selection).await.map_err(step)?;
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    let expected = [3, 2, 1, 0].map(|number| proposal(number, 0).id);
    check("the newest comes first, at equal times the greater id", ids == expected)?;
    let [newest, _, third, oldest] = entries.as_slice() else { return Err("four entries".into()) };
    check("a changed vote is read back", newest.vote == vote(3, true, Some("second")))?;
    check("with both its times", (newest.created_at, newest.updated_at) == (now + 2, now + 5))?;
    check(
        "a comment is read back",
        third.vote == vote(1, false, Some("it's\na \"good\" one; --")),
    )?;
    check("no comment is none", oldest.vote == vote(0, true, None))?;

    let after = |entry| Selection { after: Some(Cursor::of(entry)), limit: 2, thumbs_up: None };
    let rest = store.list(&after(&entries[1])).await.map_err(step)?;
    check("a cursor continues after its entry", rest.as_slice() == &entries[2..4])?;
    let good = Selection { thumbs_up: Some(true), ..selection.clone() };
    let good = store.list(&Selection { limit: 3, ..good }).await.map_err(step)?;
    let good: Vec<&str> = good.iter().map(|entry| entry.id.as_str()).collect();
    let expected = [3, 2, 0].map(|number| proposal(number, 0).id);
    check("one thumb can be asked for", good == expected)
}

/// The contract of [`Clock`].
pub async fn clock(clock: &impl Clock) -> Outcome {
    let (first, second) = (clock.now(), clock.now());
    check("time does not run backwards within a call", second >= first)?;
    check("time is not in the far future", first < Duration::from_secs(100 * 366 * 86_400))?;
    let span = Duration::from_millis(5);
    clock.sleep(span).await;
    check("a sleep is not shorter than asked for", clock.now() >= second + span)
}

/// The contract of [`Entropy`].
pub fn entropy(entropy: &impl Entropy) -> Outcome {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    entropy.fill(&mut first);
    entropy.fill(&mut second);
    check("two fills differ", first != second)?;
    check("a fill reaches the last byte", first[24..] != [0; 8])?;
    entropy.fill(&mut []);
    Ok(())
}

/// The contract of [`Config`]: `contract_set` holds `value`, `contract_empty` is empty.
pub async fn config(config: &impl Config) -> Outcome {
    let set = config.get("contract_set").await;
    check("a set variable is read", set == Ok(Some("value".to_owned())))?;
    check("an empty one reads as none", config.get("contract_empty").await == Ok(None))?;
    check("an unknown one reads as none", config.get("contract_unknown").await == Ok(None))
}

/// The contract of [`Http`] against an echo service at `base` (`http://host:port`).
///
/// The service answers a `POST` to `/echo` with status 201, the header `x-echo: yes` and the body
/// it was sent, never answers one to `/silent`, and sends the head and five bytes to one to
/// `/stalled`, and nothing after them. `denied` is an address that may not be reached,
/// where the platform has such.
pub async fn http(http: &impl Http, base: &str, denied: Option<&str>) -> Outcome {
    let request = |address: &str| -> Result<HttpRequest, String> {
        Ok(HttpRequest {
            method: http::Method::POST,
            uri: address.parse().map_err(|error| format!("{address}: {error}"))?,
            headers: http::HeaderMap::new(),
            body: b"hello".repeat(20_000),
            timeouts: Timeouts::default(),
        })
    };
    let step = |error: HttpError| format!("echo: {error}");
    let mut reply = http.send(request(&format!("{base}/echo"))?).await.map_err(step)?;
    check("a status is passed on", reply.status == http::StatusCode::CREATED)?;
    check("headers are passed on", reply.headers.get("x-echo").is_some_and(|it| it == "yes"))?;
    let body = reply.body.bytes(1 << 20).await.map_err(step)?;
    check("a body comes back whole", body == b"hello".repeat(20_000))?;
    let mut reply = http.send(request(&format!("{base}/echo"))?).await.map_err(step)?;
    let cut = reply.body.bytes(1000).await;
    check("a limit is kept while reading", cut == Err(HttpError::TooLarge { limit: 1000 }))?;
    let limit = Duration::from_millis(50);
    let long = Some(Duration::from_secs(60));
    let late = |phase| HttpError::TimedOut { phase, limit };
    let whole = Timeouts { head: long, ..Timeouts::whole(limit) };
    let head = Timeouts { head: Some(limit), total: long, ..Timeouts::default() };
    for (timeouts, phase) in [(whole, Phase::Total), (head, Phase::Head)] {
        let silent = HttpRequest { timeouts, ..request(&format!("{base}/silent"))? };
        let ended = http.send(silent).await.err();
        check("a time limit is kept, and its phase told", ended == Some(late(phase)))?;
    }
    let idle = Timeouts { head: long, idle: Some(limit), total: long };
    for (timeouts, phase) in [(Timeouts::whole(limit), Phase::Total), (idle, Phase::Idle)] {
        let stalled = HttpRequest { timeouts, ..request(&format!("{base}/stalled"))? };
        let mut reply = http.send(stalled).await.map_err(|error| format!("stalled: {error}"))?;
        check("what came before a stall is handed on", reply.body.chunk().await.is_some())?;
        let ended = reply.body.bytes(1 << 20).await.err();
        check("a stall ends in its phase's time limit", ended == Some(late(phase)))?;
    }
    if let Some(denied) = denied {
        let refused = http.send(request(denied)?).await.err();
        check(
            "a forbidden destination is refused",
            matches!(refused, Some(HttpError::Denied { .. })),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::{MemoryEnv, MemoryFeedback, Reply, ScriptedHttp};

    #[test]
    fn the_fakes_keep_the_contracts() {
        let mut env = MemoryEnv::default();
        env.config.0.insert("contract_set".to_owned(), "value".to_owned());
        env.config.0.insert("contract_empty".to_owned(), String::new());
        let echo = Reply {
            status: http::StatusCode::CREATED,
            headers: [(http::HeaderName::from_static("x-echo"), "yes".parse().unwrap())]
                .into_iter()
                .collect(),
            chunks: vec![Ok(b"hello".repeat(10_000)), Ok(b"hello".repeat(10_000))],
        };
        let late = |phase| HttpError::TimedOut { phase, limit: Duration::from_millis(50) };
        let stalled = |phase| {
            let chunks = vec![Ok(b"hello".to_vec()), Err(late(phase))];
            Ok(Reply { chunks, ..echo.clone() })
        };
        let denied = HttpError::Denied { authority: "example.com:80".to_owned() };
        env.http = ScriptedHttp::new([
            Ok(echo.clone()),
            Ok(echo.clone()),
            Err(late(Phase::Total)),
            Err(late(Phase::Head)),
            stalled(Phase::Total),
            stalled(Phase::Idle),
            Err(denied),
        ]);
        assert_eq!(block_on(kv(&env.kv)), Ok(()));
        assert_eq!(block_on(feedback(&MemoryFeedback::default(), 1_000)), Ok(()));
        assert_eq!(block_on(clock(&env.clock)), Ok(()));
        assert_eq!(entropy(&env.entropy), Ok(()));
        assert_eq!(block_on(config(&env.config)), Ok(()));
        let outcome = block_on(http(&env.http, "http://echo", Some("http://example.com/")));
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn a_store_that_is_down_breaks_the_contract() {
        let env = MemoryEnv::default();
        env.kv.set_down(true);
        assert!(block_on(kv(&env.kv)).is_err());
    }
}
