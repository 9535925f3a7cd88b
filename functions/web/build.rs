//! Lists the files of `static/` and the API's description, so that a new file is served without
//! being named in code.
#![expect(clippy::expect_used, clippy::panic, reason = "a build script reports by panicking")]

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() {
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = own.join("static");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut code = String::from("/// Every file of the page.\nstatic FILES: &[File] = &[\n");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("static/ can be listed")
        .map(|entry| entry.expect("static/ can be listed").path())
        .collect();
    files.push(own.join("../../docs/openapi.json"));
    files.sort();
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
        let content_type = match file.extension().and_then(|ending| ending.to_str()) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("json") => "application/json",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            other => panic!("{name}: no content type for the ending {other:?}"),
        };
        writeln!(
            code,
            "    ({:?}, {content_type:?}, include_bytes!({file:?})),",
            format!("/{name}")
        )
        .expect("a string can be written");
    }
    code.push_str("];\n");
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("files.rs");
    fs::write(out, code).expect("OUT_DIR can be written");
}
