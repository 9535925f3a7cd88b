//! Fetching a model: sources in order, checksums, conversion, and nothing done twice.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use dossier_core::model::{FILES, convert};
use sha2::{Digest as _, Sha256};

use super::{
    folder,
    manifest::{File, Model},
};
use crate::output::say;

const STAMP: &str = "converted";

/// What happened.
pub(crate) enum Fetched {
    /// The converted model was there.
    UpToDate(PathBuf),
    /// It was fetched and converted.
    Converted(PathBuf),
    /// No source had it; each with its reason.
    NoSource(Vec<String>),
}

/// Makes sure that the converted model is there.
///
/// `from` is a folder with the published files, tried before all sources; `force` converts again.
pub(crate) fn ensure(from: Option<&Path>, force: bool) -> Result<Fetched> {
    let model = Model::default_encoder()?;
    let target = folder::cached()?;
    let stamp = stamp(&model);
    let there = FILES.iter().all(|file| target.join(file).is_file())
        && fs::read_to_string(target.join(STAMP)).is_ok_and(|it| it == stamp);
    if there && !force {
        return Ok(Fetched::UpToDate(target));
    }
    let downloads = folder::cache()?.join("downloads").join(&model.id);
    fs::create_dir_all(&downloads).with_context(|| downloads.display().to_string())?;
    if let Some(reasons) = obtain(&model, from, &downloads)? {
        return Ok(Fetched::NoSource(reasons));
    }
    say!("converting {} ({})", model.id, model.licence);
    let read = |name: &str| fs::read(downloads.join(name)).with_context(|| name.to_owned());
    let converted = convert(&read("tokenizer.json")?, &read("model.safetensors")?, model.heads)?;
    // All or nothing: a run that is killed leaves no half of a model.
    let parent = target.parent().context("the model's folder has no parent")?;
    fs::create_dir_all(parent)?;
    let fresh = tempfile::tempdir_in(parent)?;
    let files = [converted.tokenizer, converted.vocabulary, converted.weights];
    for (name, bytes) in FILES.into_iter().zip(files) {
        fs::write(fresh.path().join(name), bytes)?;
    }
    fs::write(fresh.path().join(STAMP), stamp)?;
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    fs::rename(fresh.keep(), &target)?;
    Ok(Fetched::Converted(target))
}

fn stamp(model: &Model) -> String {
    let sums: Vec<&str> = model.files.iter().map(|file| file.sha256.as_str()).collect();
    format!("{} {}", model.converted_id(), sums.join(" "))
}

/// Gets the published files into `downloads`. Returns the reasons where no source had them.
fn obtain(model: &Model, from: Option<&Path>, downloads: &Path) -> Result<Option<Vec<String>>> {
    if check_all(model, downloads).is_ok() {
        return Ok(None);
    }
    let mut reasons = Vec::new();
    if let Some(folder) = from {
        say!("copying the model from {}", folder.display());
        match copy(model, folder, downloads).and_then(|()| check_all(model, downloads)) {
            Ok(()) => return Ok(None),
            Err(error) => reasons.push(format!("{}: {error:#}", folder.display())),
        }
    }
    for source in &model.sources {
        say!("fetching the model ({} MB) from {source}", total_megabytes(model));
        match source.fetch(model, downloads).and_then(|()| check_all(model, downloads)) {
            Ok(()) => return Ok(None),
            Err(error) => {
                say!("  not from there: {error:#}");
                reasons.push(format!("{source}: {error:#}"));
            }
        }
    }
    Ok(Some(reasons))
}

fn total_megabytes(model: &Model) -> u64 {
    model.files.iter().map(|file| file.bytes).sum::<u64>() / 1_000_000
}

fn copy(model: &Model, folder: &Path, downloads: &Path) -> Result<()> {
    for file in &model.files {
        fs::copy(folder.join(&file.name), downloads.join(&file.name)).context(file.name.clone())?;
    }
    Ok(())
}

fn check_all(model: &Model, downloads: &Path) -> Result<()> {
    model.files.iter().try_for_each(|file| check(file, &downloads.join(&file.name)))
}

/// Compares a file with the manifest; one that differs is moved aside and never used.
fn check(file: &File, path: &Path) -> Result<()> {
    let mut hash = Sha256::new();
    let bytes = fs::read(path).with_context(|| file.name.clone())?;
    hash.update(&bytes);
    let got: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if got != file.sha256 {
        let aside = path.with_extension("refused");
        fs::rename(path, &aside)?;
        bail!(
            "{}: wrong checksum: expected {} ({} bytes), got {got} ({} bytes); kept aside as {}",
            file.name,
            file.sha256,
            file.bytes,
            bytes.len(),
            aside.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_checksum_is_refused_and_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        fs::write(&path, "not it").unwrap();
        let file = File { name: "tokenizer.json".to_owned(), bytes: 9, sha256: "00".repeat(32) };
        let error = check(&file, &path).unwrap_err().to_string();
        assert!(error.contains("wrong checksum") && error.contains("(6 bytes)"), "{error}");
        assert!(!path.exists() && folder.path().join("tokenizer.refused").exists());
    }

    #[test]
    fn the_right_one_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let file = File { name: "a".to_owned(), bytes: 0, sha256: empty.to_owned() };
        assert!(check(&file, &path).is_ok());
    }
}
