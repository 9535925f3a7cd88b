//! The walls between the crates: what each may not reach.

use anyhow::Result;

use super::Finding;
use crate::components::COMPONENTS;
use crate::workspace::{Package, Workspace};

/// Asks cargo for the trees behind the walls and looks for what must not be in them.
///
/// # Errors
///
/// When cargo cannot resolve a tree.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for wall in WALLS {
        // `cargo tree -i` would not do: it fails for an absent package and for a misspelt one alike.
        let tree = workspace
            .cargo(&["tree", "-p", wall.package, "-e", "normal", "--prefix", "none"])
            .quiet()
            .read()?;
        findings.extend(wall.breaches(&tree));
    }
    findings.extend(manifests(workspace.packages()));
    Ok(findings)
}

/// A package and what may not be below it.
struct Wall {
    package: &'static str,
    manifest: &'static str,
    forbidden: &'static [&'static str],
}

impl Wall {
    fn breaches(&self, tree: &str) -> Vec<Finding> {
        let mut reached: Vec<_> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| self.forbidden.contains(name))
            .collect();
        reached.sort_unstable();
        reached.dedup();
        let message = |name| format!("{} must not reach {name}", self.package);
        reached.into_iter().map(|name| Finding::new(self.manifest, 1, message(name))).collect()
    }
}

/// Rules about what a manifest may name.
fn manifests(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let is_component = COMPONENTS.iter().any(|component| component.package == package.name);
        let may_import_spin = is_component || package.manifest.starts_with("functions/");
        for name in &package.dependencies {
            if COMPONENTS.iter().any(|component| component.package == name) {
                let message = format!("nothing may depend on a component: {name}");
                findings.push(Finding::new(&package.manifest, 1, message));
            }
            if name == "spin-sdk" && !may_import_spin {
                let message = "only functions and guests may name spin-sdk";
                findings.push(Finding::new(&package.manifest, 1, message));
            }
        }
    }
    findings
}

/// Core is rules and algorithms, the host runs any application, the reranker serves any client.
const WALLS: &[Wall] = &[
    Wall {
        package: "dossier-core",
        manifest: "core/Cargo.toml",
        forbidden: &[
            "hyper",
            "redb",
            "reqwest",
            "rustls",
            "spin-sdk",
            "sqlx",
            "tokio",
            "tract-onnx",
            "wasmtime",
        ],
    },
    Wall {
        package: "dossier-host",
        manifest: "host/Cargo.toml",
        forbidden: &["dossier-core", "dossier-platform"],
    },
    Wall {
        package: "dossier-readers",
        manifest: "readers/Cargo.toml",
        forbidden: &["dossier-core", "dossier-host", "reqwest", "tokio", "wasmtime"],
    },
    Wall {
        package: "dossier-reranker",
        manifest: "native-reranker/Cargo.toml",
        forbidden: &["dossier-host", "dossier-platform", "spin-sdk", "wasmtime"],
    },
    Wall {
        package: "xtask",
        manifest: "xtask/Cargo.toml",
        forbidden: &["dossier-core", "wasmtime"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "dossier-core v0.1.0 (core)\nserde v1.0.0\ntokio-stream v0.1.0\n";

    #[test]
    fn forbidden_crate_in_a_tree_is_found_once() {
        let wall = &WALLS[0];
        assert_eq!(wall.breaches(TREE), []);
        let tree = format!("{TREE}tokio v1.50.0\ntokio v1.50.0 (*)\n");
        let expected = Finding::new("core/Cargo.toml", 1, "dossier-core must not reach tokio");
        assert_eq!(wall.breaches(&tree), [expected]);
    }

    fn package(name: &str, manifest: &str, dependency: &str) -> Package {
        let dependencies = vec![dependency.to_owned()];
        Package { name: name.to_owned(), manifest: manifest.to_owned(), dependencies }
    }

    #[test]
    fn components_are_leaves() {
        let fine = package("dossier-chat", "functions/chat/Cargo.toml", "dossier-platform");
        assert_eq!(manifests(&[fine]), []);
        let wrong = package("dossier-web", "functions/web/Cargo.toml", "dossier-chat");
        assert_eq!(manifests(&[wrong]).len(), 1);
    }

    #[test]
    fn spin_is_imported_by_functions_and_guests_only() {
        let function = package("dossier-platform", "functions/platform/Cargo.toml", "spin-sdk");
        let guest = package("dossier-probe", "tests/guests/probe/Cargo.toml", "spin-sdk");
        assert_eq!(manifests(&[function, guest]), []);
        assert_eq!(manifests(&[package("dossier-core", "core/Cargo.toml", "spin-sdk")]).len(), 1);
    }
}
