//! Inventory: what the documents list in a category, quoted from the section that lists it.

use super::category::{Category, is_neutral};
use crate::{
    index::Index,
    text::{
        Chunk, plain, sentences,
        terms::{terms, words},
    },
};

/// Passages looked at.
const POOL: usize = 50;
/// Items named; the passages cited have the others.
const MAX_ITEMS: usize = 6;
/// Longest item, in characters; a longer one is cut where it can be.
const MAX_ITEM: usize = 80;
/// This much of a heading must name the category.
const SHARE: f32 = 0.5;
/// Passages of a document looked at for headings, each way.
const NEIGHBOURS: usize = 100;

/// Things of one category, each with the chunk that names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inventory {
    /// At most [`MAX_ITEMS`] things, as the documents call them, and their chunks' ordinals.
    pub(super) items: Vec<(String, usize)>,
}

impl Inventory {
    /// Reads what `index` lists in `category`: rows of a table, items of a list or the headings
    /// below one, whichever heading names the category best. `None` without such a section.
    pub(super) fn of(index: &Index, category: Category) -> Option<Self> {
        let wanted: Vec<String> = category.headings().iter().flat_map(|word| terms(word)).collect();
        let found = index.lexical().search(&wanted, POOL, None).unwrap_or_default();
        let mut ordinals: Vec<usize> = found.into_iter().map(|it| it.ordinal).collect();
        ordinals.sort_unstable();
        let mut best: Option<(f32, Self)> = None;
        for ordinal in ordinals {
            let Some(chunk) = index.chunks().get(ordinal) else { continue };
            for (score, items) in candidates(index, chunk, ordinal, category) {
                let better = best.as_ref().is_none_or(|(highest, _)| score > *highest);
                if better && !items.is_empty() {
                    best = Some((score, Self { items }));
                }
            }
        }
        best.map(|(_, inventory)| inventory)
    }

    /// "A; B; C \[1\]" and the chunks cited, in order; each chunk is cited after the last of its
    /// items that stand together.
    pub(super) fn quoted(&self) -> (String, Vec<usize>) {
        let (mut text, mut cited) = (String::new(), Vec::new());
        for (at, (item, ordinal)) in self.items.iter().enumerate() {
            if at > 0 {
                text.push_str("; ");
            }
            text.push_str(item);
            if self.items.get(at + 1).is_none_or(|(_, next)| next != ordinal) {
                let number = cited.iter().position(|it| it == ordinal).unwrap_or_else(|| {
                    cited.push(*ordinal);
                    cited.len() - 1
                });
                text.push_str(&format!(" [{}]", number + 1));
            }
        }
        (text, cited)
    }
}

type Scored = (f32, Vec<(String, usize)>);

/// The ways in which a chunk, or the document around it, lists things of `category`.
fn candidates(index: &Index, chunk: &Chunk, ordinal: usize, category: Category) -> Vec<Scored> {
    let mut found = Vec::new();
    let own = chunk.heading.last().map_or(0.0, |heading| category.share(heading));
    let title = chunk
        .heading
        .iter()
        .map(|heading| category.share(heading))
        .fold(category.share(&chunk.title), f32::max);
    if category == Category::Language {
        let items = languages(&plain(&chunk.passage()));
        if own >= SHARE && !items.is_empty() {
            found.push((own + items.len() as f32, with(items, ordinal)));
        }
        return found;
    }
    if title < SHARE {
        return found;
    }
    let passage = chunk.passage();
    // What stands under another heading is a part of what the title promises.
    let whole = match chunk.heading.last() {
        Some(heading) if own < SHARE && !is_neutral(heading) => None,
        Some(_) if own >= SHARE => Some(own),
        _ => Some(title - OF_TITLE),
    };
    let rows = rows(&passage, category);
    if let Some(share) = whole.filter(|_| rows.len() > 1) {
        found.push((share + TABLE, with(rows, ordinal)));
    }
    let listed = listed(&passage);
    if let Some(share) = whole.filter(|_| listed.len() > 1) {
        found.push((share + LIST, with(listed, ordinal)));
    }
    let depth = chunk.heading.iter().position(|heading| category.share(heading) >= SHARE);
    let depth = depth.or_else(|| (category.share(&chunk.title) >= SHARE).then_some(0));
    if let Some(depth) = depth {
        let below = headings(index, chunk, ordinal, depth);
        if below.len() > 1 {
            found.push((title, below));
        }
    }
    if own >= SHARE
        && let Some(sentence) = sentences(&plain(&passage)).first()
    {
        found.push((own + PROSE, with(vec![(*sentence).to_owned()], ordinal)));
    }
    found
}

/// What a table, a list and a sentence are worth beside headings, and a title beside a heading: a
/// table is made to be read as a list, a sentence may be about anything.
const TABLE: f32 = 0.2;
const LIST: f32 = 0.1;
const PROSE: f32 = -0.4;
const OF_TITLE: f32 = 0.05;

/// Items with the chunk that has them; what somebody does not have is none.
fn with(items: Vec<String>, ordinal: usize) -> Vec<(String, usize)> {
    let there = |item: &String| !words(item).iter().any(|it| NEGATIONS.contains(&it.as_str()));
    items
        .into_iter()
        .filter(there)
        .map(|item| (shortened(&item), ordinal))
        .take(MAX_ITEMS)
        .collect()
}

