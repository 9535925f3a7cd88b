//! The `dossier` command as scripts and people use it: output, exit codes, bad input.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use dossier_tests::{Server, ServerOptions, artefact, root};
use serde_json::Value;

pub(crate) fn dossier(arguments: &[&str]) -> Output {
    Command::new(artefact("dossier").unwrap()).current_dir(root()).args(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn ingest_names_what_it_skips_and_takes_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("good.md", b"---\ntitle: Good\n---\n# Good\n\nA text about radium.");
    file("empty.md", b"  \n");
    file("latin.md", b"caf\xe9");
    file("broken.md", b"---\ntitle: [\n---\ntext");
    file("open.md", b"---\ntitle: x\ntext");
    file("image.png", b"\x89PNG\r\n");
    file(".hidden.md", b"not looked at");
    fs::create_dir(folder.path().join("more")).unwrap();
    file("more/good.md", b"The same name in another folder, about polonium.");
    file("more/large.txt", &vec![b'a'; 11 << 20]);
    let pack = folder.path().join("out.pack");
    let (docs, out) = (folder.path().to_str().unwrap(), pack.to_str().unwrap());
    let output = dossier(&["ingest", docs, "--out", out]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        text(&output.stdout).contains("2 documents, 2 chunks, 6 skipped"),
        "{}",
        text(&output.stdout)
    );
    for (name, reason) in [
        ("empty.md", "empty"),
        ("latin.md", "first bad byte at 3"),
        ("broken.md", "not valid YAML"),
        ("open.md", "not closed"),
        ("image.png", ".png is not read: expected one of .md"),
        ("more/large.txt", "too large"),
    ] {
        let line = said.lines().find(|line| line.starts_with(&format!("skipped {name}:")));
        assert!(line.is_some_and(|line| line.contains(reason)), "{name}: {said}");
    }
    let output =
        dossier(&["search", "--pack", out, "--json", "-k", "1", "radium text", "another question"]);
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let hit = &lines[0]["hits"][0];
    assert_eq!((hit["rank"].as_u64(), hit["source"].as_str()), (Some(1), Some("good.md")));
    for member in ["id", "heading", "text", "score", "scores"] {
        assert!(!hit[member].is_null(), "{member}: {hit}");
    }
}

#[test]
fn ingest_of_nothing_exits_2_and_touches_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("old.pack");
    fs::write(&pack, "old").unwrap();
    fs::write(folder.path().join("headings.md"), "# Only\n\n## Headings\n").unwrap();
    let headings = folder.path().join("headings.md");
    for path in ["no/such/folder", "Cargo.toml", headings.to_str().unwrap()] {
        let output = dossier(&["ingest", path, "--out", pack.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("nothing was written"));
        assert_eq!(fs::read(&pack).unwrap(), b"old");
    }
}

#[cfg(unix)]
#[test]
fn ingest_writes_through_links_and_replaces_nothing_but_files() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("my.pack"), folder.path().join("link.pack"));
    fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let ingest =
        |out: &Path| dossier(&["ingest", "data/docs", "--lexical", "--out", out.to_str().unwrap()]);
    assert_eq!(ingest(&link).status.code(), Some(0));
    assert!(link.is_symlink() && fs::read(&file).unwrap().starts_with(b"DOSSIER"));
    let output = ingest(folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is not a file"), "{}", text(&output.stderr));
}

#[test]
fn bad_packs_are_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(root().join("data/index.pack")).unwrap();
    let mut version = good.clone();
    version[8] = 77;
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    for (bytes, words) in [
        (b"%PDF".to_vec(), "not an index pack"),
        (good[..good.len() - 9].to_vec(), "cut short"),
        (version, "format version 77"),
        (damaged, "checksum differs"),
    ] {
        let file = folder.path().join("bad.pack");
        fs::write(&file, bytes).unwrap();
        for command in [&["ask", "--pack"], &["search", "--pack"], &["up", "--pack"]] {
            let mut arguments = command.to_vec();
            arguments.push(file.to_str().unwrap());
            if command[0] != "up" {
                arguments.push("a question");
            }
            let output = dossier(&arguments);
            let said = text(&output.stderr);
            assert!(output.status.code() == Some(2) && said.contains(words), "{command:?}: {said}");
        }
    }
    let output = dossier(&["ask", "--pack", "no.pack", "a question"]);
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("dossier ingest"));
}

