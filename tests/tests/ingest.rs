//! `dossier ingest`: equal packs from equal documents, nothing encoded twice, and killed runs.

use std::{fs, path::Path, process::Command};

use dossier_core::index::{Index, build};
use dossier_tests::{artefact, root};
use tempfile::TempDir;

/// Some of the sample's documents, in a folder of their own.
fn documents() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["prizes-and-medals.md", "journeys.md", "radium-standard.md"] {
        fs::copy(root().join("data/docs").join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn command(arguments: &[&Path], out: &Path) -> Command {
    let mut command = Command::new(artefact("dossier").unwrap());
    command.arg("ingest").args(arguments).arg("--out").arg(out);
    command
}

/// Ingests, and returns the pack with what was said on both streams.
fn ingest(arguments: &[&Path], out: &Path) -> (Vec<u8>, String) {
    let output = command(arguments, out).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{said}");
    (fs::read(out).unwrap(), said)
}

#[test]
fn equal_documents_give_equal_bytes() {
    let (folder, other) = (documents(), tempfile::tempdir().unwrap());
    let (first, said) = ingest(&[folder.path()], &other.path().join("first.pack"));
    assert!(said.contains(" 0 reused"), "{said}");
    // A new file with the same content, and a new order of arguments.
    let file = folder.path().join("journeys.md");
    let content = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, content).unwrap();
    let mut files: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    for number in 0..2 {
        files.reverse();
        let arguments: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
        let (again, _) = ingest(&arguments, &other.path().join(format!("{number}.pack")));
        assert!(again == first, "order {number}");
    }
}

#[test]
fn only_what_is_new_is_encoded_and_the_pack_is_as_if_all_were() {
    let (folder, other) = (documents(), tempfile::tempdir().unwrap());
    let pack = other.path().join("my.pack");
    let (first, _) = ingest(&[folder.path()], &pack);
    let before = Index::open(first.clone()).unwrap().header().chunks;
    let (same, said) = ingest(&[folder.path()], &pack);
    assert!(
        said.contains(&format!("{before} chunks: {before} reused, 0 encoded; 0 doc")),
        "{said}"
    );
    assert!(same == first);

    fs::remove_file(folder.path().join("radium-standard.md")).unwrap();
    let file = folder.path().join("journeys.md");
    let longer = fs::read_to_string(&file).unwrap() + "\n# Home\n\nAt last she stayed at home.\n";
    fs::write(&file, longer).unwrap();
    let (changed, said) = ingest(&[folder.path()], &pack);
    let index = Index::open(changed.clone()).unwrap();
    let (chunks, reused) = (index.header().chunks, index.header().chunks - 1);
    let expected = format!("{chunks} chunks: {reused} reused, 1 encoded; 1 documents removed");
    assert!(said.contains(&expected), "expected {expected}: {said}");
    assert!(index.chunks().iter().all(|chunk| chunk.source != "radium-standard.md"));
    let (whole, _) = ingest(&[folder.path()], &other.path().join("whole.pack"));
    assert!(changed == whole);
}

#[test]
fn a_pack_that_cannot_be_used_is_built_anew_and_the_reason_said() {
    let (folder, other) = (documents(), tempfile::tempdir().unwrap());
    let pack = other.path().join("my.pack");
    let (good, _) = ingest(&[folder.path()], &pack);
    let chunks: Vec<_> = Index::open(good.clone()).unwrap().chunks().iter().cloned().collect();
    let vectors = vec![vec![1.0]; chunks.len()];
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 1;
    for (old, reason) in [
        (fs::read(root().join("tests/compat/index-v1.pack")).unwrap(), "format version 1"),
        (damaged, "checksum differs"),
        (build(&chunks, Some(("other", &vectors))).unwrap(), "built with model other"),
        (b"notes".to_vec(), "not an index pack"),
    ] {
        fs::write(&pack, old).unwrap();
        let (again, said) = ingest(&[folder.path()], &pack);
        assert!(said.contains(reason) && said.contains(" 0 reused"), "{reason}: {said}");
        assert!(again == good, "{reason}");
    }
}

/// The kernel kills a process that writes a file past its limit: at any byte, without a race.
#[cfg(unix)]
#[test]
fn a_run_killed_while_it_writes_leaves_the_old_pack_whole() {
    use std::os::unix::process::ExitStatusExt as _;
    const SIGXFSZ: i32 = 25;

    let (folder, other) = (documents(), tempfile::tempdir().unwrap());
    let pack = other.path().join("my.pack");
    fs::write(folder.path().join("old.md"), "# Old\n\nThe old pack had this.").unwrap();
    let mut run = command(&[folder.path()], &pack);
    assert!(run.arg("--lexical").status().unwrap().success());
    let old = fs::read(&pack).unwrap();
    fs::remove_file(folder.path().join("old.md")).unwrap();
    for blocks in ["0", "1", "8", "32"] {
        let ingest = command(&[folder.path()], &pack);
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -f $0; exec \"$@\" --lexical", blocks]);
        let status = limited.arg(ingest.get_program()).args(ingest.get_args()).status().unwrap();
        assert_eq!(status.signal(), Some(SIGXFSZ), "{blocks} blocks: {status}");
        assert!(fs::read(&pack).unwrap() == old, "{blocks} blocks");
    }
    assert!(command(&[folder.path()], &pack).arg("--lexical").status().unwrap().success());
    assert!(fs::read(&pack).unwrap() != old);
}
