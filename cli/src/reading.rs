//! Reading one file in a process of its own, so that a file made to harm takes nothing along: not
//! the memory, not the time and not the stack of the run that it is found in.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::Context as _;
use dossier_readers::{Content, limits::MAX_FILE_BYTES};
use serde::{Deserialize, Serialize};

/// Name of the command that such a process is started with; it is not for people.
pub(crate) const COMMAND: &str = "read-file";

/// Longest time for one file. The slowest sample takes a hundredth of a second; the rest is for
/// slow machines and thousand pages.
const TIME: Duration = Duration::from_secs(60);

/// Address space of the process: the program itself, the largest file, and what is made of it.
#[cfg(unix)]
const MEMORY_BYTES: u64 = 2 << 30;

/// What the process says.
#[derive(Deserialize, Serialize)]
enum Reply {
    Refused(String),
    Text { text: String, metadata: dossier_readers::Metadata, pages: Vec<usize> },
}

/// Reads the file at `path`, which goes by the name `source`.
///
/// # Errors
/// Why it was not read, and what to do.
pub(crate) fn read(source: &str, path: &Path) -> Result<Content, String> {
    let failed = |error: anyhow::Error| format!("cannot be read: {error:#}");
    let mut child = start(source, path).map_err(failed)?;
    let answer = answer(&mut child);
    // It has ended, or has had its time; either way nothing of it is to stay.
    let _ = child.kill();
    let status = child.wait().map_err(|error| failed(error.into()))?;
    match answer {
        Some(Reply::Text { text, metadata, pages }) => Ok(Content { text, metadata, pages }),
        Some(Reply::Refused(reason)) => Err(reason),
        None if status.code().is_some() => {
            Err("damaged: its reader gave up; export the file anew".to_owned())
        }
        None => Err(format!(
            "damaged, or too large to read: it took more than {} s, or more memory than it may; split it or export it anew",
            TIME.as_secs()
        )),
    }
}

fn start(source: &str, path: &Path) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("this program's own file")?;
    let child = Command::new(program)
        .args([COMMAND, source])
        .stdin(File::open(path)?)
        .stdout(Stdio::piped())
        // What a library says as it gives up is no news to anybody.
        .stderr(Stdio::null())
        .spawn()?;
    Ok(child)
}

/// What the process says within its time; `None` if it says nothing that can be understood.
fn answer(child: &mut Child) -> Option<Reply> {
    let mut output = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A failure to read is an answer cut short, and a receiver that has gone has given up.
        let _ = output.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    serde_json::from_slice(&receiver.recv_timeout(TIME).ok()?).ok()
}

/// The other side: reads standard input and replies on standard output.
pub(crate) fn reply(source: &str) -> anyhow::Result<()> {
    #[cfg(unix)]
    rlimit::setrlimit(rlimit::Resource::AS, MEMORY_BYTES, MEMORY_BYTES)?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let reply = match dossier_readers::read(source, &bytes) {
        Ok(Content { text, metadata, pages }) => Reply::Text { text, metadata, pages },
        Err(error) => Reply::Refused(error.to_string()),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&serde_json::to_vec(&reply)?)?;
    Ok(out.flush()?)
}
