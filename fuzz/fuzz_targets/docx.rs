//! The reader of .docx files on whatever the fuzzer finds.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = dossier_readers::read("a.docx", bytes);
});
