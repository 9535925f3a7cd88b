//! From the text of `spin.toml` to a [`Manifest`]: first the shape, then every reference.
//!
//! Keys of other tools (`build`, `tool`, `description`, triggers of other kinds) are passed over.

use super::{Component, Manifest, ManifestError, ManifestFault, Trigger, Variable};
use crate::routes::Pattern;
use crate::template::{Template, is_variable_name};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

impl Manifest {
    /// Reads and checks a manifest file.
    ///
    /// # Errors
    ///
    /// [`ManifestError`]; whether the components' files exist is not looked at.
    pub fn load(file: impl Into<PathBuf>) -> Result<Self, ManifestError> {
        let file = file.into();
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text, file),
            Err(source) => Err(ManifestError { file, fault: ManifestFault::Unreadable { source } }),
        }
    }

    /// Checks the text of a manifest; `file` resolves relative sources and names the culprit.
    ///
    /// # Errors
    ///
    /// As [`Manifest::load`], except that nothing is read.
    pub fn parse(text: &str, file: impl Into<PathBuf>) -> Result<Self, ManifestError> {
        let file = file.into();
        match build(text, &file) {
            Ok(manifest) => Ok(manifest),
            Err(fault) => Err(ManifestError { file, fault }),
        }
    }
}

fn build(text: &str, file: &Path) -> Result<Manifest, ManifestFault> {
    // The version comes first: the shape of another version would only confuse its author.
    let head: RawHead = toml::from_str(text)?;
    match head.spin_manifest_version {
        Some(toml::Value::Integer(2)) => {}
        Some(toml::Value::String(text)) if text == "2" => {}
        other => {
            let found = other.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            return Err(ManifestFault::Version { found });
        }
    }
    let raw: RawManifest = toml::from_str(text)?;
    let folder = file.parent().unwrap_or_else(|| Path::new(""));

    let variables =
        raw.variables.into_iter().map(check_variable).collect::<Result<BTreeMap<_, _>, _>>()?;
    let mut components = BTreeMap::new();
    for (id, component) in raw.component {
        let component = check_component(id.clone(), component, folder, &variables)?;
        components.insert(id, component);
    }
    let mut triggers: Vec<Trigger> = Vec::new();
    for (index, trigger) in raw.trigger.http.into_iter().enumerate() {
        let RawRoute::Public(route) = trigger.route else {
            continue;
        };
        let pattern = Pattern::parse(&route)?;
        let component = match trigger.component {
            RawReference::Id(id) => id,
            RawReference::Inline(component) => {
                let id = trigger.id.unwrap_or_else(|| format!("http-trigger-{index}"));
                let component = check_component(id.clone(), *component, folder, &variables)?;
                components.insert(id.clone(), component);
                id
            }
        };
        if !components.contains_key(&component) {
            return Err(ManifestFault::UnknownComponent { route, id: component });
        }
        for earlier in &triggers {
            if Pattern::parse(&earlier.route)?.same_paths(&pattern) {
                return Err(ManifestFault::DuplicateRoute {
                    route,
                    first: earlier.component.clone(),
                    second: component,
                });
            }
        }
        triggers.push(Trigger { route, component });
    }
    Ok(Manifest {
        file: file.to_owned(),
        name: raw.application.name,
        version: raw.application.version,
        variables,
        triggers,
        components,
    })
}

fn check_variable((name, raw): (String, RawVariable)) -> Result<(String, Variable), ManifestFault> {
    if !is_variable_name(&name) {
        return Err(ManifestFault::InvalidName { key: "variables".to_owned(), name });
    }
    if raw.required == raw.default.is_some() {
        return Err(ManifestFault::VariableWithoutValue { name });
    }
    let variable = Variable { default: raw.default, secret: raw.secret };
    Ok((name, variable))
}

