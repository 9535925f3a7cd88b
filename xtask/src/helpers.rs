//! The programs only tests need: a Python with ONNX Runtime and other people's clients, a browser,
//! its driver for Node, Postgres.
//!
//! Each is installed when it is missing and can be had. What cannot be had is skipped in plain
//! sight, and its variable stays unset, which is how the tests know.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::shell::{Scratch, Task, find_program, headline, skip};
use crate::workspace::{Workspace, newest_change};

/// What could be had.
pub(crate) struct Helpers {
    /// A Python that has what [`REQUIREMENTS`] lists.
    pub(crate) python: Option<PathBuf>,
    /// A Chromium or Chrome.
    pub(crate) chromium: Option<PathBuf>,
    /// Node, with the packages of the browser tests beside them.
    pub(crate) node: Option<PathBuf>,
    /// The folder of Postgres' programs.
    pub(crate) postgres: Option<PathBuf>,
    /// What is skipped for want of a helper, and why.
    pub(crate) skipped: Vec<String>,
}

impl Helpers {
    /// Finds the helpers and installs what is missing.
    ///
    /// # Errors
    ///
    /// When no temporary folder can be made; a missing helper is not an error.
    pub(crate) fn prepare(workspace: &Workspace) -> Result<Self> {
        let scratch = Scratch::new("helpers")?;
        let mut helpers =
            Self { python: None, chromium: None, node: None, postgres: None, skipped: Vec::new() };
        helpers.python =
            helpers.keep("ONNX Runtime and other people's clients", python(workspace, &scratch));
        helpers.postgres = helpers.keep("feedback in Postgres", postgres(&scratch));
        let has_browser_tests = workspace.path(BROWSER_TESTS).join("package.json").exists();
        if has_browser_tests {
            helpers.chromium = helpers.keep("browser", chromium(&scratch));
            helpers.node = helpers.keep("browser tests", node(workspace, &scratch));
        }
        Ok(helpers)
    }

    /// Gives a program the variables by which tests find the helpers.
    pub(crate) fn export(&self, task: Task) -> Task {
        let named = [
            ("DOSSIER_PYTHON", &self.python),
            ("CHROMIUM", &self.chromium),
            ("DOSSIER_POSTGRES", &self.postgres),
        ];
        named.into_iter().fold(task, |task, (name, path)| match path {
            Some(path) => task.env(name, path),
            None => task,
        })
    }

    fn keep(&mut self, what: &str, found: Result<PathBuf>) -> Option<PathBuf> {
        match found {
            Ok(path) => Some(path),
            Err(problem) => {
                let why = format!("{problem:#}");
                skip(what, &why);
                let first = why.lines().next().unwrap_or_default();
                self.skipped.push(format!("{what}: {first}"));
                None
            }
        }
    }
}

fn python(workspace: &Workspace, scratch: &Scratch) -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("DOSSIER_PYTHON") {
        return Ok(chosen.into());
    }
    let venv = workspace.cache().join("venv");
    let python = venv.join("bin/python");
    let requirements = workspace.path(REQUIREMENTS);
    if imports_work(&python) {
        headline("python", "up to date");
        return Ok(python);
    }
    headline("python", &format!("installing {REQUIREMENTS} in {}", venv.display()));
    let log = scratch.path().join("python.log");
    Task::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv)
        .remedy("install Python 3 with its venv module")
        .run_within(INSTALL_LIMIT, &log)?;
    Task::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .arg("--requirement")
        .arg(requirements)
        .remedy("set DOSSIER_PYTHON to a Python that has them")
        .run_within(INSTALL_LIMIT, &log)?;
    imports_work(&python).then_some(python).context("what pip installed cannot be imported")
}

fn imports_work(python: &Path) -> bool {
    python.exists()
        && Task::new(python)
            .args(["-c", "import cohere, mcp, numpy, onnxruntime, openai, schemathesis"])
            .quiet()
            .read()
            .is_ok()
}

fn chromium(scratch: &Scratch) -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Ok(chosen.into());
    }
    if let Some(found) = installed_browser() {
        headline("browser", &format!("up to date ({})", found.display()));
        return Ok(found);
    }
    install("chromium", "CHROMIUM", scratch)?;
    installed_browser().context("apt-get installed no chromium on the PATH")
}

/// Installs a package of Debian's, where that is possible; `variable` is another way out.
fn install(package: &str, variable: &str, scratch: &Scratch) -> Result<()> {
    let may_install = find_program("apt-get").is_some()
        && Task::new("id").arg("-u").quiet().read().is_ok_and(|user| user.trim() == "0");
    if !may_install {
        anyhow::bail!("no {package} here\n  what to do: install it, or set {variable}");
    }
    headline(package, "installing Debian's package");
    let log = scratch.path().join("apt.log");
    let apt = |args: &[&str]| {
        Task::new("apt-get")
            .args(["-q", "-y"])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .remedy(format!("install {package} by hand, or set {variable}"))
            .run_within(INSTALL_LIMIT, &log)
    };
    let install = ["install", "--no-install-recommends", package];
    // Lists are refreshed only when the ones at hand name packages that are gone.
    apt(&install).or_else(|_| apt(&["update"]).and_then(|()| apt(&install)))
}

fn postgres(scratch: &Scratch) -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("DOSSIER_POSTGRES") {
        return Ok(chosen.into());
    }
    if let Some(found) = installed_postgres() {
        headline("postgres", &format!("up to date ({})", found.display()));
        return Ok(found);
    }
    install("postgresql", "DOSSIER_POSTGRES", scratch)?;
    installed_postgres().context("apt-get installed no postgres")
}

/// Debian keeps the server's programs away from the PATH.
fn installed_postgres() -> Option<PathBuf> {
    let linked = find_program("initdb").and_then(|program| program.canonicalize().ok());
    let linked = linked.and_then(|program| program.parent().map(Path::to_owned));
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    linked.into_iter().chain(folders).find(|folder| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file())
    })
}

fn installed_browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find_program)
}

fn node(workspace: &Workspace, scratch: &Scratch) -> Result<PathBuf> {
    let node =
        find_program("node").context("no node on the PATH\n  what to do: install Node 20")?;
    let folder = workspace.path(BROWSER_TESTS);
    // npm writes this file last, so it tells of a finished installation and of its time.
    let installed = newest_change(&folder.join("node_modules/.package-lock.json"));
    let wanted = newest_change(&folder.join("package-lock.json"));
    if installed.is_some() && installed >= wanted {
        headline("npm", "up to date");
        return Ok(node);
    }
    headline("npm", &format!("installing the packages of {BROWSER_TESTS}"));
    Task::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .folder(&folder)
        .remedy("see that npm reaches its registry, then try again")
        .run_within(INSTALL_LIMIT, &scratch.path().join("npm.log"))?;
    Ok(node)
}

/// Where the browser tests are, below the repository.
pub(crate) const BROWSER_TESTS: &str = "tests/browser";

/// What is installed into the Python of the tests, below the repository.
const REQUIREMENTS: &str = "tests/clients/requirements.txt";

/// How long one installation may take: ONNX Runtime and Chromium are about 100 MiB each.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
