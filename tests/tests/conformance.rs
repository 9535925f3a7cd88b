//! What the service promises over HTTP: one test an area of `tests/conformance`.

use std::collections::BTreeMap;

use dossier_tests::conformance::{areas, run};

fn check(area: &str) {
    let report = run(area, &BTreeMap::new()).unwrap();
    report.lines.iter().for_each(|line| println!("{line}"));
    println!("{area}: {} passed, {} failed", report.passed, report.failed);
    assert!(report.skipped || report.passed > 0);
    assert_eq!(report.failed, 0, "{}", report.lines.join("\n"));
}

/// A test for each area, and one that none is forgotten.
macro_rules! conform {
    ($($area:ident),+ $(,)?) => {
        $(
            #[test]
            fn $area() {
                check(stringify!($area));
            }
        )+

        #[test]
        fn every_area_is_run() {
            let listed = [$(stringify!($area)),+];
            assert_eq!(areas().unwrap(), listed, "list every area, in the order of the alphabet");
        }
    };
}

conform! {
    about, bodies, chat, completions, cors, daily, feedback, guard, health, identity, keys, limits, mcp, methods, metrics, metrics_token, models, origins, search, sessions, simple, stream, understanding, validation,
}
