//! Writes what is made from the wire types into the folder given, `.` by default.
#![expect(clippy::disallowed_methods, reason = "a program has files and arguments, core has none")]

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let root = env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    for output in dossier_core::openapi::outputs() {
        fs::write(root.join(output.path), output.content)?;
    }
    Ok(())
}
