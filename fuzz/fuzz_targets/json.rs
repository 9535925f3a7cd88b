//! A .json file of whatever the fuzzer finds, from its bytes to its chunks.
#![no_main]

libfuzzer_sys::fuzz_target!(init: dossier_fuzz::forgive_libraries(), |bytes: &[u8]| {
    dossier_fuzz::file("a.json", bytes);
});
