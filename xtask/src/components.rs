//! The components: built one by one for the wasm target, copied to one place, weighed. What is slow
//! to open is opened here, by `dossier preinitialise`, and not when the first visitor asks.
//!
//! Each is built alone, because a build of several at once would join their features.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::shell::{Task, find_program, headline};
use crate::wasm_target::TARGET;
use crate::workspace::{Workspace, build_flags};

/// A component of the application.
pub(crate) struct Component {
    /// What its file is called in [`FOLDER`].
    pub(crate) name: &'static str,
    /// The package that it is built from.
    pub(crate) package: &'static str,
    /// Whether it opens what it embeds when it is built.
    opens_ahead: bool,
    budget: Option<Budget>,
}

/// The components, in the order in which they are built.
pub(crate) const COMPONENTS: &[Component] = &[
    Component {
        name: "chat",
        package: "dossier-chat",
        opens_ahead: true,
        budget: Some(CHAT_BUDGET),
    },
    Component { name: "feedback", package: "dossier-feedback", opens_ahead: false, budget: None },
    Component { name: "health", package: "dossier-health", opens_ahead: false, budget: None },
    Component { name: "web", package: "dossier-web", opens_ahead: false, budget: None },
    Component { name: "probe", package: "dossier-probe", opens_ahead: false, budget: None },
];

/// Where the finished components are, below the repository: `spin.toml` and the tests name it.
pub(crate) const FOLDER: &str = "target/components";

/// Builds every component, of which one needs `dossier`, and prints the table of sizes.
///
/// # Errors
///
/// When a build fails. A component over its budget is not an error here; see
/// [`Sizes::within_budget`].
pub(crate) fn prepare(workspace: &Workspace) -> Result<Sizes> {
    let folder = workspace.path(FOLDER);
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create a folder: {}", folder.display()))?;
    let packer = Packer::find();
    let mut sizes = Sizes { packer, rows: Vec::new() };
    for component in COMPONENTS {
        workspace
            .cargo(&["build", "-p", component.package, "--target", TARGET])
            .args(build_flags())
            .run()?;
        let file = format!("{}.wasm", component.package.replace('-', "_"));
        let built = workspace.release(Some(TARGET), &file);
        let place = folder.join(format!("{}.wasm", component.name));
        let changed = match component.opens_ahead {
            true => open_ahead(workspace, &built, &place)?,
            false => copy_if_changed(&built, &place)?,
        };
        headline(component.name, if changed { "built" } else { "up to date" });
        let bytes = fs::metadata(&place)?.len();
        let packed = packer.map(|packer| packer.weigh(&place, changed)).transpose()?;
        sizes.rows.push(Row { name: component.name, bytes, packed, budget: component.budget });
    }
    print!("{}", sizes.table());
    Ok(sizes)
}

/// Writes `built` to `to` as it is after its initialisation, unless that was done before, and says
/// whether it did. The component as it was built stays beside it, to tell.
fn open_ahead(workspace: &Workspace, built: &Path, to: &Path) -> Result<bool> {
    let before = to.with_extension("lazy.wasm");
    if to.exists() && is_same(built, &before)? {
        return Ok(false);
    }
    Task::new(workspace.dossier()).arg("preinitialise").arg(built).arg("--out").arg(to).run()?;
    copy_if_changed(built, &before)?;
    Ok(true)
}

fn is_same(one: &Path, other: &Path) -> Result<bool> {
    let bytes = fs::read(one).with_context(|| format!("cannot read {}", one.display()))?;
    Ok(fs::read(other).is_ok_and(|it| it == bytes))
}

/// How heavy the components are.
pub(crate) struct Sizes {
    packer: Option<Packer>,
    rows: Vec<Row>,
}

impl Sizes {
    /// Refuses components over their budgets.
    ///
    /// # Errors
    ///
    /// Names every component that is too heavy.
    pub(crate) fn within_budget(&self) -> Result<()> {
        let over: Vec<_> = self.rows.iter().filter(|row| row.is_over()).map(|r| r.name).collect();
        if over.is_empty() {
            return Ok(());
        }
        bail!("over the size budget: {}", over.join(", "))
    }

    fn table(&self) -> String {
        let packed_by = self.packer.map_or("no packer", |packer| packer.label());
        let mut table = format!(
            "{:<10} {:>10} {:>8} {:>10} {:>17}\n",
            "component", "bytes", "MiB", packed_by, "budget"
        );
        for row in &self.rows {
            let packed =
                row.packed.map_or_else(|| "-".to_owned(), |size| format!("{:.2}", mib(size)));
            let budget = row.budget.map_or_else(
                || "-".to_owned(),
                |budget| format!("{:.0} / {:.0} MiB", mib(budget.bytes), mib(budget.packed)),
            );
            let verdict = if row.is_over() { "over" } else { "ok" };
            // Writing to a String cannot fail.
            let _ = writeln!(
                table,
                "{:<10} {:>10} {:>8.2} {packed:>10} {budget:>17}  {verdict}",
                row.name,
                row.bytes,
                mib(row.bytes)
            );
        }
        table
    }
}

