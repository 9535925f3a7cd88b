//! Small indexes for the tests of this module.

use crate::{
    index::{Index, build},
    text::{Document, chunks},
};

/// An index of documents, each a file's name and its text.
pub(super) fn index(documents: &[(&str, &str)]) -> Index {
    let chunks: Vec<_> = documents
        .iter()
        .flat_map(|(name, text)| chunks(&Document::read(name, text.as_bytes().to_vec()).unwrap()))
        .collect();
    Index::open(build(&chunks, None).unwrap()).unwrap()
}

/// A scientist's: degrees in a table, prizes by heading, languages in a sentence.
pub(super) fn scientist() -> Index {
    index(&[
        (
            "cv.md",
            "---\ntitle: Curriculum vitae\nperson: Marie Curie\ndoc_type: resume\n---\n# Curriculum vitae\n\n\
             ## Career in brief\n\n| Period | Position | Place |\n|---|---|---|\n\
             | 1900 to 1906 | Teacher | Sèvres |\n| 1906 to 1934 | Professor | Faculty of Sciences |\n\n\
             ## Languages\n\nShe grew up with Polish. She also spoke German and French.\n\n\
             ## Technical skills\n\n- Measurement of weak currents\n- Chemistry of radium\n\n\
             ## Memberships\n\n- Polish Chemical Society\n- American Philosophical Society\n",
        ),
        (
            "degrees.md",
            "---\ntitle: Degrees\nperson: Marie Curie\n---\n# Degrees\n\n\
             | Year | Degree | Where |\n|---|---|---|\n| 1893 | Licence in physics | Paris |\n\
             | 1903 | Doctorate | Paris |\n\nShe was first in physics. She sat in the second row.\n",
        ),
        (
            "prizes.md",
            "---\ntitle: Prizes and medals\nperson: Marie Curie\n---\n# Prizes and medals\n\n\
             ## Davy Medal 1903\n\nThe Royal Society of London gave her the Davy Medal in 1903.\n\n\
             ## Matteucci Medal 1904\n\nShe received the Matteucci Medal in Rome in 1904.\n\n\
             ## Nobel Prize 1911\n\nShe received the Nobel Prize in 1911.\n",
        ),
        (
            "journeys.md",
            "---\ntitle: Journeys\nperson: Marie Curie\n---\n# Journeys\n\n## Brazil 1926\n\n\
             In 1926 she visited Brazil with her daughter Irène.\n\n## Italy 1918\n\nShe travelled in Italy.\n",
        ),
    ])
}
