//! Getting a model's files: a local folder, the cache, the hub; never one whose checksum differs.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};

use super::manifest::{File, Model, Source};

/// A machine without the hub should be told so soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// No place has the files; each with its reason.
#[derive(Debug)]
pub struct NoWeights(pub Vec<String>);

impl fmt::Display for NoWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no weights for the cross-encoder.\n  {}\nCheck the network, or fetch the files elsewhere \
             and pass `--from DIR`.",
            self.0.join("\n  ")
        )
    }
}

impl std::error::Error for NoWeights {}

/// Where and on whose word files are taken.
#[derive(Clone, Debug, Default)]
pub struct Fetch {
    /// A folder with the published files, tried first.
    pub from: Option<PathBuf>,
    /// Checksums that the operator vouches for, for files whose manifest has none.
    pub accepted: Vec<String>,
}

impl Fetch {
    /// Returns a folder that holds every file of `model`, each with its checksum.
    ///
    /// # Errors
    /// [`NoWeights`] where no place has them; else what the system said.
    pub fn obtain(&self, model: &Model) -> Result<PathBuf> {
        let user = etcetera::choose_base_strategy().context("no home folder: set HOME")?;
        let cache = user.cache_dir().join("dossier/downloads").join(&model.id);
        let mut reasons = Vec::new();
        for folder in self.from.iter().chain([&cache]) {
            match self.check_all(model, folder) {
                Ok(()) => return Ok(folder.clone()),
                Err(error) => reasons.push(format!("{}: {error:#}", folder.display())),
            }
        }
        for source in &model.sources {
            let Source::Hub { repository, revision } = source else { continue };
            tracing::info!(repository, licence = model.licence, "fetching the cross-encoder");
            match download_all(model, repository, revision, &cache)
                .and_then(|()| self.check_all(model, &cache))
            {
                Ok(()) => return Ok(cache),
                Err(error) => reasons.push(format!("hub repository {repository}: {error:#}")),
            }
        }
        Err(NoWeights(reasons).into())
    }

    fn check_all(&self, model: &Model, folder: &Path) -> Result<()> {
        model.files.iter().try_for_each(|file| self.check(file, &folder.join(&file.name)))
    }

    fn check(&self, file: &File, path: &Path) -> Result<()> {
        let name = &file.name;
        let bytes = fs::read(path).with_context(|| name.clone())?;
        let got: String = Sha256::digest(&bytes).iter().map(|it| format!("{it:02x}")).collect();
        match &file.sha256 {
            Some(expected) if *expected == got => Ok(()),
            Some(expected) => {
                let length = bytes.len();
                bail!("{name}: wrong checksum: expected {expected}, got {got} ({length} bytes)")
            }
            None if self.accepted.iter().any(|it| it.eq_ignore_ascii_case(&got)) => Ok(()),
            None => bail!(
                "{name}: its manifest has no checksum: compare {got} with what its publisher says, \
                 and pass `--accept {got}`"
            ),
        }
    }
}

fn download_all(model: &Model, repository: &str, revision: &str, cache: &Path) -> Result<()> {
    // A second call finds the provider installed and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(None)
        .build()?;
    for File { name, .. } in &model.files {
        let address = format!("https://huggingface.co/{repository}/resolve/{revision}/{name}");
        let mut reply = client.get(address).send()?.error_for_status()?;
        let path = cache.join(name);
        // Moved into place when whole: a download that is cut leaves nothing to be mistaken for it.
        let part = path.with_extension("part");
        fs::create_dir_all(path.parent().unwrap_or(cache))?;
        reply.copy_to(&mut fs::File::create(&part)?)?;
        fs::rename(part, path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sha256: Option<&str>, accepted: &[&str], expected: Result<(), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        let file = File { name: "a".to_owned(), sha256: sha256.map(str::to_owned) };
        let accepted = accepted.iter().map(|it| (*it).to_owned()).collect();
        let got = Fetch { from: None, accepted }.check(&file, &path);
        match (got, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, expected) => panic!("{got:?} for {expected:?}"),
        }
    }

    #[test]
    fn only_files_with_the_right_checksum_are_taken() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let other = "00".repeat(32);
        check(Some(empty), &[], Ok(()));
        check(Some(&other), &[], Err("wrong checksum"));
        // The operator's word does not overrule the manifest's.
        check(Some(&other), &[empty], Err("wrong checksum"));
        check(None, &[], Err(empty));
        check(None, &[&other], Err("no checksum"));
        check(None, &[empty], Ok(()));
    }
}