struct Row {
    name: &'static str,
    bytes: u64,
    packed: Option<u64>,
    budget: Option<Budget>,
}

impl Row {
    fn is_over(&self) -> bool {
        self.budget.is_some_and(|budget| {
            self.bytes > budget.bytes || self.packed.is_some_and(|packed| packed > budget.packed)
        })
    }
}

/// The most a component may weigh, in bytes.
#[derive(Clone, Copy)]
struct Budget {
    bytes: u64,
    packed: u64,
}

/// The program that tells how small a component gets on its way to a platform.
#[derive(Clone, Copy)]
enum Packer {
    Gzip,
    Zstd,
}

impl Packer {
    /// gzip first: registries and platforms speak it, and it is nearly everywhere.
    fn find() -> Option<Self> {
        [Self::Gzip, Self::Zstd].into_iter().find(|packer| find_program(packer.program()).is_some())
    }

    fn program(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Gzip => "gzip -9",
            Self::Zstd => "zstd -9",
        }
    }

    /// The compressed size in bytes; kept beside the component, since packing takes seconds.
    fn weigh(self, file: &Path, changed: bool) -> Result<u64> {
        let note = file.with_extension(format!("wasm.{}-bytes", self.program()));
        if !changed {
            let noted = fs::read_to_string(&note).ok().and_then(|text| text.trim().parse().ok());
            if let Some(bytes) = noted {
                return Ok(bytes);
            }
        }
        let mut child = Command::new(self.program())
            .args(["-9", "-c"])
            .stdin(fs::File::open(file)?)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut pipe = child.stdout.take().context("no pipe")?;
        let bytes = std::io::copy(&mut pipe, &mut std::io::sink())?;
        if !child.wait()?.success() {
            bail!("`{}` failed on {}", self.label(), file.display());
        }
        fs::write(&note, format!("{bytes}\n"))?;
        Ok(bytes)
    }
}

/// Copies a file unless its copy is the same already, and says whether it did.
///
/// The copy's time is left alone where nothing changed, for whatever watches it.
fn copy_if_changed(from: &Path, to: &Path) -> Result<bool> {
    if is_same(from, to)? {
        return Ok(false);
    }
    // Written beside and moved: a running host never reads half a component.
    let partial = to.with_extension("partial");
    fs::copy(from, &partial)?;
    fs::rename(&partial, to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(true)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

const MIB: u64 = 1024 * 1024;

/// The tightest platform takes applications of 50 MiB; compressed, 32 MiB keep a pull short.
const CHAT_BUDGET: Budget = Budget { bytes: 50 * MIB, packed: 32 * MIB };

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: u64, packed: Option<u64>) -> Sizes {
        let chat = Row { name: "chat", bytes, packed, budget: Some(CHAT_BUDGET) };
        let web = Row { name: "web", bytes: 90 * MIB, packed: Some(MIB / 2), budget: None };
        Sizes { packer: Some(Packer::Gzip), rows: vec![chat, web] }
    }

    #[test]
    fn table_says_what_is_ok_and_what_is_over() {
        let text = sizes(50 * MIB, Some(32 * MIB)).table();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("gzip -9"), "{text}");
        assert!(lines[1].starts_with("chat         52428800    50.00      32.00"), "{text}");
        assert!(lines[1].ends_with("50 / 32 MiB  ok"), "{text}");
        assert!(lines[2].ends_with("-  ok"), "{text}");
        let text = sizes(50 * MIB + 1, Some(32 * MIB)).table();
        assert!(text.lines().nth(1).is_some_and(|line| line.ends_with("over")), "{text}");
    }

    #[test]
    fn either_size_can_break_the_budget() {
        assert!(sizes(50 * MIB, Some(32 * MIB)).within_budget().is_ok());
        assert!(sizes(50 * MIB, None).within_budget().is_ok());
        assert!(sizes(50 * MIB + 1, None).within_budget().is_err());
        let problem = sizes(MIB, Some(32 * MIB + 1)).within_budget().unwrap_err();
        assert_eq!(problem.to_string(), "over the size budget: chat");
    }

    #[test]
    fn unchanged_copy_is_left_alone() {
        let scratch = crate::shell::Scratch::new("copy-test").unwrap();
        let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
        fs::write(&from, "one").unwrap();
        assert!(copy_if_changed(&from, &to).unwrap());
        assert!(!copy_if_changed(&from, &to).unwrap());
        fs::write(&from, "two").unwrap();
        assert!(copy_if_changed(&from, &to).unwrap());
        assert_eq!(fs::read_to_string(&to).unwrap(), "two");
    }
}