#[test]
fn doctor_fails_for_a_pack_that_is_named_and_not_sound() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.pack");
    fs::write(&damaged, "%PDF").unwrap();
    let (missing, damaged) = (folder.path().join("no.pack"), damaged.to_str().unwrap());
    for (pack, words, code) in [
        ("data/index.pack", "chunks", 0),
        (missing.to_str().unwrap(), "No such file", 1),
        (damaged, "not an index pack", 1),
    ] {
        let output = dossier(&["doctor", "--pack", pack]);
        let (lines, said) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{lines}{said}");
        assert_eq!(format!("{lines}{said}").matches(words).count(), 1, "{lines}{said}");
        assert!(code == 0 || lines.contains("missing  pack "), "{lines}");
    }
}

#[test]
fn preinitialise_refuses_what_is_no_component() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (folder.path().join("from.wasm"), folder.path().join("out.wasm"));
    // Nothing, a text, and a module that is not a component.
    for bytes in [&b""[..], b"# A secret text", b"\0asm\x01\0\0\0"] {
        fs::write(&from, bytes).unwrap();
        let arguments = ["preinitialise", from.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let output = dossier(&arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("is no WebAssembly component") && !said.contains("secret"), "{said}");
        assert!(!out.exists());
    }
}

#[test]
fn ask_answers_in_the_shape_of_chat() {
    let output =
        dossier(&["ask", "--pack", "data/index.pack", "--json", "Where was Marie Curie born?"]);
    let answer: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(answer["grounded"], true, "{answer}");
    assert!(answer["sources"][0]["text"].as_str().unwrap().contains("Warsaw"), "{answer}");
}

