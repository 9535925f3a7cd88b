//! Running other programs, and telling the reader about it.
//!
//! Every command is echoed before it starts, a failing one is reported with what it wrote to its
//! standard error and with what to do about it. What the commands mean is left to the callers.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Prints a headline such as `==> model: up to date`.
pub(crate) fn headline(noun: &str, what: &str) {
    println!("==> {noun}: {what}");
}

/// Prints that something is left out, in a form that cannot be overlooked.
pub(crate) fn skip(what: &str, why: &str) {
    println!("SKIP {what}: {why}");
}

/// One program to run, with the remedy that is printed when it fails.
pub(crate) struct Task {
    command: Command,
    remedy: Option<String>,
    echo: bool,
}

impl Task {
    /// Prepares `program`, which is looked up on the PATH unless it is a path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(program), remedy: None, echo: true }
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Sets an environment variable of the program.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Hides an environment variable from the program.
    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Sets the folder that the program runs in.
    pub(crate) fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Says what to do when the program fails.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Runs without the echo, for questions the reader did not ask.
    pub(crate) fn quiet(mut self) -> Self {
        self.echo = false;
        self
    }

    /// Runs, shows both outputs line by line as they come, and hands back how it ended with them.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub(crate) fn watch(mut self) -> Result<(ExitStatus, String)> {
        self.say();
        let line = self.line();
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| self.complaint(&line, "could not be started", ""))?;
        let stdout = child.stdout.take().map(|pipe| thread::spawn(|| relay(pipe)));
        let stderr = child.stderr.take().map(|pipe| thread::spawn(|| relay(pipe)));
        let mut said = String::new();
        for reader in [stdout, stderr].into_iter().flatten() {
            said.push_str(&reader.join().unwrap_or_default());
        }
        Ok((child.wait()?, said))
    }

    /// Runs, leaves the standard error to the terminal (progress bars live there) and hands back
    /// how it ended with its standard output.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub(crate) fn ask(mut self) -> Result<(ExitStatus, String)> {
        self.say();
        let line = self.line();
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| self.complaint(&line, "could not be started", ""))?;
        Ok((output.status, String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Runs with the terminal's own output.
    ///
    /// # Errors
    ///
    /// When the program cannot be started or ends with anything but success.
    pub(crate) fn run(mut self) -> Result<()> {
        self.say();
        let line = self.line();
        let status = self
            .command
            .status()
            .with_context(|| self.complaint(&line, "could not be started", ""))?;
        if !status.success() {
            bail!(self.complaint(&line, &format!("ended with {status}"), ""));
        }
        Ok(())
    }

    /// Runs and hands back the standard output; the standard error is shown only on failure.
    ///
    /// # Errors
    ///
    /// When the program cannot be started or ends with anything but success.
    pub(crate) fn read(mut self) -> Result<String> {
        self.say();
        let line = self.line();
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .with_context(|| self.complaint(&line, "could not be started", ""))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!(self.complaint(&line, &format!("ended with {}", output.status), &stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs with both outputs in `log`, for at most `limit`; an overdue program is ended.
    ///
    /// # Errors
    ///
    /// When the program cannot be started, takes too long or fails; the end of the log is quoted.
    pub(crate) fn run_within(mut self, limit: Duration, log: &Path) -> Result<()> {
        self.say();
        let line = self.line();
        let sink =
            File::create(log).with_context(|| format!("cannot write the log {}", log.display()))?;
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(sink.try_clone()?)
            .stderr(sink)
            .spawn()
            .with_context(|| self.complaint(&line, "could not be started", ""))?;
        let started = Instant::now();
        let outcome = loop {
            if let Some(status) = child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                break format!("ended with {status}");
            }
            if started.elapsed() > limit {
                child.kill()?;
                child.wait()?;
                break format!("was ended after {} s", limit.as_secs());
            }
            thread::sleep(POLL);
        };
        let said = std::fs::read(log).unwrap_or_default();
        bail!(self.complaint(&line, &outcome, &String::from_utf8_lossy(&said)))
    }

    /// Replaces this process by the program, so that signals reach it directly.
    ///
    /// # Errors
    ///
    /// When the program cannot be started; on success this never returns.
    #[cfg(unix)]
    pub(crate) fn replace(mut self) -> Result<()> {
        use std::os::unix::process::CommandExt as _;
        self.say();
        let line = self.line();
        let problem = self.command.exec();
        Err(problem).with_context(|| self.complaint(&line, "could not be started", ""))
    }

    /// Runs the program to its end; this system has no way to replace a process.
    #[cfg(not(unix))]
    pub(crate) fn replace(self) -> Result<()> {
        self.run()
    }

    fn say(&self) {
        if self.echo {
            println!("    $ {}", self.line());
        }
    }

    fn line(&self) -> String {
        let mut line = base_name(self.command.get_program());
        for arg in self.command.get_args() {
            let arg = arg.to_string_lossy();
            let quote = if arg.is_empty() || arg.contains(' ') { "'" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(line, " {quote}{arg}{quote}");
        }
        line
    }

    fn complaint(&self, line: &str, outcome: &str, said: &str) -> String {
        complaint(line, outcome, said, self.remedy.as_deref())
    }
}

/// Finds a program on the PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A folder of its own under the system's temporary folder, removed when dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Creates an empty folder whose name starts with `dossier-<noun>`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be created.
    pub(crate) fn new(noun: &str) -> Result<Self> {
        let process = std::process::id();
        for attempt in 0.. {
            let path = std::env::temp_dir().join(format!("dossier-{noun}-{process}-{attempt}"));
            // `create_dir` refuses what exists, so the folder is ours and nobody else's.
            match std::fs::create_dir(&path) {
                Err(problem) if problem.kind() == ErrorKind::AlreadyExists => {}
                outcome => {
                    outcome
                        .with_context(|| format!("cannot create a folder: {}", path.display()))?;
                    return Ok(Self(path));
                }
            }
        }
        bail!("no free name for a temporary folder")
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder left behind under the temporary folder is no failure of the command.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn relay(pipe: impl Read) -> String {
    let mut said = String::new();
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while pipe.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        said.push_str(&text);
        line.clear();
    }
    said
}

fn base_name(program: &OsStr) -> String {
    let name = Path::new(program).file_name().unwrap_or(program);
    name.to_string_lossy().into_owned()
}

fn complaint(line: &str, outcome: &str, said: &str, remedy: Option<&str>) -> String {
    let mut text = format!("`{line}` {outcome}");
    let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    for said in &lines[lines.len().saturating_sub(QUOTED_LINES)..] {
        text.push_str("\n    | ");
        text.push_str(said);
    }
    if let Some(remedy) = remedy {
        text.push_str("\n  what to do: ");
        text.push_str(remedy);
    }
    text
}

/// How often a program with a time limit is looked at: short beside any program run here.
const POLL: Duration = Duration::from_millis(50);

/// How much of a failed program's output is quoted: a compiler's last error fits.
const QUOTED_LINES: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaint_quotes_the_end_and_names_the_remedy() {
        let said: String = (0..100).map(|n| format!("line {n}\n\n")).collect();
        let text = complaint("apt-get update", "ended with 100", &said, Some("try again"));
        assert!(text.starts_with("`apt-get update` ended with 100\n    | line 60\n"), "{text}");
        assert!(text.ends_with("    | line 99\n  what to do: try again"), "{text}");
    }

    #[test]
    fn line_quotes_arguments_with_spaces() {
        let task = Task::new("/usr/bin/echo").args(["a b", "c", ""]);
        assert_eq!(task.line(), "echo 'a b' c ''");
    }

    #[test]
    fn failing_program_is_an_error_with_its_remedy() {
        let task = Task::new("cargo").arg("no-such-command").remedy("spell it right").quiet();
        let problem = task.read().unwrap_err().to_string();
        assert!(problem.contains("    | "), "{problem}");
        assert!(problem.ends_with("what to do: spell it right"), "{problem}");
    }

    #[test]
    fn missing_program_is_named() {
        let problem = Task::new("no-such-program-here").quiet().read().unwrap_err().to_string();
        assert!(problem.contains("`no-such-program-here` could not be started"), "{problem}");
    }
}
