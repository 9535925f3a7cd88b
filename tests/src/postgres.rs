//! A Postgres server of a test's own: a free port on loopback, a folder that goes with it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context as _, Result, ensure};

/// Has what URLs must escape.
const PASSWORD: &str = "p@ss/word%";
const ESCAPED: &str = "p%40ss%2Fword%25";
/// The user that a server of root's runs as, since Postgres refuses to run as root.
const NOBODY: u32 = 65_534;
/// Tries to find a port that nobody else has taken meanwhile.
const ATTEMPTS: usize = 5;

/// A running server; dropping it stops it.
pub struct Postgres {
    programs: PathBuf,
    folder: tempfile::TempDir,
    owner: Option<u32>,
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// Starts a server, or returns `None` on a machine without one.
    ///
    /// # Errors
    /// It is there and does not start.
    pub fn start() -> Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let root = fs::metadata(folder.path())?.uid() == 0;
        let owner = root.then_some(NOBODY);
        chown(folder.path(), owner, owner)?;
        let mut postgres = Self { programs, folder, owner, port: 0, server: None };
        let password = postgres.folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        chown(&password, owner, owner)?;
        let output = postgres
            .program("initdb")
            .args(["--username=dossier", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"])
            .arg(format!("--pwfile={}", password.display()))
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "initdb: {said}");
        for _ in 0..ATTEMPTS {
            postgres.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            if postgres.resume().is_ok() {
                return Ok(Some(postgres));
            }
        }
        postgres.resume()?;
        Ok(Some(postgres))
    }

    /// Lets in only clients that speak TLS, from the next start on.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn require_tls(&self) -> Result<()> {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let data = self.data();
        for (name, text) in [
            ("server.crt", own.cert.pem()),
            ("server.key", own.signing_key.serialize_pem()),
            ("pg_hba.conf", "hostssl all all 127.0.0.1/32 scram-sha-256\n".to_owned()),
            ("postgresql.auto.conf", "ssl = on\n".to_owned()),
        ] {
            let file = data.join(name);
            fs::write(&file, text)?;
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            chown(&file, self.owner, self.owner)?;
        }
        Ok(())
    }

    /// Starts the server again on its port.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn resume(&mut self) -> Result<()> {
        let mut server = self
            .program("postgres")
            .args(["-h", "127.0.0.1", "-k", "", "-F", "-p", &self.port.to_string()])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(server.stderr.take().context("no pipe")?).lines();
        let ready = lines.any(|line| line.is_ok_and(|it| it.contains("ready to accept")));
        // Read on, or the server would wait for somebody to do so.
        thread::spawn(move || lines.for_each(drop));
        self.server = Some(server);
        ensure!(ready, "postgres ended before it was ready");
        Ok(())
    }

    /// Stops the server at once, as a crash would.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let mode = ["-m", "immediate", "-w", "stop"];
            let stopped = self.program("pg_ctl").args(mode).stdout(Stdio::null()).status();
            if !stopped.is_ok_and(|status| status.success()) {
                let _ = server.kill();
            }
            let _ = server.wait();
        }
    }

    /// `postgres://host:port`.
    pub fn origin(&self) -> String {
        format!("postgres://127.0.0.1:{}", self.port)
    }

    /// The address with user, password and database.
    pub fn url(&self) -> String {
        format!("postgres://dossier:{ESCAPED}@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.arg("-D").arg(self.data()).env_clear().env("LC_ALL", "C");
        // The folder that a test runs in may be closed to that user.
        command.current_dir(self.folder.path());
        if let Some(owner) = self.owner {
            command.uid(owner).gid(owner);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The folder of the server's programs: `DOSSIER_POSTGRES`, or where Debian and the PATH have them.
fn programs() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("DOSSIER_POSTGRES") {
        return Some(chosen.into());
    }
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = folders.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let complete = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|name| Path::is_file(&folder.join(name)))
    };
    folders.chain(path).find(complete)
}
