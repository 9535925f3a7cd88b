//! A person's way through the page, in a real browser.

use std::process::Command;

use dossier_tests::{Server, root};

#[test]
fn a_visitor_asks_on_the_page() {
    if std::env::var_os("CHROMIUM").is_none() {
        println!("SKIP: no browser (CHROMIUM is not set)");
        return;
    }
    let server = Server::start().unwrap();
    let output = Command::new("node")
        .arg(root().join("tests/browser/page.mjs"))
        .arg(server.base())
        .args(std::env::var_os("DOSSIER_SCREENSHOTS"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}
