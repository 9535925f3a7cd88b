//! What the fuzzer has found: every input of `fuzz/corpus` ends in a text or an error, within bounds
//! of memory. New inputs are found by `cargo xtask fuzz`; this only keeps what it learned.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test reports by panicking")]

#[path = "../../fuzz/src/docx.rs"]
mod archive;

use std::{
    alloc::System,
    fs, panic,
    path::PathBuf,
    sync::{Mutex, Once},
};

use cap::Cap;
use dossier_readers::read;

/// Counts what the readers take.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Most memory that the reading of an input may take, as for damaged samples (`hostile.rs`). The
/// inputs are below 50 KiB.
const MAX_BYTES: usize = 256 << 20;

/// Panics of the readers' own code. `read` catches them like those of a library, but a library may.
static OURS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", |it| it.file()).replace('\\', "/");
            if file.contains("readers/src/") {
                OURS.lock().unwrap().push(info.to_string());
            }
            report(info);
        }));
    });
}

/// Reads every input of a target, named as the target names it.
fn check(target: &str) {
    watch_panics();
    // Asked for when running: checkouts may share a target folder, and with it this program.
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let entries = fs::read_dir(own.join("../fuzz/corpus").join(target)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no input for {target}");
    for file in files {
        let input = fs::read(&file).unwrap();
        let bytes = if target == "docx" { archive::whole(&input) } else { input.as_slice().into() };
        // A text or an error; an overflow of the stack ends the test.
        let _ = read(&format!("a.{target}"), &bytes);
        let taken = MEMORY.max_allocated();
        let ours = OURS.lock().unwrap().clone();
        assert!(ours.is_empty(), "{}: {ours:?}", file.display());
        assert!(taken < MAX_BYTES, "{}: {taken} bytes of memory", file.display());
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*
    };
}

targets! { csv docx html json pdf yaml }