/// The rows of a table: the first two cells that are words; of skills the first, since the others
/// are levels and years.
fn rows(passage: &str, category: Category) -> Vec<String> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner.split('|').map(|cell| plain(cell).trim().to_owned()).collect()
    };
    let lines = passage.lines().map(str::trim).filter(|line| line.starts_with('|'));
    let ruled = |line: &&str| line.chars().all(|it| matches!(it, '|' | '-' | ':' | ' '));
    let mut rows: Vec<String> = Vec::new();
    // The first row names the columns.
    for line in lines.filter(|line| !ruled(line)).skip(1) {
        let mut cells = cells(line);
        cells.retain(|cell| cell.starts_with(char::is_alphabetic));
        cells.truncate(if category == Category::Skill { 1 } else { 2 });
        let row = cells.join(", ");
        if !row.is_empty() && !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

/// The items of a list.
fn listed(passage: &str) -> Vec<String> {
    let items = passage.lines().filter_map(|line| {
        let bullet = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark));
        bullet.or_else(|| {
            let rest = line.trim_start_matches(|it: char| it.is_ascii_digit());
            rest.strip_prefix(". ").filter(|_| rest.len() < line.len())
        })
    });
    items
        .map(|item| plain(item).trim_end_matches(['.', ';']).to_owned())
        .filter(|it| !it.is_empty())
        .collect()
}

/// The headings directly below `chunk.heading[depth]` in its document.
fn headings(index: &Index, chunk: &Chunk, ordinal: usize, depth: usize) -> Vec<(String, usize)> {
    let above = chunk.heading.get(..=depth).unwrap_or_default();
    let start = ordinal.saturating_sub(NEIGHBOURS);
    let mut found: Vec<(String, usize)> = Vec::new();
    for at in start..(ordinal + NEIGHBOURS).min(index.chunks().len()) {
        let Some(other) = index.chunks().get(at).filter(|it| it.source == chunk.source) else {
            continue;
        };
        let below = other.heading.get(depth + 1).filter(|_| other.heading.starts_with(above));
        if let Some(heading) = below.filter(|heading| found.iter().all(|(it, _)| it != *heading)) {
            found.push((heading.clone(), at));
        }
    }
    found.truncate(MAX_ITEMS);
    found
}

/// The languages named in a passage, in order.
fn languages(passage: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in passage.split(|it: char| !it.is_alphabetic()) {
        if is_language(&word.to_lowercase())
            && word.starts_with(char::is_uppercase)
            && found.iter().all(|it| it != word)
        {
            found.push(word.to_owned());
        }
    }
    found
}

/// Whether a word in small letters names a language.
pub(super) fn is_language(word: &str) -> bool {
    LANGUAGES.split(' ').any(|it| it == word)
}

/// Cuts an item that is too long at the last sign that can end it.
fn shortened(item: &str) -> String {
    if item.chars().count() <= MAX_ITEM {
        return item.trim_end_matches('.').to_owned();
    }
    let head: String = item.chars().take(MAX_ITEM).collect();
    let cut =
        head.rfind([';', ',', '.', '(', ':']).or_else(|| head.rfind(' ')).unwrap_or(head.len());
    format!("{} …", head[..cut].trim_end())
}

const NEGATIONS: &[&str] = &["no", "not", "never", "none", "without"];
const LANGUAGES: &str = "afrikaans albanian arabic armenian basque bengali bosnian bulgarian burmese cantonese \
    catalan chinese croatian czech danish dutch english esperanto estonian farsi finnish \
    flemish french galician georgian german greek gujarati hebrew hindi hungarian icelandic \
    indonesian irish italian japanese kannada kazakh korean kurdish latin latvian lithuanian \
    malay malayalam mandarin marathi mongolian nepali norwegian persian polish portuguese \
    punjabi romanian russian serbian slovak slovene slovenian somali spanish swahili swedish \
    tagalog tamil telugu thai turkish ukrainian urdu vietnamese welsh yiddish zulu";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::samples;

    fn quoted(category: Category) -> String {
        Inventory::of(&samples::scientist(), category).map_or(String::new(), |it| it.quoted().0)
    }

    #[test]
    fn reads_tables_lists_headings_and_sentences() {
        for (category, expected) in [
            (Category::Degree, "Licence in physics, Paris; Doctorate, Paris [1]"),
            (Category::Employer, "Teacher, Sèvres; Professor, Faculty of Sciences [1]"),
            (
                Category::Award,
                "Davy Medal 1903 [1]; Matteucci Medal 1904 [2]; Nobel Prize 1911 [3]",
            ),
            (Category::Language, "Polish; German; French [1]"),
            (Category::Skill, "Measurement of weak currents; Chemistry of radium [1]"),
            (Category::Membership, "Polish Chemical Society; American Philosophical Society [1]"),
            (Category::Place, "Brazil 1926 [1]; Italy 1918 [2]"),
            (Category::Project, ""),
        ] {
            assert_eq!(quoted(category), expected, "{category:?}");
        }
    }

    #[test]
    fn long_items_are_cut_where_they_can_be() {
        let long = "Licence, awarded with the highest mark of all the candidates of that year, Paris, 1893";
        assert_eq!(
            shortened(long),
            "Licence, awarded with the highest mark of all the candidates of that year …"
        );
        assert_eq!(shortened("short."), "short");
    }
}
