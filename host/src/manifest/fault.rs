//! Everything that can be wrong with a manifest, in words its author can act on.

use crate::template::TemplateError;
use std::io;
use std::path::PathBuf;

/// A fault and the file it is in. The message names the file, the key and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", file.display())]
pub struct ManifestError {
    /// The manifest.
    pub file: PathBuf,
    /// What is wrong.
    pub fault: ManifestFault,
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestFault {
    /// A label that cannot name a file.
    #[error(
        "component.{id}.sqlite_databases: {label:?} is not a label; use 1 to 64 of A-Z a-z 0-9 _ -"
    )]
    DatabaseLabel {
        /// The component.
        id: String,
        /// The label.
        label: String,
    },
    /// Two triggers claim one route.
    #[error(
        "trigger.http: the route {route:?} is claimed by {first:?} and {second:?}; remove one or change its route"
    )]
    DuplicateRoute {
        /// The route.
        route: String,
        /// The component that came first.
        first: String,
        /// The component that came second.
        second: String,
    },
    /// A name that breaks the rules for variables.
    #[error("{key}: {name:?} is not a variable name; use lower snake case, such as api_key")]
    InvalidName {
        /// The table the name stands in.
        key: String,
        /// The name.
        name: String,
    },
    /// A route that cannot be matched.
    #[error(
        "trigger.http: {route:?} is not a route: {reason}; write \"/path\", \"/path/:name\" or \"/path/...\""
    )]
    InvalidRoute {
        /// The route.
        route: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// A component that wants files mounted.
    #[error(
        "component.{id}.files: this host mounts no files; embed them in the component, or remove the key"
    )]
    Files {
        /// The component.
        id: String,
    },
    /// A component whose bytes are somewhere else.
    #[error(
        "component.{id}.source: points to a url or registry, which this host does not fetch; download the file and give its path"
    )]
    RemoteSource {
        /// The component.
        id: String,
    },
    /// A route the host keeps for itself.
    #[error(
        "trigger.http: {route:?} lies under /.well-known/spin, which the host answers itself; choose another"
    )]
    ReservedRoute {
        /// The route.
        route: String,
    },
    /// Not TOML, or TOML of another shape.
    #[error("not a valid manifest: {source}")]
    Syntax {
        /// Where and what, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A template that cannot be read.
    #[error("{key}: {source}")]
    Template {
        /// The key it stands under.
        key: String,
        /// What is wrong with it.
        source: TemplateError,
    },
    /// A template names a variable nobody declared.
    #[error(
        "{key}: refers to the variable {name:?}, which is not declared; add `{name} = {{ required = true }}` under [variables]"
    )]
    UndeclaredVariable {
        /// The key of the template.
        key: String,
        /// The variable.
        name: String,
    },
    /// A trigger names a component that is not there.
    #[error(
        "trigger.http: the route {route:?} names the component {id:?}, which does not exist; add [component.{id}] or correct the name"
    )]
    UnknownComponent {
        /// The route of the trigger.
        route: String,
        /// The missing component.
        id: String,
    },
    /// The file cannot be read.
    #[error("cannot be read: {source}; pass the path of a spin.toml")]
    Unreadable {
        /// What the system said.
        source: io::Error,
    },
    /// A variable that can never have a value, or says two things about it.
    #[error(
        "variables.{name}: needs either `default = \"...\"` or `required = true`, and not both"
    )]
    VariableWithoutValue {
        /// The variable.
        name: String,
    },
    /// A version this host does not read.
    #[error(
        "spin_manifest_version: found {found}, but only 2 is supported; see `spin doctor` for an upgrade"
    )]
    Version {
        /// What the file says.
        found: String,
    },
}

impl From<toml::de::Error> for ManifestFault {
    fn from(source: toml::de::Error) -> Self {
        Self::Syntax { source: Box::new(source) }
    }
}
