//! The compile target of the components: `wasm32-wasip2`'s standard library in the sysroot.
//!
//! Three ways, the first that works: it is there; `rustup target add`; built from Debian's copy of
//! this compiler's own sources, for machines that reach a Debian mirror but no toolchain server.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::debian;
use crate::shell::{Scratch, Task, find_program, headline};
use crate::workspace::cargo;

/// The target every component is built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Makes sure that cargo can build for [`TARGET`].
///
/// # Errors
///
/// When none of the three ways works; the message says what to do by hand.
pub(crate) fn ensure_installed() -> Result<()> {
    let compiler = Compiler::ask()?;
    if compiler.has_std() {
        headline("wasm-target", &format!("up to date ({TARGET}, Rust {})", compiler.release));
        return Ok(());
    }
    let scratch = Scratch::new("wasm-target")?;
    if find_program("rustup").is_some() {
        headline("wasm-target", "asking rustup");
        let asked = Task::new("rustup")
            .args(["target", "add", TARGET])
            .run_within(RUSTUP_LIMIT, &scratch.path().join("rustup.log"));
        match asked {
            Ok(()) if compiler.has_std() => {
                headline("wasm-target", "installed by rustup");
                return Ok(());
            }
            Ok(()) => {
                println!("    rustup added it to another toolchain than {}", compiler.release)
            }
            Err(problem) => println!("    {problem}"),
        }
    }
    headline("wasm-target", "building the standard library from Debian's sources of this compiler");
    from_debian(&compiler, scratch.path()).context(REMEDY)?;
    headline("wasm-target", &format!("installed in {}", compiler.target_folder().display()));
    Ok(())
}

/// The Rust compiler in use.
struct Compiler {
    release: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn ask() -> Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let version = Task::new(&rustc).arg("--version").quiet().read()?;
        let release = release(&version)
            .with_context(|| format!("no release number in `rustc --version`: {version}"))?
            .to_owned();
        let sysroot = Task::new(&rustc).args(["--print", "sysroot"]).quiet().read()?;
        Ok(Self { release, sysroot: PathBuf::from(sysroot.trim()) })
    }

    fn target_folder(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(TARGET)
    }

    fn has_std(&self) -> bool {
        fs::read_dir(self.target_folder().join("lib")).is_ok_and(|files| {
            files.flatten().any(|file| {
                let name = file.file_name();
                let name = name.to_string_lossy();
                name.starts_with("libstd-") && name.ends_with(".rlib")
            })
        })
    }
}

/// The release in what `rustc --version` prints; `None` for a nightly or beta, which Debian has not.
fn release(version: &str) -> Option<&str> {
    let number = version.split_whitespace().nth(1)?;
    number.chars().all(|c| c.is_ascii_digit() || c == '.').then_some(number)
}

fn from_debian(compiler: &Compiler, scratch: &Path) -> Result<()> {
    let sources = debian::unpack(&compiler.release, scratch)?;
    let built = build_std(compiler, &sources.rust, scratch)?;

    // Everything is gathered beside its place and moved there in one step: a half-filled target
    // folder would look installed for ever after.
    let target_folder = compiler.target_folder();
    let partial = target_folder.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    let libraries = partial.join("lib");
    let self_contained = libraries.join("self-contained");
    fs::create_dir_all(&self_contained)
        .with_context(|| format!("cannot write to the sysroot: {}", libraries.display()))?;
    let copied = copy_files(&built, &libraries, |name| {
        (name.ends_with(".rlib") || name.ends_with(".rmeta")) && !name.starts_with("libempty-")
    })?;
    ensure!(copied > 0, "the standard library's build left nothing in {}", built.display());
    let copied = copy_files(&sources.wasi_libc.join(TARGET), &self_contained, |name| {
        name.ends_with(".o") || name == "libc.a"
    })?;
    ensure!(copied > 1, "wasi-libc has no start files for {TARGET}: a newer wasi-libc is needed");
    if target_folder.exists() {
        fs::remove_dir_all(&target_folder)?;
    }
    fs::rename(&partial, &target_folder)
        .with_context(|| format!("cannot move into place: {}", target_folder.display()))
}

/// Builds the standard library in an empty package and hands back the folder it is left in.
fn build_std(compiler: &Compiler, rust: &Path, scratch: &Path) -> Result<PathBuf> {
    let _lent = LentSources::lend(compiler, rust)?;
    let package = scratch.join("empty");
    fs::create_dir_all(package.join("src"))?;
    fs::write(package.join("src/lib.rs"), "#![no_std]\n")?;
    fs::write(
        package.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    let target = scratch.join("target");
    let mut task = cargo()
        .args(["build", "--release", "--target", TARGET])
        .arg("-Zbuild-std=std,panic_abort,panic_unwind")
        .folder(&package)
        .env("CARGO_TARGET_DIR", &target)
        // Debian's sources are a stable compiler's; building std from them is a nightly feature.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .remedy("read the compiler's message above; std's own dependencies come from the registry");
    for name in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        task = task.without_env(name);
    }
    task.run_within(BUILD_LIMIT, &scratch.join("build.log"))?;
    Ok(target.join(TARGET).join("release/deps"))
}

/// The compiler's sources, linked into the sysroot while std is built.
struct LentSources(Option<PathBuf>);

impl LentSources {
    fn lend(compiler: &Compiler, rust: &Path) -> Result<Self> {
        let place = compiler.sysroot.join("lib/rustlib/src/rust");
        if place.join("library/std/Cargo.toml").exists() {
            return Ok(Self(None));
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot write to the sysroot: {}", parent.display()))?;
        }
        // A link of an earlier run that was interrupted points nowhere.
        if place.is_symlink() {
            fs::remove_file(&place)?;
        }
        link(rust, &place)
            .with_context(|| format!("cannot link the sources to {}", place.display()))?;
        Ok(Self(Some(place)))
    }
}

impl Drop for LentSources {
    fn drop(&mut self) {
        if let Some(place) = &self.0 {
            // A dangling link is cleared by the next run.
            let _ = fs::remove_file(place);
        }
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(from, to)?)
}

#[cfg(not(unix))]
fn link(_from: &Path, _to: &Path) -> Result<()> {
    anyhow::bail!("Debian's sources are used on Debian only")
}

fn copy_files(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<usize> {
    let mut copied = 0;
    let files = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for file in files {
        let file = file?;
        if wanted(&file.file_name().to_string_lossy()) {
            fs::copy(file.path(), to.join(file.file_name()))?;
            copied += 1;
        }
    }
    Ok(copied)
}

/// How long rustup may take: a minute is ample for 30 MiB, and without a network it fails at once.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

/// How long std may take: 25 s on two idle cores, minutes on busy ones.
const BUILD_LIMIT: Duration = Duration::from_secs(1200);

const REMEDY: &str = "the wasm32-wasip2 target could not be installed; on a machine with access \
    to the Rust toolchain server run `rustup target add wasm32-wasip2`, elsewhere copy \
    lib/rustlib/wasm32-wasip2 from the sysroot of a machine with the same compiler";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_is_read_from_a_stable_compiler_only() {
        assert_eq!(release("rustc 1.95.0 (59807616e 2026-04-14)\n"), Some("1.95.0"));
        assert_eq!(release("rustc 1.95.0 (built from a source tarball)"), Some("1.95.0"));
        assert_eq!(release("rustc 1.97.0-nightly (abc 2026-06-01)"), None);
        assert_eq!(release(""), None);
    }
}
