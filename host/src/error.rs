//! Why a host cannot be loaded or go on: one enum, whose variants say whose fault it is.

use crate::manifest::ManifestError;
use crate::outbound::HostPatternError;
use crate::store::StoreError;
use crate::variables::VariableError;
use std::io;
use std::path::PathBuf;

/// A failure to load or serve. Failures of single requests become HTTP responses instead.
///
/// Messages end with the remedy and so have their reason within; none is a source as well, or whoever
/// prints the chain would print it twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The component is not one, or was built for another runtime.
    #[error("component {id}: {}: cannot be compiled: {reason:#}; build it for wasm32-wasip2", path.display())]
    Compile {
        /// The component.
        id: String,
        /// Its file.
        path: PathBuf,
        /// What the compiler said.
        reason: wasmtime::Error,
    },
    /// The component's file is not there.
    #[error("component {id}: {}: {reason}; build the component, or correct component.{id}.source in the manifest", path.display())]
    ComponentFile {
        /// The component.
        id: String,
        /// Its file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The machine does not let the runtime start.
    #[error(
        "the WebAssembly runtime cannot start: {reason:#}; lower Limits::instances or Limits::instance_memory if address space is scarce"
    )]
    Engine {
        /// What the runtime said.
        reason: wasmtime::Error,
    },
    /// A variable turned an allowed host into nonsense.
    #[error("component.{id}.allowed_outbound_hosts: {reason}")]
    HostPattern {
        /// The component.
        id: String,
        /// The pattern and the rule it breaks.
        reason: HostPatternError,
    },
    /// The component wants something this host does not offer.
    #[error(
        "component {id}: cannot be linked: {reason:#}; this host offers WASI 0.2 and 0.3, wasi:http, wasi:keyvalue, spin:key-value, spin:sqlite, spin:postgres and spin:variables"
    )]
    Link {
        /// The component.
        id: String,
        /// What is missing.
        reason: wasmtime::Error,
    },
    /// The manifest's author must mend it.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The component cannot answer HTTP.
    #[error(
        "component {id}: exports neither wasi:http/handler@0.3.0 nor wasi:http/incoming-handler@0.2; mark its entry point with #[http_service]"
    )]
    NoHandler {
        /// The component.
        id: String,
    },
    /// The listener stopped working.
    #[error("the listener failed: {reason}")]
    Serve {
        /// What the system said.
        reason: io::Error,
    },
    /// The store cannot be opened or flushed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operator must give a value.
    #[error(transparent)]
    Variable(#[from] VariableError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn no_reason_is_told_twice() {
        let lost = || io::Error::from(io::ErrorKind::NotFound);
        let path = PathBuf::from("no.wasm");
        let file = Error::ComponentFile { id: "c".to_owned(), path: path.clone(), reason: lost() };
        let secret = VariableError::File { name: "key".to_owned(), path, reason: lost() };
        let database = StoreError::Database(Box::new(lost().into()));
        for error in [file, Error::Serve { reason: lost() }, secret.into(), database.into()] {
            let told = error.to_string();
            assert_eq!(told.matches(&lost().to_string()).count(), 1, "{told}");
            assert!(error.source().is_none(), "{told}");
        }
    }
}