fn check_component(
    id: String,
    raw: RawComponent,
    folder: &Path,
    declared: &BTreeMap<String, Variable>,
) -> Result<Component, ManifestFault> {
    let RawSource::Local(source) = raw.source else {
        return Err(ManifestFault::RemoteSource { id });
    };
    if !raw.files.is_empty() {
        return Err(ManifestFault::Files { id });
    }
    let template = |key: String, text: &str| -> Result<Template, ManifestFault> {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(source) => return Err(ManifestFault::Template { key, source }),
        };
        let unknown =
            template.names().find(|name| !declared.contains_key(*name)).map(str::to_owned);
        match unknown {
            Some(name) => Err(ManifestFault::UndeclaredVariable { key, name }),
            None => Ok(template),
        }
    };
    let allowed_outbound_hosts = raw
        .allowed_outbound_hosts
        .iter()
        .map(|text| template(format!("component.{id}.allowed_outbound_hosts"), text))
        .collect::<Result<_, _>>()?;
    // A label becomes the name of a file.
    if let Some(label) = raw.sqlite_databases.iter().find(|label| !is_database_label(label)) {
        return Err(ManifestFault::DatabaseLabel { id, label: label.clone() });
    }
    let mut variables = BTreeMap::new();
    for (name, text) in raw.variables {
        let key = format!("component.{id}.variables");
        if !is_variable_name(&name) {
            return Err(ManifestFault::InvalidName { key, name });
        }
        let value = template(format!("{key}.{name}"), &text)?;
        variables.insert(name, value);
    }
    Ok(Component {
        id,
        source: folder.join(source),
        allowed_outbound_hosts,
        key_value_stores: raw.key_value_stores,
        sqlite_databases: raw.sqlite_databases,
        variables,
        environment: raw.environment,
    })
}

fn is_database_label(label: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=64).contains(&label.len()) && label.bytes().all(legal)
}

#[derive(Deserialize)]
struct RawHead {
    spin_manifest_version: Option<toml::Value>,
}

#[derive(Deserialize)]
struct RawManifest {
    application: RawApplication,
    #[serde(default)]
    variables: BTreeMap<String, RawVariable>,
    #[serde(default)]
    trigger: RawTriggers,
    #[serde(default)]
    component: BTreeMap<String, RawComponent>,
}

