//! Every reader against thousands of damaged files: each ends in a text or an error, within bounds
//! of memory. The damage is made from samples by seeded chance, so that a failure can be repeated.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reports by panicking, and prints what it measured"
)]

use std::{
    alloc::System,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use cap::Cap;
use dossier_readers::read;

/// Counts what the readers take.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Most memory that the reading of a damaged sample may take. The samples are below 50 KiB.
const MAX_BYTES: usize = 256 << 20;

/// Seed of all chance.
const SEED: u64 = 0x5eed_d055_1e12;

/// SplitMix64: small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    /// A stretch of `bytes`, at most a quarter of it.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        start..(start + self.below(length / 4 + 2)).min(length)
    }
}

/// One to four harms: bytes flipped or replaced, stretches cut, doubled or taken from `other`.
fn harm(sample: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        match chance.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            1 if !bytes.is_empty() => {
                bytes[at] = [0, 0xff, b'<', b'9', b'/', b'"'][chance.below(6)]
            }
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(chance.stretch(sample.len()).start.min(at)..at)),
            4 => {
                let doubled = bytes[chance.stretch(bytes.len())].to_vec();
                bytes.splice(at..at, doubled);
            }
            5 => {
                let foreign = other[chance.stretch(other.len())].to_vec();
                bytes.splice(at..at, foreign);
            }
            _ => {
                // A number grows: lengths, offsets and counts are the sharpest edges of a format.
                if let Some(digit) = bytes.iter().skip(at).position(u8::is_ascii_digit) {
                    bytes.splice(at + digit..at + digit, *b"99999");
                }
            }
        }
    }
    bytes
}

fn samples(endings: &[&str]) -> Vec<(String, Vec<u8>)> {
    // Asked for when running: checkouts may share a target folder, and with it this program.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let folder = PathBuf::from(own).join("../tests/documents");
    let files =
        [folder.join("folder"), folder].into_iter().flat_map(|it| fs::read_dir(it).unwrap());
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|it| endings.iter().any(|one| it == *one)));
    files
        .iter()
        .map(|file| {
            (file.file_name().unwrap().to_string_lossy().into_owned(), fs::read(file).unwrap())
        })
        .collect()
}

/// Reads `count` damaged files made from the samples with these endings.
fn check(endings: &[&str], count: usize) {
    let samples = samples(endings);
    assert!(!samples.is_empty(), "no sample of {endings:?}");
    let mut chance = Chance(SEED);
    let mut read_well = 0;
    for n in 0..count {
        let (name, sample) = &samples[n % samples.len()];
        let other = &samples[chance.below(samples.len())].1;
        let bytes = harm(sample, other, &mut chance);
        let outcome = catch_unwind(AssertUnwindSafe(|| read(name, &bytes)));
        let taken = MEMORY.max_allocated();
        assert!(outcome.is_ok(), "{name}, seed {SEED:#x}, file {n}: a panic came through");
        assert!(taken < MAX_BYTES, "{name}, seed {SEED:#x}, file {n}: {taken} bytes of memory");
        read_well += usize::from(outcome.is_ok_and(|it| it.is_ok()));
    }
    println!(
        "{count} damaged files of {endings:?}: {read_well} read all the same, at most {} KiB of memory",
        MEMORY.max_allocated() >> 10
    );
}

/// A panic that a reader catches is no news here.
fn quietly(endings: &[&str], count: usize) {
    std::panic::set_hook(Box::new(|info| {
        if info.location().is_some_and(|it| it.file().ends_with("hostile.rs")) {
            eprintln!("{info}");
        }
    }));
    check(endings, count);
}

macro_rules! formats {
    ($($name:ident: $endings:expr, $few:expr;)*) => {
        $(#[test]
        fn $name() {
            quietly(&$endings, $few);
        })*

        mod ten_thousand {
            $(#[test]
            #[ignore = "takes minutes; run with `cargo nextest run --release --run-ignored only`"]
            fn $name() {
                super::quietly(&$endings, 10_000);
            })*
        }
    };
}

formats! {
    csv: ["csv", "tsv"], 2_000;
    docx: ["docx"], 1_000;
    html: ["html"], 2_000;
    json: ["json"], 2_000;
    pdf: ["pdf"], 500;
    yaml: ["yaml"], 2_000;
}
