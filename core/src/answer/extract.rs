//! The extractive answerer: the best sentences of the passages found, each with its citation.
//!
//! It needs no provider, invents nothing, and stands at the end of every chain.

use super::whose::is_a_relatives;
use crate::{
    index::Index,
    retrieval::{Hit, Kind, Retrieval, Sentence, sentences},
    text::{Chunk, terms},
};

/// Sentences in an answer, and items where a list is asked for.
const MAX_SENTENCES: usize = 4;
const MAX_ITEMS: usize = 10;
/// A further sentence must score this share of the best one.
const NEXT_BEST: f32 = 0.5;
/// What a sentence's score is made of: the question's terms, late interaction beside the best
/// sentence's, the passage's place, and the kind of thing that is asked for. Chosen on the
/// development splits (docs/decisions/0019-ranking.md).
const COVERAGE: f32 = 0.35;
const LATE: f32 = 0.35;
const PASSAGE: f32 = 0.40;
const KIND: f32 = 0.10;
/// What a term counts that is found only in the headings above.
const HEADING: f32 = 0.7;

/// What a sentence loses that tells of a relative who is not asked for.
const RELATIVE: f32 = 0.5;

/// An answer made of quotations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extract {
    /// Sentences, each with `[n]`.
    pub text: String,
    /// Position of the chunk behind each `n`, `n` counting from 1.
    pub cited: Vec<usize>,
}

struct Candidate {
    hit: usize,
    position: usize,
    sentence: String,
    score: f32,
}

/// Answers `question` from the passages found. Empty where none has a sentence.
pub fn extract(index: &Index, question: &str, retrieval: &Retrieval) -> Extract {
    let hits = &retrieval.hits;
    let kind = Kind::of(question);
    let content = index.question_terms(question);
    let weights: Vec<f32> = content.iter().map(|term| index.lexical().rarity(term)).collect();
    let chunks: Vec<(&Hit, &Chunk)> =
        hits.iter().filter_map(|hit| Some((hit, index.chunks().get(hit.ordinal)?))).collect();
    let best_hit = hits.first().map_or(1.0, |hit| hit.score.max(f32::EPSILON));

    let own: Vec<Vec<Sentence>> =
        hits.iter().map(|hit| sentences(index, hit.ordinal, retrieval.wording.as_ref())).collect();
    let late = own.iter().flatten().filter_map(|sentence| sentence.late);
    let best_late = late.fold(f32::EPSILON, f32::max);

    let mut candidates: Vec<Candidate> = Vec::new();
    for (at, ((hit, chunk), own)) in chunks.iter().zip(own).enumerate() {
        let above = terms::terms(&chunk.context());
        for (position, sentence) in own.into_iter().enumerate() {
            let has = terms::terms(&sentence.text);
            let share = content.iter().zip(&weights).map(|(term, weight)| {
                let part = if has.contains(term) {
                    1.0
                } else if above.contains(term) {
                    HEADING
                } else {
                    0.0
                };
                part * weight
            });
            let coverage = share.sum::<f32>() / weights.iter().sum::<f32>().max(f32::EPSILON);
            let fits = if kind.fits(&sentence.text, question) { KIND } else { 0.0 };
            let relative =
                if is_a_relatives(index, question, &sentence.text) { RELATIVE } else { 0.0 };
            let score = COVERAGE * coverage
                + LATE * sentence.late.unwrap_or_default() / best_late
                + PASSAGE * hit.score / best_hit
                + fits
                - relative;
            candidates.push(Candidate { hit: at, position, sentence: sentence.text, score });
        }
    }
    compose(&choose(candidates, kind), &chunks, kind)
}

