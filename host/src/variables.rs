//! The values of the application's variables, and which of them a component sees.
//!
//! Where a value comes from, first match wins: an explicit override, `SPIN_VARIABLE_NAME`, the file
//! named by `SPIN_VARIABLE_NAME_FILE`, the default in the manifest. The process environment is
//! passed in, never read here.

use crate::manifest::{Component, Manifest};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::{fs, io};

/// What precedes a variable's name, in upper case, in the environment.
pub const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// The resolved variables of an application.
///
/// `Debug` shows names and origins, never a value.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, Value>,
}

impl Variables {
    /// Finds a value for every variable the manifest declares.
    ///
    /// # Errors
    ///
    /// [`VariableError`]: a required variable without a value, an override nobody declared, or a
    /// `_FILE` that cannot be read.
    pub fn resolve(
        manifest: &Manifest,
        overrides: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, VariableError> {
        if let Some(name) = overrides.keys().find(|name| !manifest.variables.contains_key(*name)) {
            return Err(VariableError::Undeclared {
                name: name.clone(),
                manifest: manifest.file.clone(),
            });
        }
        let mut values = BTreeMap::new();
        for (name, declaration) in &manifest.variables {
            let key = format!("{ENVIRONMENT_PREFIX}{}", name.to_uppercase());
            let found = if let Some(text) = overrides.get(name) {
                Some((text.clone(), Origin::Override))
            } else if let Some(text) = environment(&key) {
                Some((text, Origin::Environment))
            } else if let Some(path) = environment(&format!("{key}_FILE")) {
                Some((read_secret(name, PathBuf::from(path))?, Origin::File))
            } else {
                declaration.default.clone().map(|text| (text, Origin::Default))
            };
            let (text, origin) = found.ok_or_else(|| VariableError::Missing {
                name: name.clone(),
                key: key.clone(),
                manifest: manifest.file.clone(),
            })?;
            values.insert(name.clone(), Value { text, origin });
        }
        Ok(Self { values })
    }

    /// The value of a variable, or `None` if the manifest does not declare it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str())
    }

    /// Whether a variable is declared and not empty.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|text| !text.is_empty())
    }

    /// Where the value of a variable came from.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.values.get(name).map(|value| value.origin)
    }

    /// The names of all variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// What one component sees: its own `[component.ID.variables]`, rendered.
    pub(crate) fn of_component(&self, component: &Component) -> BTreeMap<String, String> {
        component
            .variables
            .iter()
            .filter_map(|(name, template)| {
                // The manifest refuses undeclared names, so every hole has a value.
                let text = template.render(|hole| self.get(hole)).ok()?;
                Some((name.clone(), text))
            })
            .collect()
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.values.iter().map(|(name, value)| (name, value.origin))).finish()
    }
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The manifest's default.
    Default,
    /// `SPIN_VARIABLE_NAME`.
    Environment,
    /// The file named by `SPIN_VARIABLE_NAME_FILE`.
    File,
    /// Passed by the caller.
    Override,
}

/// Why the variables have no values. The operator can mend each of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VariableError {
    /// A file that should hold a value cannot be read.
    #[error("variable {name}: {}: {reason}; make {ENVIRONMENT_PREFIX}{}_FILE name a readable text file", path.display(), name.to_uppercase())]
    File {
        /// The variable.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A required variable has no value.
    #[error("{}: variables.{name}: required, but nobody gave a value; set {key}, or {key}_FILE, or pass it explicitly", manifest.display())]
    Missing {
        /// The variable.
        name: String,
        /// The environment name that would set it.
        key: String,
        /// The manifest that requires it.
        manifest: PathBuf,
    },
    /// A value was passed for a variable that does not exist.
    #[error("{}: variables.{name}: a value was passed, but the variable is not declared; declare it under [variables] or correct the name", manifest.display())]
    Undeclared {
        /// The name that was passed.
        name: String,
        /// The manifest that does not declare it.
        manifest: PathBuf,
    },
}

#[derive(Clone)]
struct Value {
    text: String,
    origin: Origin,
}

fn read_secret(name: &str, path: PathBuf) -> Result<String, VariableError> {
    match fs::read_to_string(&path) {
        // Editors and `echo` end files with a newline that is never part of a secret.
        Ok(text) => Ok(text.trim_end_matches(['\n', '\r']).to_owned()),
        Err(reason) => Err(VariableError::File { name: name.to_owned(), path, reason }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        spin_manifest_version = 2
        application = { name = "probe" }
        [variables]
        api_key = { required = true, secret = true }
        model = { default = "small" }
        [component.a]
        source = "a.wasm"
        variables = { key = "{{ api_key }}", greeting = "model {{ model }}!" }
        [component.b]
        source = "b.wasm"
    "#;

    fn manifest() -> Manifest {
        Manifest::parse(MANIFEST, "spin.toml").unwrap()
    }

    fn resolve(
        overrides: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Variables, VariableError> {
        let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
        };
        let environment = pairs(environment);
        Variables::resolve(&manifest(), &pairs(overrides), |key| environment.get(key).cloned())
    }

    #[test]
    fn precedence_is_override_environment_file_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "from file\n").unwrap();
        let file = file.to_str().unwrap();
        let of_file = ("SPIN_VARIABLE_API_KEY_FILE", file);
        let of_environment = ("SPIN_VARIABLE_API_KEY", "from environment");

        let variables = resolve(&[], &[of_file]).unwrap();
        assert_eq!(variables.get("api_key"), Some("from file"));
        assert_eq!(variables.origin("model"), Some(Origin::Default));
        let variables = resolve(&[], &[of_file, of_environment]).unwrap();
        assert_eq!(variables.get("api_key"), Some("from environment"));
        let variables = resolve(&[("api_key", "given")], &[of_file, of_environment]).unwrap();
        assert_eq!(variables.get("api_key"), Some("given"));
        assert_eq!(variables.origin("api_key"), Some(Origin::Override));
    }

    #[test]
    fn a_required_variable_must_have_a_value() {
        let message = resolve(&[], &[]).unwrap_err().to_string();
        assert!(message.contains("spin.toml: variables.api_key"), "{message}");
        assert!(message.contains("SPIN_VARIABLE_API_KEY_FILE"), "{message}");
    }

    #[test]
    fn unreadable_files_and_unknown_overrides_are_refused() {
        let message = resolve(&[], &[("SPIN_VARIABLE_API_KEY_FILE", "/nowhere/key")])
            .unwrap_err()
            .to_string();
        assert!(message.contains("/nowhere/key"), "{message}");
        let message = resolve(&[("apikey", "x")], &[]).unwrap_err().to_string();
        assert!(message.contains("variables.apikey"), "{message}");
    }

    #[test]
    fn a_component_sees_only_what_it_declares() {
        let variables = resolve(&[("api_key", "k")], &[]).unwrap();
        let manifest = manifest();
        let seen = variables.of_component(&manifest.components["a"]);
        assert_eq!(seen["key"], "k");
        assert_eq!(seen["greeting"], "model small!");
        assert!(!seen.contains_key("api_key"));
        assert!(variables.of_component(&manifest.components["b"]).is_empty());
    }

    #[test]
    fn debug_output_holds_no_value() {
        let variables = resolve(&[("api_key", "hunter2")], &[]).unwrap();
        assert!(!format!("{variables:?}").contains("hunter2"));
    }
}
