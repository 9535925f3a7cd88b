//! TLS and mutual TLS by rustls, with certificates that can be replaced while serving.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

/// The files, all in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The service's certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose clients are let in; without them, every client is.
    pub client_ca: Option<PathBuf>,
}

/// TLS as it is served now.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    config: RustlsConfig,
    /// What the files held when they were last looked at.
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Why the files cannot be served; the operator can mend each of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A file is not PEM of the kind expected.
    #[error("{}: expected {expected} in PEM: {reason}", path.display())]
    Malformed {
        /// Which one.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// The parts do not fit together.
    #[error("certificate and key cannot be served together: {0}")]
    Unfit(rustls::Error),
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Unfit(error)
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let seen = files.read()?;
        let config = RustlsConfig::from_config(Arc::new(files.config(&seen)?));
        Ok(Self { files, config, seen: Arc::new(Mutex::new(seen)) })
    }

    /// Serves what the files hold now from the next connection on; returns whether they changed.
    ///
    /// # Errors
    /// [`TlsError`]; what was served before goes on being served.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let found = self.files.read()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == found {
            return Ok(false);
        }
        let config = self.files.config(&found)?;
        self.config.reload_from_config(Arc::new(config));
        *seen = found;
        Ok(true)
    }

    pub(crate) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }
}

impl TlsFiles {
    /// Whether only known clients are let in.
    pub fn is_mutual(&self) -> bool {
        self.client_ca.is_some()
    }

    fn read(&self) -> Result<Vec<Vec<u8>>, TlsError> {
        let paths = [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()];
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|reason| TlsError::File { path: path.clone(), reason })
        };
        paths.into_iter().flatten().map(read).collect()
    }

    fn config(&self, contents: &[Vec<u8>]) -> Result<ServerConfig, TlsError> {
        let content = |at: usize| contents.get(at).map(Vec::as_slice).unwrap_or_default();
        let chain = certificates(&self.certificate, content(0))?;
        let key =
            PrivateKeyDer::from_pem_slice(content(1)).map_err(|error| TlsError::Malformed {
                path: self.key.clone(),
                expected: "a private key",
                reason: error.to_string(),
            })?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let unusable = |error: &dyn std::fmt::Display| TlsError::Malformed {
                    path: path.clone(),
                    expected: "certificates of authorities",
                    reason: error.to_string(),
                };
                let mut roots = RootCertStore::empty();
                for authority in certificates(path, content(2))? {
                    roots.add(authority).map_err(|error| unusable(&error))?;
                }
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build().map_err(|it| unusable(&it))?)
            }
        };
        let mut config = builder.with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let malformed = |reason: String| TlsError::Malformed {
        path: path.to_owned(),
        expected: "certificates",
        reason,
    };
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| malformed(error.to_string()))?;
    if found.is_empty() {
        return Err(malformed("there is none".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_once() {
        let (certificate, key) = ("/nowhere/c.pem".into(), "/nowhere/k.pem".into());
        let fault = Tls::open(TlsFiles { certificate, key, client_ca: None }).err().unwrap();
        let told = format!("{:#}", anyhow::Error::from(fault));
        assert!(told.starts_with("/nowhere/c.pem: "), "{told}");
        assert_eq!(told.matches("os error").count(), 1, "{told}");
    }
}
