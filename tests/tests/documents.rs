//! Documents as people have them: a folder of files that other programs wrote, from `dossier
//! ingest` to answers that name the file and its page or section.

use std::{fs, path::Path, process::Command};

use dossier_tests::{artefact, root};
use serde::Deserialize;
use serde_json::Value;

/// A question of `tests/documents/questions.json`, and where its answer stands.
#[derive(Deserialize)]
struct Case {
    question: String,
    source: String,
    page: Option<u64>,
    section: Option<String>,
    fact: String,
}

fn dossier(arguments: &[&str]) -> (String, String) {
    let output = Command::new(artefact("dossier").unwrap()).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn ingest(folder: &Path, pack: &Path) -> (String, String) {
    dossier(&["ingest", folder.to_str().unwrap(), "--out", pack.to_str().unwrap()])
}

#[test]
fn a_folder_of_many_formats_answers_from_the_right_place() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("own.pack");
    let documents = root().join("tests/documents");
    let (said, skipped) = ingest(&documents.join("folder"), &pack);
    assert!(said.contains("12 documents,") && said.contains("3 skipped"), "{said}{skipped}");
    for (file, reason) in [
        ("damaged.docx", "damaged Word document"),
        ("locked.pdf", "PDF locked with a password; save a copy without one"),
        ("scan.pdf", "scanned PDF: no text on its 1 page(s); run text recognition"),
    ] {
        assert!(skipped.contains(&format!("skipped {file}: {reason}")), "{file}: {skipped}");
    }
    let cases: Vec<Case> =
        serde_json::from_slice(&fs::read(documents.join("questions.json")).unwrap()).unwrap();
    let wrong: Vec<String> = cases.iter().filter_map(|case| fault(&pack, case)).collect();
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What is wrong with the answer to a question, if anything.
fn fault(pack: &Path, case: &Case) -> Option<String> {
    let (answer, _) = dossier(&["ask", "--pack", pack.to_str().unwrap(), "--json", &case.question]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let source = &answer["sources"][0];
    let in_section = case.section.as_ref().is_none_or(|section| {
        source["heading"].as_array().is_some_and(|it| it.iter().any(|part| part == section))
    });
    let right = answer["grounded"] == true
        && answer["answer"].as_str().is_some_and(|it| it.contains(&case.fact))
        && source["source"] == case.source.as_str()
        && source["page"].as_u64() == case.page
        && in_section;
    (!right).then(|| format!("{}\n  {answer}", case.question))
}

#[cfg(unix)]
#[test]
fn a_file_that_unpacks_to_gigabytes_is_skipped_and_the_rest_goes_in() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = root().join("tests/documents/hostile/bomb.pdf");
    fs::copy(bomb, folder.path().join("bomb.pdf")).unwrap();
    fs::write(folder.path().join("good.md"), "A text about radium.").unwrap();
    let (docs, pack) = (folder.path().to_str().unwrap(), folder.path().join("own.pack"));
    let (said, skipped) = dossier(&["ingest", docs, "--lexical", "--out", pack.to_str().unwrap()]);
    assert!(said.contains("1 documents, 1 chunks, 1 skipped"), "{said}");
    assert!(skipped.contains("skipped bomb.pdf: damaged, or too large to read"), "{skipped}");
}

#[test]
fn sources_are_shown_with_file_page_and_section() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("own.pack");
    ingest(&root().join("tests/documents/folder/cv.pdf"), &pack);
    let question = "In which folk quartet does Mirela play the nyckelharpa?";
    let (answer, _) = dossier(&["ask", "--pack", pack.to_str().unwrap(), question]);
    assert!(answer.contains("] cv.pdf, page 2 › ") && answer.contains("› Interests"), "{answer}");
    let (hits, _) = dossier(&["search", "--pack", pack.to_str().unwrap(), question]);
    assert!(hits.contains("(cv.pdf, page 2 › "), "{hits}");
}

#[test]
fn rows_of_a_long_transcript_keep_their_header() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("own.pack");
    let rows: String =
        (1..=120).map(|n| format!("C{n:03};Seminar number {n};{}\n", n % 10)).collect();
    fs::write(folder.path().join("transcript.csv"), format!("Code;Course;Grade\n{rows}")).unwrap();
    ingest(folder.path(), &pack);
    let (hits, _) = dossier(&[
        "search",
        "--pack",
        pack.to_str().unwrap(),
        "--json",
        "-k",
        "1",
        "course C117 grade",
    ]);
    let hits: Value = serde_json::from_str(&hits).unwrap();
    let text = hits["hits"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("| Code | Course | Grade |\n|---|---|---|\n| C"), "{text}");
    assert!(text.contains("| C117 | Seminar number 117 | 7 |"), "{text}");
}

#[test]
fn files_of_one_name_in_two_folders_are_both_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("docs/school/cv.md", "A degree in glaciology.");
    write("docs/post/cv.md", "A post at the institute.");
    write("more/school/cv.md", "A summer school in Svalbard.");
    let pack = folder.path().join("own.pack");
    let (docs, more) = (folder.path().join("docs"), folder.path().join("more"));
    // A file that is named twice is read once.
    let paths = [docs.to_str().unwrap(), more.to_str().unwrap(), docs.to_str().unwrap()];
    let out = ["--lexical", "--out", pack.to_str().unwrap()];
    let (said, skipped) = dossier(&[&["ingest"], paths.as_slice(), &out].concat());
    assert!(said.contains("3 documents, 3 chunks, 0 skipped"), "{said}{skipped}");
    let (hits, _) =
        dossier(&["search", "--pack", pack.to_str().unwrap(), "--json", "degree post school"]);
    let hits: Value = serde_json::from_str(&hits).unwrap();
    let mut places: Vec<(&str, &str)> = hits["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| (hit["source"].as_str().unwrap(), hit["id"].as_str().unwrap()))
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            ("docs/school/cv.md", "docs-school-cv#start:0"),
            ("more/school/cv.md", "more-school-cv#start:0"),
            ("post/cv.md", "post-cv#start:0"),
        ]
    );
}
