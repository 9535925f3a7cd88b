//! PDFs that other programs made: see tests/documents.

use super::*;

fn sample(name: &str) -> Vec<u8> {
    // Asked for when running: checkouts may share a target folder, and with it this program.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let folder = std::path::PathBuf::from(own).join("../tests/documents");
    std::fs::read(folder.join(name)).unwrap()
}

/// Asserts that `parts` follow each other in `text`.
fn in_order(text: &str, parts: &[&str]) {
    let mut at = 0;
    for part in parts {
        let found = text[at..].find(part);
        assert!(found.is_some(), "{part:?} is not in its place:\n{text}");
        at += found.unwrap_or(0) + part.len();
    }
}

#[test]
fn two_columns_are_read_one_after_the_other() {
    let content = read(&sample("folder/cv.pdf")).unwrap();
    assert_eq!(content.metadata["title"], ["Curriculum Vitae of Mirela Tandberg"]);
    assert_eq!(content.pages.len(), 2);
    in_order(
        &content.text,
        &[
            "# Mirela Tandberg\n\nHydrologist and field engineer",
            "## Profile\n\nMeasures how glaciers lose their water. Eleven years of fieldwork in northern Scandinavia, from hand-drilled stakes to autonomous gauging stations.\n",
            "## Languages\n\nRomanian is her mother tongue; Norwegian and English are fluent; Northern Sami is conversational.\n",
            "## Experience\n\nLead hydrologist, Skarvik Water Institute, 2019 to today. Runs",
            "2013 to 2015. Evaluated sediment",
        ],
    );
    in_order(
        &content.text[content.pages[1]..],
        &["## Awards", "## Volunteering", "the avalanche dog team.", "## Interests", "## Contact"],
    );
}

#[test]
fn a_sidebar_is_a_column_and_dates_stay_with_their_entries() {
    let content = read(&sample("sidebar.pdf")).unwrap();
    in_order(
        &content.text,
        &[
            "CONTACT",
            "jonas@okonkwo.example",
            "SKILLS",
            "Ultrasonic testing",
            "LANGUAGES",
            "# Jonas Okonkwo-Lindqvist",
            "up to four hundred bar.",
            "EXPERIENCE",
            "2018 – today: Welding engineer, Norrbotten Boiler Works. Qualified eleven procedures",
            "2012 – 2018: Welder, Kiruna Pipe and Valve. Built the heat exchangers of the district",
            "EDUCATION",
            "2010 – 2012: International Welding Engineer",
        ],
    );
}

#[test]
fn a_print_from_a_browser_keeps_headings_tables_lists_and_pages() {
    let content = read(&sample("folder/thesis.pdf")).unwrap();
    assert_eq!(content.pages.len(), 3);
    in_order(
        &content.text,
        &[
            "# Ice Lakes That Drain Overnight\n\n",
            "can be foretold.",
            "## Background\n\n",
            "## Method\n\n",
            "by crosscorrelation of neighbouring stations.",
            "| Summer | Drainages | Warning time |\n|---|---|---|\n| 2016 | 2 | 11 hours |",
            "## Results\n\n",
            "- A station costs 2,300 euros and runs on one battery for fourteen months.\n- The alarm",
        ],
    );
}

#[test]
fn a_tight_table_and_numbered_items() {
    let content = read(&sample("project-report.pdf")).unwrap();
    in_order(
        &content.text,
        &[
            "## Budget\n\nThe project cost 4.6 million kroner over three years.\n\n",
            "| Item | Planned | Spent |\n|---|---|---|\n| Gauging stations | 1,900,000 | 2,050,000 |\n",
            "| Laser scan of the valley | 1,200,000 | 1,110,000 |\n| Computing | 600,000 | 640,000 |\n",
            "## Findings\n\n1. Snowmelt alone raises the river by 1.8 metres.\n2. Rain on snow",
            "## Recommendations\n\n",
            "- Sirens\n- two at the harbour\n- one at the school\n- A yearly drill in May",
        ],
    );
}

#[test]
fn a_text_without_headings_is_cut_at_its_pages() {
    let content = read(&sample("folder/travel-log.pdf")).unwrap();
    in_order(
        &content.text,
        &["## Page 1\n\nLog of the winter survey", "## Page 2\n\n", "Aslak Hætta was thanked"],
    );
}

#[test]
fn refusals() {
    let check = |bytes: &[u8], expected: &str| {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&sample("folder/locked.pdf"), "locked with a password");
    check(&sample("folder/scan.pdf"), "no text on its 1 page(s)");
    check(b"%PDF-1.7\nnothing", "damaged PDF");
}

#[test]
fn titles_that_programs_put_there_are_no_titles() {
    for (bytes, expected) in [
        (b"Microsoft Word - CV_final.doc".as_slice(), ""),
        (b"cv.tex", ""),
        (b"\xfe\xff\0\xd8\0r", "Ør"),
        (b"A Life", "A Life"),
    ] {
        assert_eq!(title(Some(bytes)), expected);
    }
}