#[derive(Deserialize)]
struct RawApplication {
    name: String,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
struct RawVariable {
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    secret: bool,
}

#[derive(Default, Deserialize)]
struct RawTriggers {
    #[serde(default)]
    http: Vec<RawTrigger>,
}

#[derive(Deserialize)]
struct RawTrigger {
    id: Option<String>,
    route: RawRoute,
    component: RawReference,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawRoute {
    Public(String),
    #[expect(dead_code, reason = "a private trigger is recognised, then passed over")]
    Private {
        private: bool,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawReference {
    Id(String),
    Inline(Box<RawComponent>),
}

#[derive(Deserialize)]
struct RawComponent {
    source: RawSource,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    sqlite_databases: Vec<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    files: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawSource {
    Local(PathBuf),
    Remote(#[expect(dead_code, reason = "any table is remote")] toml::Table),
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"probe\"\n";

    fn parse(body: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(&format!("{HEAD}{body}"), "app/spin.toml")
    }

    /// The message must name the file and hold every fragment.
    fn check_fault(body: &str, fragments: &[&str]) {
        let message = parse(body).unwrap_err().to_string();
        assert!(message.starts_with("app/spin.toml: "), "{message}");
        for fragment in fragments {
            assert!(message.contains(fragment), "{fragment:?} not in: {message}");
        }
    }

    #[test]
    fn a_full_manifest_is_understood() {
        let manifest = parse(
            r#"
            [application.trigger.http]
            [variables]
            api_key = { default = "", secret = true }
            host = { required = true }
            [[trigger.http]]
            route = "/chat"
            component = "chat"
            [[trigger.http]]
            route = { private = true }
            component = "chat"
            [[trigger.http]]
            id = "assets"
            route = "/static/..."
            component = { source = "../assets.wasm", environment = { ROOT = "/x" } }
            [[trigger.redis]]
            channel = "c"
            component = "chat"
            [component.chat]
            description = "talks"
            source = "chat.wasm"
            allowed_outbound_hosts = ["https://{{ host }}:443"]
            key_value_stores = ["default"]
            variables = { key = "{{ api_key }}" }
            tool = { anything = 1 }
            [component.chat.build]
            command = "cargo build"
            "#,
        )
        .unwrap();
        assert_eq!(manifest.name, "probe");
        assert_eq!(manifest.triggers.len(), 2);
        assert_eq!(manifest.triggers[1].component, "assets");
        let chat = &manifest.components["chat"];
        assert_eq!(chat.source, Path::new("app/chat.wasm"));
        assert_eq!(chat.key_value_stores, ["default"]);
        let assets = &manifest.components["assets"];
        assert_eq!(assets.source, Path::new("app/../assets.wasm"));
        assert_eq!(assets.environment["ROOT"], "/x");
        assert!(manifest.variables["api_key"].secret);
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = Manifest::load("/nowhere/spin.toml").unwrap_err().to_string();
        assert!(message.starts_with("/nowhere/spin.toml: cannot be read"), "{message}");
    }

    #[test]
    fn syntax_errors_have_a_line() {
        check_fault("[component", &["line 4"]);
        check_fault("[component.a]\nsource = 3", &["not a valid manifest"]);
        check_fault(
            "[component.a]\nsource = \"a\"\nsqlite_databases = [\"../a\"]",
            &["component.a.sqlite_databases", "\"../a\"", "A-Z"],
        );
    }

    #[test]
    fn other_versions_are_refused() {
        for (text, found) in
            [("spin_manifest_version = 3", "found 3"), ("spin_version = \"1\"", "found nothing")]
        {
            let message = Manifest::parse(text, "spin.toml").unwrap_err().to_string();
            assert!(message.contains("spin_manifest_version"), "{message}");
            assert!(message.contains(found), "{message}");
        }
    }

    #[test]
    fn broken_references_are_named() {
        check_fault(
            "[[trigger.http]]\nroute = \"/a\"\ncomponent = \"a\"",
            &["\"/a\"", "[component.a]"],
        );
        check_fault(
            "[component.a]\nsource = \"a.wasm\"\nvariables = { k = \"{{ nope }}\" }",
            &["component.a.variables.k", "\"nope\"", "[variables]"],
        );
        check_fault(
            "[component.a]\nsource = \"a.wasm\"\nallowed_outbound_hosts = [\"https://{{ nope }}\"]",
            &["component.a.allowed_outbound_hosts", "nope"],
        );
    }

    #[test]
    fn remote_sources_are_refused() {
        check_fault(
            "[component.a]\nsource = { url = \"https://example.com/a.wasm\", digest = \"d\" }",
            &["component.a.source", "download"],
        );
    }

    #[test]
    fn files_are_refused() {
        check_fault(
            "[component.a]\nsource = \"a.wasm\"\nfiles = [\"static/*\"]",
            &["component.a.files", "embed"],
        );
    }

    #[test]
    fn routes_are_checked() {
        let two = |first: &str, second: &str| {
            format!(
                "[component.a]\nsource = \"a.wasm\"\n\
                 [[trigger.http]]\nroute = \"{first}\"\ncomponent = \"a\"\n\
                 [[trigger.http]]\nroute = \"{second}\"\ncomponent = \"a\"\n"
            )
        };
        check_fault(&two("/a", "/a"), &["\"/a\"", "remove one"]);
        check_fault(&two("/a/:x", "/a/:y"), &["\"/a/:y\""]);
        check_fault(&two("/a", "/a/"), &["\"/a/\""]);
        check_fault(&two("/a", "b"), &["\"b\"", "start"]);
        check_fault(&two("/a", "/.../b"), &["\"/.../b\""]);
        check_fault(&two("/a", "/.well-known/spin/x"), &["well-known"]);
        parse(&two("/a", "/a/...")).unwrap();
    }

    #[test]
    fn variables_need_exactly_one_source() {
        check_fault("[variables]\nkey = {}", &["variables.key", "required"]);
        check_fault("[variables]\nkey = { default = \"\", required = true }", &["variables.key"]);
        check_fault("[variables]\nKey = { default = \"\" }", &["\"Key\"", "snake"]);
    }
}
