//! The reranker service over real HTTP: its dialects, its limits, its doors.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use clap::Parser as _;
use dossier_reranker::{
    App, Config, Pool, Tls, TlsFiles,
    model::{CrossEncoder, Embedder, Precision, random_model},
    serve,
};
use dossier_tests::{client, model_folder, published};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, sync::oneshot};

/// A running service; dropping it stops it.
struct Service {
    address: SocketAddr,
    app: Arc<App>,
    runtime: Arc<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, None)
    }

    fn start_with(arguments: &[&str], tls: Option<Tls>) -> Self {
        let arguments = ["dossier-reranker"].iter().chain(arguments);
        let config = Config::try_parse_from(arguments).unwrap();
        config.check().unwrap();
        let folder = model_folder().unwrap();
        let limits = config.limits.clone();
        let model = random_model(1, published("tokenizer.json").unwrap()).unwrap();
        let model = CrossEncoder::open(model, Precision::Float, limits.max_tokens).unwrap();
        let embedder = Some(Embedder::open(&folder).unwrap());
        let pool = Pool::start(config.workers()).unwrap();
        let app = Arc::new(App::new(model, embedder, pool, limits, config.keys().unwrap()));

        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let runtime = Arc::new(runtime);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn({
            let (app, runtime) = (Arc::clone(&app), Arc::clone(&runtime));
            move || {
                let stopped = async {
                    // A sender that is dropped stops the service too.
                    let _ = stopped.await;
                };
                runtime.block_on(serve(app, listener, tls, stopped)).unwrap();
            }
        });
        Self { address, app, runtime, stop: Some(stop), thread: Some(thread) }
    }

    fn post(&self, path: &str, body: &Value) -> Response {
        let address = format!("http://{}{path}", self.address);
        let request = client().unwrap().post(address).header("content-type", "application/json");
        request.body(body.to_string()).send().unwrap()
    }

    fn rerank(&self, body: &Value) -> Value {
        let response = self.post("/v1/rerank", body);
        assert_eq!(response.status(), 200);
        parsed(response)
    }

    fn get(&self, path: &str) -> Response {
        client().unwrap().get(format!("http://{}{path}", self.address)).send().unwrap()
    }

    /// Keeps the only worker busy until what is returned is dropped.
    fn block(&self) -> mpsc::Sender<()> {
        let (free, blocked) = mpsc::channel::<()>();
        let pool = self.app.pool.clone();
        let far = tokio::time::Instant::now() + Duration::from_secs(60);
        self.runtime.spawn(async move { pool.run(far, move || blocked.recv()).await });
        free
    }

    /// Asks until `documents` wait.
    fn wait_for_queue(&self, documents: usize) {
        let line = format!("reranker_queue {documents}\n");
        let start = Instant::now();
        while !self.get("/metrics").text().unwrap().contains(&line) {
            assert!(start.elapsed() < Duration::from_secs(30), "never {line}");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn parsed(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().unwrap()).unwrap()
}

/// Has one worker, and few places.
const NARROW: &[&str] = &["--workers", "1", "--max-queue", "3", "--max-documents", "3"];

fn question() -> Value {
    json!({"query": "Where was she born?", "documents": ["Warsaw", "In Warsaw, in 1867.", "Paris"]})
}

#[test]
fn every_dialect_gets_its_reply() {
    let service = Service::start(&[]);
    let cohere = service.rerank(&question());
    let results = cohere["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let score = |result: &Value| result["relevance_score"].as_f64().unwrap();
    assert!(results.is_sorted_by(|a, b| score(a) >= score(b)), "{cohere}");
    assert!(results.iter().all(|it| (0.0..=1.0).contains(&score(it)) && it["document"].is_null()));
    let mut indexes: Vec<u64> = results.iter().map(|it| it["index"].as_u64().unwrap()).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, [0, 1, 2]);
    assert_eq!(cohere["model"], "random-1");
    assert_eq!(cohere["id"].as_str().unwrap().len(), 36);
    assert!(cohere["usage"]["total_tokens"].as_u64().unwrap() > 20, "{cohere}");
    assert_eq!(cohere["meta"]["api_version"]["version"], "2");

    // The same by every name, and nulls are nothing.
    let mut nulls = question();
    nulls["top_n"] = Value::Null;
    nulls["return_documents"] = Value::Null;
    for path in ["/v2/rerank", "/rerank"] {
        assert_eq!(parsed(service.post(path, &nulls))["results"], cohere["results"], "{path}");
    }

    let mut jina = question();
    jina["documents"][1] = json!({"text": "In Warsaw, in 1867."});
    jina["top_n"] = json!(1);
    jina["return_documents"] = json!(true);
    let jina = service.rerank(&jina);
    let best = results[0]["index"].as_u64().unwrap() as usize;
    assert_eq!(jina["results"].as_array().unwrap().len(), 1);
    assert_eq!(jina["results"][0]["document"]["text"], question()["documents"][best]);

    let mut voyage = question();
    voyage["top_k"] = json!(2);
    voyage["truncation"] = json!(true);
    voyage["return_documents"] = json!(true);
    let voyage = service.rerank(&voyage);
    assert_eq!(voyage["object"], "list");
    assert_eq!(voyage["data"].as_array().unwrap().len(), 2);
    assert_eq!(voyage["data"][0]["document"], question()["documents"][best]);
}

#[test]
fn a_score_does_not_depend_on_its_company() {
    let service = Service::start(&["--workers", "2"]);
    let documents: Vec<String> =
        (0..40).map(|at| "radium glows in the dark ".repeat(1 + at * 7 % 23)).collect();
    let all = service.rerank(&json!({"query": "What glows?", "documents": documents}));
    for result in all["results"].as_array().unwrap().iter().step_by(9) {
        let index = result["index"].as_u64().unwrap() as usize;
        let alone = json!({"query": "What glows?", "documents": [documents[index]]});
        let alone = service.rerank(&alone)["results"][0]["relevance_score"].as_f64().unwrap();
        let together = result["relevance_score"].as_f64().unwrap();
        assert!((alone - together).abs() < 1e-5, "{index}: {alone} and {together}");
    }
}

/// What Cohere's own client makes of the service, in both of its versions.
const COHERE: &str = "
import sys, cohere
base, documents = sys.argv[1], ['Warsaw', 'In Warsaw, in 1867.', 'Paris']
query = 'Where was she born?'
new = cohere.ClientV2(api_key='key', base_url=base)
old = cohere.Client(api_key='key', base_url=base)
all = new.rerank(model='any', query=query, documents=documents).results
best = new.rerank(model='any', query=query, documents=documents, top_n=1).results
objects = [{'text': text} for text in documents]
texts = old.rerank(query=query, documents=objects, return_documents=True).results
assert len(all) == 3 and len(best) == 1 and best[0].index == all[0].index, (all, best)
assert [it.document.text for it in texts] == [documents[it.index] for it in all], texts
try:
    new.rerank(model='any', query=query, documents=[])
except cohere.UnprocessableEntityError as error:
    assert '1 to 256' in error.body['message'], error.body
else:
    raise SystemExit('a request without documents was taken')
print(cohere.__version__, [(it.index, it.relevance_score) for it in all])
";

#[test]
fn coheres_own_client_is_served() {
    let Some(python) = std::env::var_os("DOSSIER_PYTHON") else {
        println!("SKIP: no Python with Cohere's client (DOSSIER_PYTHON is not set)");
        return;
    };
    let imports = Command::new(&python).args(["-c", "import cohere"]).output().unwrap();
    if !imports.status.success() {
        println!("SKIP: this Python has no Cohere client (pip install cohere)");
        return;
    }
    let service = Service::start(&["--api-keys", "key"]);
    let base = format!("http://{}", service.address);
    let run = Command::new(&python).args(["-c", COHERE, &base]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    println!("cohere {}", String::from_utf8_lossy(&run.stdout).trim());
}

#[test]
fn embeddings_are_those_of_the_chat() {
    let service = Service::start(&[]);
    let texts = ["Where was she born?", "In Warsaw."];
    let reply = parsed(service.post("/v1/embeddings", &json!({"input": texts, "model": "any"})));
    let encoder = dossier_tests::encoder().unwrap();
    for (at, text) in texts.iter().enumerate() {
        let data = &reply["data"][at];
        assert_eq!(data["index"], at);
        let own = encoder.encode(text).unwrap();
        let got: Vec<f32> = serde_json::from_value(data["embedding"].clone()).unwrap();
        assert_eq!(got, own);
        let base64 = json!({"input": text, "encoding_format": "base64", "dimensions": own.len()});
        let base64 = parsed(service.post("/v1/embeddings", &base64));
        let text = base64["data"][0]["embedding"].as_str().unwrap();
        assert_eq!(text.len(), (own.len() * 4).div_ceil(3) * 4);
    }
    assert!(reply["usage"]["total_tokens"].as_u64().unwrap() > 8, "{reply}");
}

#[test]
fn bad_requests_are_refused_in_words() {
    let service = Service::start(&[
        "--max-documents",
        "4",
        "--max-chars",
        "500",
        "--max-tokens",
        "32",
        "--max-body-bytes",
        "5000",
    ]);
    let check = |path: &str, body: Value, status: u16, part: &str| {
        let response = service.post(path, &body);
        assert_eq!(response.status(), status, "{body}");
        let reply = parsed(response);
        assert!(reply["message"].as_str().unwrap().contains(part), "{part}: {reply}");
        assert_eq!(reply["message"], reply["error"]["message"]);
        assert!(reply["error"]["code"].is_string() && reply["error"]["type"].is_string());
    };
    let rerank = |body| ("/v1/rerank", body);
    for ((path, body), status, part) in [
        (rerank(json!({})), 400, "missing field `query`"),
        (rerank(json!({"query": "q", "documents": [1]})), 400, "untagged"),
        (rerank(json!({"query": "q", "documents": []})), 422, "1 to 4 texts, got 0"),
        (rerank(json!({"query": "q", "documents": ["a", "b", "c", "d", "e"]})), 422, "got 5"),
        (
            rerank(json!({"query": "q", "documents": ["a", "é".repeat(501)]})),
            422,
            "text 1 is longer than 500",
        ),
        (rerank(json!({"query": "q", "documents": ["a"], "top_n": 0})), 422, "at least 1"),
        (rerank(json!({"query": "why ".repeat(40), "documents": ["a"]})), 422, "32 word pieces"),
        (
            rerank(json!({"query": "q", "documents": ["why ".repeat(40)], "truncation": false})),
            422,
            "truncation",
        ),
        (rerank(json!({"query": "q", "documents": ["x".repeat(6000)]})), 413, "5000 bytes"),
        (("/v1/embeddings", json!({"input": [[1, 2]]})), 400, "untagged"),
        (("/v1/embeddings", json!({"input": "a", "dimensions": 7})), 422, "got 7"),
        (("/v1/chat", json!({})), 404, "no such route"),
        (("/metrics", json!({})), 405, "method"),
    ] {
        check(path, body, status, part);
    }
    let long = json!({"query": "q", "documents": ["why ".repeat(40)], "truncation": true});
    assert_eq!(service.rerank(&long)["usage"]["total_tokens"], 32);
    let address = format!("http://{}/v1/rerank", service.address);
    let soon = client().unwrap().post(address).header("x-request-timeout-ms", "soon");
    assert_eq!(soon.body("{}").send().unwrap().status(), 422);
}

#[test]
fn keys_are_asked_for_where_there_are_some() {
    let service = Service::start(&["--api-keys", "old,new"]);
    let ask = |name: &str, value: &str| {
        let address = format!("http://{}/v1/rerank", service.address);
        let request = client().unwrap().post(address).header(name, value);
        request.body(question().to_string()).send().unwrap().status().as_u16()
    };
    assert_eq!(ask("authorization", "Bearer old"), 200);
    assert_eq!(ask("authorization", "bearer new"), 200);
    assert_eq!(ask("x-api-key", "new"), 200);
    for (name, value) in [
        ("authorization", "Bearer ol"),
        ("authorization", "Basic old"),
        ("x-api-key", ""),
        ("x-other", "old"),
    ] {
        assert_eq!(ask(name, value), 401, "{name}: {value}");
    }
    assert_eq!(service.get("/metrics").status(), 401);
    assert_eq!(service.get("/health/live").status(), 200);
    assert_eq!(service.get("/health/ready").status(), 200);
}

#[test]
fn a_full_queue_says_when_to_come_again() {
    let service = Service::start(NARROW);
    let free = service.block();
    thread::scope(|scope| {
        let first = scope.spawn(|| service.rerank(&question()));
        service.wait_for_queue(3);
        let refused = service.post("/v1/rerank", &question());
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (429, &"1".parse().unwrap())
        );
        drop(free);
        assert_eq!(first.join().unwrap()["results"].as_array().unwrap().len(), 3);
    });
    service.wait_for_queue(0);
    let metrics = service.get("/metrics").text().unwrap();
    for line in [
        "reranker_requests_total{route=\"rerank\",status=\"429\"} 1\n",
        "reranker_requests_total{route=\"rerank\",status=\"200\"} 1\n",
        "reranker_documents_total{route=\"rerank\"} 3\n",
        "reranker_request_duration_seconds_count{route=\"rerank\"} 2\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
}

#[test]
fn who_cannot_be_served_in_time_is_told_so() {
    let service = Service::start(NARROW);
    let _free = service.block();
    let address = format!("http://{}/v1/rerank", service.address);
    let request = client().unwrap().post(address).header("x-request-timeout-ms", "20");
    let late = request.body(question().to_string()).send().unwrap();
    assert_eq!(
        (late.status().as_u16(), &late.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert!(parsed(late)["message"].as_str().unwrap().contains("20 ms"));
    // A client that goes leaves nothing behind.
    let mut gone = TcpStream::connect(service.address).unwrap();
    let body = question().to_string();
    let head =
        format!("POST /rerank HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    gone.write_all(head.as_bytes()).unwrap();
    gone.write_all(body.as_bytes()).unwrap();
    service.wait_for_queue(3);
    drop(gone);
    service.wait_for_queue(0);
}

#[test]
fn stopping_lets_requests_end_and_takes_no_more() {
    let mut service = Service::start(NARROW);
    let free = service.block();
    let (stop, thread) = (service.stop.take(), service.thread.take().unwrap());
    thread::scope(|scope| {
        let inside = scope.spawn(|| service.rerank(&question()));
        service.wait_for_queue(3);
        drop(stop);
        let start = Instant::now();
        while TcpStream::connect(service.address).is_ok() {
            assert!(start.elapsed() < Duration::from_secs(30), "still accepting");
        }
        drop(free);
        assert_eq!(inside.join().unwrap()["results"].as_array().unwrap().len(), 3);
    });
    thread.join().unwrap();
}

/// An authority, and who it vouches for.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Certificate and key in PEM.
    fn vouch(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::write(&file, self.0.pem()).unwrap();
        file
    }

    fn client(&self, identity: Option<(String, String)>) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let root = reqwest::Certificate::from_pem(self.0.pem().as_bytes()).unwrap();
        let mut builder = Client::builder().tls_certs_only([root]);
        if let Some((certificate, key)) = identity {
            let pem = format!("{certificate}{key}");
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }
}

fn write_pair(folder: &Path, (certificate, key): (String, String)) -> (PathBuf, PathBuf) {
    let files = (folder.join("service.pem"), folder.join("service.key"));
    std::fs::write(&files.0, certificate).unwrap();
    std::fs::write(&files.1, key).unwrap();
    files
}

#[test]
fn strangers_are_turned_away_at_the_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, others) = (Authority::new(), Authority::new());
    let (certificate, key) = write_pair(folder.path(), authority.vouch("localhost"));
    let client_ca = Some(authority.write(folder.path(), "clients.pem"));
    let tls = Tls::open(TlsFiles { certificate, key, client_ca }).unwrap();
    let service = Service::start_with(&[], Some(tls));
    let address = format!("https://localhost:{}/health/live", service.address.port());
    let ask = |client: Client| client.get(&address).send();

    let known = ask(authority.client(Some(authority.vouch("chat"))));
    assert_eq!(known.unwrap().status(), 200);
    for stranger in [None, Some(others.vouch("chat"))] {
        let error = ask(authority.client(stranger)).unwrap_err();
        assert!(error.status().is_none(), "{error}");
        let text = format!("{error:?}");
        assert!(text.contains("AlertReceived"), "{text}");
    }
}

#[test]
fn certificates_are_replaced_while_serving() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Authority::new(), Authority::new());
    let (certificate, key) = write_pair(folder.path(), first.vouch("localhost"));
    let tls = Tls::open(TlsFiles { certificate, key, client_ca: None }).unwrap();
    let service = Service::start_with(&[], Some(tls.clone()));
    let address = format!("https://localhost:{}/health/live", service.address.port());
    let trusts = |authority: &Authority| authority.client(None).get(&address).send().is_ok();
    assert!(trusts(&first) && !trusts(&second));
    assert!(!tls.reload().unwrap());

    let (_, key) = write_pair(folder.path(), second.vouch("localhost"));
    assert!(tls.reload().unwrap());
    assert!(trusts(&second) && !trusts(&first));
    // Half of a new pair: what was served goes on being served.
    std::fs::write(key, first.vouch("localhost").1).unwrap();
    assert!(tls.reload().is_err());
    assert!(trusts(&second));
}
