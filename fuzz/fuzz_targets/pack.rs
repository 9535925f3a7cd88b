//! An index pack of whatever the fuzzer finds, opened and searched.
#![no_main]

libfuzzer_sys::fuzz_target!(init: dossier_fuzz::forgive_libraries(), |bytes: &[u8]| {
    dossier_fuzz::pack(bytes);
});
