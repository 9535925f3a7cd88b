//! Whose life a sentence tells: in a dossier that names relatives, "Ève Curie was born in Paris" is
//! no answer to "When was Marie Curie born?".

use crate::{index::Index, text::terms};

/// What stands before a surname and is no given name.
const TITLES: &[&str] =
    &["dr", "madame", "miss", "mme", "mr", "mrs", "ms", "mx", "prof", "professor", "sir"];

/// Whether `sentence` begins with the full name of somebody who shares a name with the person whose
/// documents these are, and whom `question` does not name.
pub(super) fn is_a_relatives(index: &Index, question: &str, sentence: &str) -> bool {
    let is_name = |word: &&str| word.starts_with(char::is_uppercase);
    let words = sentence.split(|it: char| !it.is_alphanumeric()).filter(|word| !word.is_empty());
    let name: Vec<&str> = words.take_while(is_name).collect();
    let Some((given, rest)) = name.split_first() else { return false };
    let is_asked = || {
        let asked = terms::words(question);
        terms::words(given).iter().all(|it| asked.contains(it))
    };
    // Few sentences begin with a name: the question is only read for those that do.
    rest.iter().any(|word| index.is_subject(word))
        && !index.is_subject(given)
        && !TITLES.contains(&given.to_lowercase().as_str())
        && !is_asked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        index::build,
        text::{Document, chunks},
    };

    #[test]
    fn relatives_are_told_from_the_person() {
        let text = "---\nperson: Marie Curie\n---\n# Family\n\nÈve Curie was born in 1904.";
        let document = Document::read("a.md", text.as_bytes().to_vec()).unwrap();
        let index = Index::open(build(&chunks(&document), None).unwrap()).unwrap();
        let question = "When was Marie Curie born?";
        for (question, sentence, expected) in [
            (question, "Ève Curie was born in 1904.", true),
            (question, "Pierre Curie died in 1906.", true),
            (question, "Irène Joliot-Curie was born in 1897.", true),
            ("When was Eve Curie born?", "Ève Curie was born in 1904.", false),
            (question, "Marie Skłodowska Curie was born in 1867.", false),
            (question, "Madame Curie was born in 1867.", false),
            (question, "She was born in 1867.", false),
            (question, "In 1867 Marie Curie was born.", false),
            (question, "Warsaw was her home.", false),
            (question, "", false),
        ] {
            assert_eq!(is_a_relatives(&index, question, sentence), expected, "{sentence}");
        }
    }
}
