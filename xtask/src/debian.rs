//! Debian's copy of the Rust compiler's sources, and of wasi-libc.
//!
//! Packages are downloaded and unpacked into a temporary folder. Nothing is installed and the
//! system's own package lists stay as they are: apt is given lists and caches of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell::{Task, find_program};

/// The unpacked sources.
pub(crate) struct Sources {
    /// The compiler's tree, with `library/` in it.
    pub(crate) rust: PathBuf,
    /// A folder with one folder a target: start files and `libc.a`.
    pub(crate) wasi_libc: PathBuf,
}

/// Downloads and unpacks the sources of Rust `release` (such as `1.95.0`) below `scratch`.
///
/// # Errors
///
/// When this is no Debian, its mirror does not answer, or it has no sources of that release.
pub(crate) fn unpack(release: &str, scratch: &Path) -> Result<Sources> {
    for program in ["apt-get", "apt-cache", "dpkg"] {
        if find_program(program).is_none() {
            bail!("no `{program}` on the PATH: this way needs a Debian");
        }
    }
    let mirror = mirror()?;
    let mut seen = Vec::new();
    for suite in SUITES {
        let apt = PrivateApt::new(&mirror, suite, scratch)?;
        apt.task("apt-get").arg("update").remedy(UPDATE_REMEDY).read()?;
        let listed = apt.task("apt-cache").args(["madison", "rust-src"]).read()?;
        let Some(version) = pick_version(&listed, release) else {
            seen.extend(versions(&listed).map(str::to_owned));
            continue;
        };
        let packages = scratch.join("packages");
        fs::create_dir_all(&packages)?;
        apt.task("apt-get")
            .arg("download")
            .arg(format!("rust-src={version}"))
            .arg("wasi-libc")
            .folder(&packages)
            .remedy(UPDATE_REMEDY)
            .read()?;
        return unpack_packages(&packages, scratch);
    }
    bail!(
        "Debian has no sources of Rust {release}, only of: {}\n  what to do: use one of those \
         releases, or install the target by hand",
        if seen.is_empty() { "none".to_owned() } else { seen.join(", ") }
    )
}

fn unpack_packages(packages: &Path, scratch: &Path) -> Result<Sources> {
    let tree = scratch.join("tree");
    for package in fs::read_dir(packages)? {
        Task::new("dpkg").arg("-x").arg(package?.path()).arg(&tree).read()?;
    }
    let usr_src = tree.join("usr/src");
    let rust = fs::read_dir(&usr_src)
        .with_context(|| format!("rust-src left nothing in {}", usr_src.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.join("library/std/Cargo.toml").exists())
        .context("rust-src has no library/std: its layout has changed")?;
    Ok(Sources { rust, wasi_libc: tree.join("usr/lib") })
}

/// The address of the Debian mirror that this machine uses already.
fn mirror() -> Result<String> {
    let listed = Task::new("apt-get")
        .args(["indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"])
        .read()?;
    first_mirror(&listed).map(str::to_owned).context(
        "apt knows no Debian mirror\n  what to do: run `apt-get update` once, or install the \
         target by hand",
    )
}

fn first_mirror(listed: &str) -> Option<&str> {
    listed.lines().find_map(|line| {
        let address = line.strip_prefix("Debian ")?.trim();
        // The security archive has no such suites.
        (!address.is_empty() && !address.contains("security")).then_some(address)
    })
}

/// The first version in `apt-cache madison`'s table whose upstream part is `release`.
fn pick_version<'a>(madison: &'a str, release: &str) -> Option<&'a str> {
    versions(madison).find(|version| {
        version.strip_prefix(release).is_some_and(|rest| rest.starts_with(['+', '-', '~']))
    })
}

fn versions(madison: &str) -> impl Iterator<Item = &str> {
    madison.lines().filter_map(|line| {
        let mut columns = line.split('|').map(str::trim);
        (columns.next()? == "rust-src").then(|| columns.next())?
    })
}

/// apt, with a source list, package lists and caches of its own.
struct PrivateApt {
    options: Vec<String>,
}

impl PrivateApt {
    fn new(mirror: &str, suite: &str, scratch: &Path) -> Result<Self> {
        let home = scratch.join(suite);
        let lists = home.join("lists");
        let cache = home.join("cache");
        fs::create_dir_all(lists.join("partial"))?;
        fs::create_dir_all(cache.join("archives/partial"))?;
        let source = home.join("sources.list");
        fs::write(&source, format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"))?;
        let options = [
            format!("Dir::Etc::SourceList={}", source.display()),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".to_owned(),
            // The download user of apt may not enter a folder that belongs to us.
            "APT::Sandbox::User=root".to_owned(),
        ];
        Ok(Self { options: options.into_iter().collect() })
    }

    fn task(&self, program: &str) -> Task {
        let options = self.options.iter().flat_map(|option| ["-o", option]);
        Task::new(program).arg("-q").args(options).quiet()
    }
}

/// Where Debian keeps a Rust newer than its stable release has, the likeliest first.
const SUITES: &[&str] = &["trixie-backports", "sid"];

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

const UPDATE_REMEDY: &str = "see that `apt-get update` works on this machine, then try again";

#[cfg(test)]
mod tests {
    use super::*;

    const MADISON: &str = "\
  rust-src | 1.95.0+dfsg1-2~bpo13+1 | mirror trixie-backports/main amd64 Packages
  rust-src | 1.85.0+dfsg3-1 | mirror trixie/main amd64 Packages
     rustc | 1.95.0+dfsg1-2~bpo13+1 | mirror trixie-backports/main Sources
";

    #[test]
    fn version_of_the_same_release_is_picked() {
        assert_eq!(pick_version(MADISON, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(pick_version(MADISON, "1.85.0"), Some("1.85.0+dfsg3-1"));
    }

    #[test]
    fn another_release_is_not_picked() {
        assert_eq!(pick_version(MADISON, "1.95"), None);
        assert_eq!(pick_version(MADISON, "1.95.01"), None);
        assert_eq!(pick_version(MADISON, "1.96.0"), None);
        assert_eq!(pick_version("", "1.95.0"), None);
    }

    #[test]
    fn mirror_is_the_first_debian_that_is_not_security() {
        let listed = "Other one/\nDebian security/\nDebian two/\nDebian three/\n";
        assert_eq!(first_mirror(listed), Some("two/"));
        assert_eq!(first_mirror("Ubuntu one/\n"), None);
    }
}
