//! Where things are: the repository, the target folder, the user's cache.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use etcetera::BaseStrategy as _;
use serde_json::Value;

use crate::shell::Task;

/// The folders every command needs.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    cache: PathBuf,
    packages: Vec<Package>,
}

impl Workspace {
    /// Asks cargo, so that `CARGO_TARGET_DIR` and every configuration file are honoured.
    ///
    /// # Errors
    ///
    /// When cargo cannot read the workspace or the user has no home folder.
    pub(crate) fn find() -> Result<Self> {
        // As cargo says now: checkouts may share a target folder, and with it this program.
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let manifest = own.join("Cargo.toml");
        let metadata = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
            .arg(manifest)
            .quiet()
            .read()?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let folder = |name: &str| {
            let path = metadata[name].as_str().map(PathBuf::from);
            path.with_context(|| format!("cargo metadata has no {name}"))
        };
        let root = folder("workspace_root")?;
        let target = folder("target_directory")?;
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let packages = packages.filter_map(|value| Package::read(value, &root)).collect();
        let base = etcetera::choose_base_strategy().context("no home folder: set HOME")?;
        let cache = base.cache_dir().join("dossier");
        Ok(Self { root, target, cache, packages })
    }

    /// The repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// What is kept between runs for this user: the model, the Python helpers, cargo's tools.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// A finished release file, such as `dossier` or `wasm32-wasip2/dossier_chat.wasm`.
    pub(crate) fn release(&self, target: Option<&str>, file: &str) -> PathBuf {
        let folder = target.map_or_else(|| self.target.clone(), |name| self.target.join(name));
        folder.join("release").join(file)
    }

    /// The product's own binary.
    pub(crate) fn dossier(&self) -> PathBuf {
        self.release(None, &format!("dossier{}", std::env::consts::EXE_SUFFIX))
    }

    /// Cargo, run in the repository.
    pub(crate) fn cargo(&self, args: &[&str]) -> Task {
        cargo().args(args).folder(&self.root)
    }

    /// The package that each folder of the workspace holds, and what it names as dependencies.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }
}

/// One member of the workspace, as its manifest has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Package {
    /// The name in the manifest.
    pub(crate) name: String,
    /// The manifest's path below the repository, with `/` between folders.
    pub(crate) manifest: String,
    /// Names of all direct dependencies, of every kind.
    pub(crate) dependencies: Vec<String>,
}

impl Package {
    fn read(value: &Value, root: &Path) -> Option<Self> {
        let manifest = Path::new(value["manifest_path"].as_str()?);
        let manifest = manifest.strip_prefix(root).unwrap_or(manifest);
        let dependencies = value["dependencies"].as_array()?;
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            manifest: manifest.to_string_lossy().replace('\\', "/"),
            dependencies: dependencies
                .iter()
                .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
                .collect(),
        })
    }
}

/// The cargo that runs this command, or the one on the PATH, free of what `cargo run` adds.
///
/// `cargo run` describes xtask itself in `CARGO_PKG_*` and `CARGO_MANIFEST_*`. Build scripts that
/// watch those (ring's does) would see them come and go with the way cargo was started, and be run
/// again with everything above them.
pub(crate) fn cargo() -> Task {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        .fold(Task::new(program), |task, name| task.without_env(&name))
}

/// The flags of every build: the one profile, and in CI the lock file as it was committed.
pub(crate) fn build_flags() -> &'static [&'static str] {
    if std::env::var_os("CI").is_some() { &["--release", "--locked"] } else { &["--release"] }
}

/// The newest change to a file, or to any file or folder below a folder; `None` when it is absent.
pub(crate) fn newest_change(path: &Path) -> Option<SystemTime> {
    let own = path.metadata().ok()?.modified().ok()?;
    let below = std::fs::read_dir(path).into_iter().flatten().flatten();
    below.filter_map(|entry| newest_change(&entry.path())).chain([own]).max()
}