#[test]
fn up_refuses_what_it_cannot_serve() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = |name: &str, content: &str| {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let application = "spin_manifest_version = 2\n[application]\nname = \"a\"\n";
    let bad = manifest("bad.toml", "spin_manifest_version = [");
    let old = manifest("old.toml", "spin_manifest_version = \"1\"\n");
    let missing = manifest(
        "missing.toml",
        &format!(
            "{application}[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n[component.c]\nsource = \"no.wasm\"\n"
        ),
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    for (arguments, words) in [
        (vec!["--manifest", "no.toml"], "no.toml"),
        (vec!["--manifest", &bad], "bad.toml"),
        (vec!["--manifest", &old], "spin_manifest_version"),
        (vec!["--manifest", &missing, "--listen", "127.0.0.1:0"], "no.wasm"),
        (vec!["--listen", &port], "is in use"),
        (vec!["--listen", "0.0.0.0:0"], "no API key is set"),
        (vec!["--listen", port.rsplit_once(':').unwrap().1], "is in use"),
        (vec!["--listen", "localhost"], "such as 127.0.0.1:3000"),
        (vec!["--variable", "nonsense"], "KEY=VALUE"),
        (vec!["--variable", "api_keys=,"], "variable api_keys: expected keys"),
        (vec!["--variable", "daily_questions=abc"], "variable daily_questions: expected"),
        (vec!["--variable", "allowed_origins=me.example"], "variable allowed_origins: expected"),
        (vec!["--warm", "no.txt"], "no.txt"),
        (vec!["--warm", "data/questions.txt", "--variable", HASHED_KEY], "only hashes are known"),
    ] {
        let output = dossier(&[&["up", "--state-dir", state], arguments.as_slice()].concat());
        let said = text(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code == 1 || code == 2), "{arguments:?}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(said.matches("(os error").count() <= 1, "told twice: {said}");
    }
}

#[cfg(unix)]
#[test]
fn up_serves_a_pack_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("own.pack");
    fs::write(folder.path().join("ada.md"), "# Ada\n\nAda Lovelace wrote the first program.")
        .unwrap();
    let docs = folder.path().join("ada.md");
    let (docs, out) = (docs.to_str().unwrap(), pack.to_str().unwrap());
    assert!(dossier(&["ingest", docs, "--out", out]).status.success());
    let questions = folder.path().join("questions.txt");
    fs::write(&questions, "Who wrote the first program?").unwrap();
    let mut child = up(folder.path(), out, &["--warm", questions.to_str().unwrap()]);
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map(|line| line.unwrap())
        .find_map(|line| line.strip_prefix("Dossier is ready on ").map(str::to_owned))
        .unwrap();
    let warmed = lines.by_ref().map(|line| line.unwrap()).take(2).collect::<Vec<_>>();
    assert!(warmed[0].ends_with("  grounded    Who wrote the first program?"), "{warmed:?}");
    assert_eq!(warmed[1], "answers kept: 1");
    let client = dossier_tests::client().unwrap();
    let ready = client.get(format!("{address}/health/ready")).send().unwrap();
    assert_eq!(ready.status().as_u16(), 200);
    let foreign = client.get(format!("{address}/health")).header("host", "evil.example").send();
    assert_eq!(foreign.unwrap().status().as_u16(), 421);
    let body = "{\"question\": \"Who wrote the first program?\"}";
    let answer = client.post(format!("{address}/chat")).body(body).send().unwrap().text().unwrap();
    assert!(answer.contains("Ada Lovelace"), "{answer}");
    let killed = Command::new("kill").arg(child.0.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert_eq!(lines.map_while(Result::ok).last().as_deref(), Some("stopped"));
}

#[test]
fn warm_refuses_what_it_cannot_ask() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, one) = (file("empty.txt", "# nothing\n\n"), file("one.txt", "Who was she?"));
    // Nobody listens on a port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{port}");
    for (arguments, code, words) in [
        (vec!["no.txt"], 2, "no.txt"),
        (vec![&*empty], 2, "no question in it"),
        (vec![&*one, "--url", "127.0.0.1:3000"], 2, "expected http or https"),
        (vec![&*one, "--url", &*nobody], 1, "nobody answers"),
    ] {
        let output = dossier(&[&["warm"], arguments.as_slice()].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
}

#[test]
fn warm_has_answers_kept_for_the_next_who_asks() {
    let variables = [("api_keys".to_owned(), "a-key".to_owned())].into();
    let server = Server::start_with(ServerOptions { variables, ..ServerOptions::default() });
    let server = server.unwrap();
    let base = server.base();
    let warm = |key: &str| {
        dossier(&["warm", "data/questions.txt", "--url", &base, "--key", key, "--patience", "0"])
    };
    let refused = warm("another");
    let said = text(&refused.stderr);
    assert!(refused.status.code() == Some(2) && said.contains("--key"), "{said}");
    for word in ["new", "cached"] {
        let output = warm("a-key");
        let (lines, said) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{lines}{said}");
        assert_eq!(lines.lines().count(), 11, "{lines}");
        for line in lines.lines() {
            assert!(line.contains(&format!("  {word:<6}  ")), "{line}");
            assert!(line.contains("  extractive  ") && line.contains("  grounded  "), "{line}");
        }
    }
    let body = serde_json::json!({"question": "Who awarded her the Davy Medal?"});
    let client = dossier_tests::client().unwrap();
    let asked = client.post(format!("{base}/chat")).header("x-api-key", "a-key");
    let answer = asked.body(body.to_string()).send().unwrap().text().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["cached"], true, "{answer}");
}

/// What `api_keys` may be: here nobody knows a key to ask with.
const HASHED_KEY: &str =
    "api_keys=sha256:11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437";

/// A process that does not outlive a test that fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Most often it has ended already.
        let _ = self.0.kill();
    }
}

fn up(state: &Path, pack: &str, more: &[&str]) -> Running {
    let child = Command::new(artefact("dossier").unwrap())
        .current_dir(root())
        .args(["up", "--listen", "127.0.0.1:0", "--pack", pack, "--state-dir"])
        .arg(state.join("state"))
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    Running(child.unwrap())
}