/// The best sentence, and the good ones of the passage it stands in, as they were written: other
/// passages are more often about something else than they add to the answer.
fn choose(mut candidates: Vec<Candidate>, kind: Kind) -> Vec<Candidate> {
    candidates.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then((a.hit, a.position).cmp(&(b.hit, b.position)))
    });
    let Some(best) = candidates.first() else { return Vec::new() };
    let (home, floor) = (best.hit, best.score * NEXT_BEST);
    candidates.retain(|it| it.hit == home && (kind == Kind::List || it.score >= floor));
    candidates.truncate(if kind == Kind::List { MAX_ITEMS } else { MAX_SENTENCES });
    candidates.sort_by_key(|candidate| candidate.position);
    candidates.dedup_by(|a, b| a.sentence == b.sentence);
    candidates
}

fn compose(chosen: &[Candidate], chunks: &[(&Hit, &Chunk)], kind: Kind) -> Extract {
    let mut extract = Extract::default();
    let mut last = None;
    for candidate in chosen {
        let (hit, chunk) = chunks[candidate.hit];
        let number = match extract.cited.iter().position(|ordinal| *ordinal == hit.ordinal) {
            Some(at) => at + 1,
            None => {
                extract.cited.push(hit.ordinal);
                extract.cited.len()
            }
        };
        if !extract.text.is_empty() {
            extract.text.push(' ');
        }
        let sentence = candidate.sentence.trim();
        let whole = sentence.ends_with(['.', '!', '?', ')', '"']);
        // An item or row says little without its heading, nor when it was if that stands there.
        let dated = |text: &str| kind == Kind::Time && Kind::Time.fits(text, "");
        if last != Some(candidate.hit)
            && let Some(heading) = chunk.heading.last()
            && (!whole || dated(heading) && !dated(sentence))
        {
            extract.text.push_str(heading);
            extract.text.push_str(": ");
        }
        let (body, end) = if whole {
            sentence.split_at(sentence.len() - 1)
        } else {
            (sentence.trim_end_matches([';', ',', ':']), ".")
        };
        extract.text.push_str(body);
        if matches!(end, ")" | "\"") {
            extract.text.push_str(end);
        }
        let stop = if matches!(end, "!" | "?") { end } else { "." };
        extract.text.push_str(&format!(" [{number}]{stop}"));
        last = Some(candidate.hit);
    }
    extract
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        index::build,
        retrieval::{Mode, Query, Retriever},
        text::{Document, chunks},
    };

    fn answer(text: &str, question: &str) -> String {
        let document = Document::read("a.md", text.as_bytes().to_vec()).unwrap();
        let index = Index::open(build(&chunks(&document), None).unwrap()).unwrap();
        let query = Query { text: question, top_k: 5, mode: Mode::Bm25, ..Query::default() };
        let retrieval = Retriever::new(&index, None).search(&query);
        extract(&index, question, &retrieval).text
    }

    #[test]
    fn quotes_with_citations() {
        let text = "# Prizes\n\n## Davy Medal\n\nThe Royal Society gave her the Davy Medal in 1903. It is of bronze.\n\n\
                    ## Degrees\n\n- Physics degree, 1893\n- Mathematics degree, 1894\n\n\
                    ## Radium\n\nTwenty women worked with radium. Radium glows (faintly).\n\n## Nancy, 1890 to 1892\n\nShe taught music.";
        for (question, expected) in [
            (
                "When did she get the Davy Medal?",
                "The Royal Society gave her the Davy Medal in 1903 [1]. It is of bronze [1].",
            ),
            (
                "Which degrees has she?",
                "Degrees: Physics degree, 1893 [1]. Mathematics degree, 1894 [1].",
            ),
            (
                "How many women worked with radium?",
                "Twenty women worked with radium [1]. Radium glows (faintly) [1].",
            ),
            ("When was her time in Nancy?", "Nancy, 1890 to 1892: She taught music [1]."),
            (
                "Does radium glow?",
                "Twenty women worked with radium [1]. Radium glows (faintly) [1].",
            ),
        ] {
            assert_eq!(answer(text, question), expected, "{question}");
        }
    }
}
