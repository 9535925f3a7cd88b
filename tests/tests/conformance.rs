//! What the service promises over HTTP: one test an area of `tests/conformance`.

use std::collections::BTreeMap;

use dossier_tests::{
    conformance::{areas, run},
    groq::{Groq, Options},
};

/// The area whose server asks a model: a double, which does what a question's mark says.
const WITH_MODEL: &str = "llm";

fn check(area: &str) {
    let marked = || Groq::start_with(Options { marked: true, ..Options::default() }).unwrap();
    let groq = (area == WITH_MODEL).then(marked);
    let names = groq.iter().flat_map(|groq| {
        let (base, path) = (groq.base(), "/openai/v1");
        let host = base.trim_end_matches(path).to_owned();
        [("groq".to_owned(), base), ("groq_host".to_owned(), host)]
    });
    let report = run(area, &names.collect::<BTreeMap<_, _>>()).unwrap();
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
    about, bodies, chat, completions, cors, daily, feedback, guard, health, identity, keys, limits, llm, mcp, methods, metrics, metrics_token, models, origins, search, sessions, simple, stream, understanding, validation,
}
