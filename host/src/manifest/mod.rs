//! The application manifest, `spin.toml` version 2, as the rest of the host uses it.
//!
//! Holds the checked result. How the file is read is in `parse`, what can be wrong with it in
//! `fault`; values of variables and the bytes of components are found elsewhere.

mod fault;
mod parse;

pub use fault::{ManifestError, ManifestFault};

use crate::template::Template;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A manifest in which every reference has been followed.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file it came from.
    pub file: PathBuf,
    /// `application.name`.
    pub name: String,
    /// `application.version`, empty if absent.
    pub version: String,
    /// `[variables]`.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]` in the order of the file, without private ones.
    pub triggers: Vec<Trigger>,
    /// `[component.ID]` and the components written inside triggers.
    pub components: BTreeMap<String, Component>,
}

/// A declared application variable. Exactly one of `default` and "required" holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variable {
    /// The value when nobody gives another; `None` means required.
    pub default: Option<String>,
    /// Whether the value must be kept out of logs and listings.
    pub secret: bool,
}

/// A route and the component that answers it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trigger {
    /// The route as written, for example `/admin/...`.
    pub route: String,
    /// The id of a component in [`Manifest::components`].
    pub component: String,
}

/// A component and what it may touch.
#[derive(Clone, Debug)]
pub struct Component {
    /// The id.
    pub id: String,
    /// The `.wasm` file, resolved against the manifest's folder.
    pub source: PathBuf,
    /// Where it may send requests; empty means nowhere.
    pub allowed_outbound_hosts: Vec<Template>,
    /// The labels of the key-value stores it may open.
    pub key_value_stores: Vec<String>,
    /// The labels of the SQLite databases it may open.
    pub sqlite_databases: Vec<String>,
    /// The variables it sees.
    pub variables: BTreeMap<String, Template>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
}
