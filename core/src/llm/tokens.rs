//! How many tokens a text has, at the most, without any model's vocabulary.
//!
//! Providers count with byte-pair vocabularies of 100 000 entries and more, which we will not ship.
//! They all cut a text into words, numbers, punctuation and white space first and merge inside of
//! those, which gives a bound for each:
//!
//! - A character outside of ASCII costs its bytes in UTF-8: no byte-level vocabulary can spend more.
//! - Digits, punctuation and line breaks cost one each: they are tokens of their own at worst.
//! - A word of ASCII letters costs one for every three letters begun: common words are one token,
//!   and what is rare falls into pieces of three letters or more, because such vocabularies hold
//!   nearly every usual group of three. Where groups are not usual, each letter costs one: a capital
//!   that does not begin a word, and what follows three consonants in a row.
//! - A space belongs to the word behind it; only numbers and longer runs pay for theirs.
//!
//! Measured on 3 000 lines of the documents in this repository, in English and with names of many
//! languages, no line has more tokens than this says; the sum is 1.6 times the truth. Keyboard noise
//! can have more: [`settle`](super::State::settle) corrects what was reserved for it.

/// Counts tokens of a text that arrives in fragments; their borders do not matter.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    tokens: usize,
    /// Letters of the group of three under way.
    letters: u8,
    /// Consonants in a row.
    consonants: u8,
    /// Spaces in a row.
    spaces: usize,
}

/// Letters to a token at the least.
const GROUP: u8 = 3;
/// Spaces to a token at the least, in a run; vocabularies have runs of dozens.
const RUN: usize = 16;

impl Counter {
    /// Takes the next fragment.
    pub fn push(&mut self, fragment: &str) {
        for character in fragment.chars() {
            if self.tokens == 0 {
                // A first word has no space before it, and such forms are rarer in vocabularies.
                self.tokens = 1;
            }
            self.take(character);
        }
    }

    /// Returns the tokens so far, at the most.
    pub fn total(&self) -> usize {
        self.tokens
    }

    fn take(&mut self, character: char) {
        let spaces = std::mem::take(&mut self.spaces);
        if character.is_ascii_alphabetic() {
            let vowel = matches!(character.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
            self.consonants = if vowel { 0 } else { self.consonants.saturating_add(1) };
            let alone = character.is_ascii_uppercase() || self.consonants > GROUP;
            if self.letters == 0 || alone {
                self.tokens += 1;
                self.letters = 0;
            }
            self.letters = (self.letters + 1) % GROUP;
            return;
        }
        (self.letters, self.consonants) = (0, 0);
        match character {
            ' ' => {
                self.spaces = spaces + 1;
                self.tokens += usize::from(self.spaces % RUN == 2);
            }
            '0'..='9' => self.tokens += 1 + usize::from(spaces == 1),
            _ => self.tokens += character.len_utf8(),
        }
    }
}

/// Returns how many tokens `text` has, at the most.
pub fn estimate(text: &str) -> usize {
    let mut counter = Counter::default();
    counter.push(text);
    counter.total()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counted by the vocabularies `o200k_base` and `cl100k_base`, the larger of both. The first is
    /// gpt-oss's but for its control tokens; Llama 3 and Qwen grew out of the second.
    const MEASURED: &[(usize, &str)] = &[
        (18, "She led a team of four engineers and shipped the billing service in March 2021."),
        (17, "What did Ada work on before she joined the observatory, and for how long?"),
        (
            35,
            "B.Sc. in Physics, University of Ljubljana, 2014 - 2018, GPA 3.87 / 4.00, with distinction",
        ),
        (30, "Skills: Rust, Python 3.12, C++20, Kubernetes, PostgreSQL, gRPC, OAuth 2.0, CI/CD"),
        (
            27,
            "Er promovierte 2009 an der Technischen Universität München über Wärmeübertragung in Grenzschichten.",
        ),
        (
            22,
            "Die Veröffentlichungen der Arbeitsgruppe beschäftigen sich mit Datenschutzgrundverordnungen.",
        ),
        (
            37,
            "Elle a soutenu sa thèse à l'Université de Genève, puis a dirigé l'équipe d'ingénierie jusqu'en 2019.",
        ),
        (
            25,
            "Trabajó como ingeniera de telecomunicaciones en Bogotá y después coordinó el laboratorio de señales.",
        ),
        (
            34,
            "Ukończyła studia na Politechnice Wrocławskiej, a następnie pracowała jako programistka w Łodzi.",
        ),
        (
            37,
            "Hän työskenteli tutkijana Helsingin yliopistossa ja julkaisi väitöskirjansa vuonna 2016.",
        ),
        (
            39,
            "Boğaziçi Üniversitesi'nde bilgisayar mühendisliği okudu ve yüksek lisansını İstanbul'da tamamladı.",
        ),
        (49, "Bà tốt nghiệp Đại học Bách khoa Hà Nội năm 2012 và làm kỹ sư phần mềm tại Đà Nẵng."),
        (
            38,
            "Doktori fokozatát a Budapesti Műszaki Egyetemen szerezte, gépészmérnöki szakterületen.",
        ),
        (
            45,
            "Absolvovala Přírodovědeckou fakultu a poté zpracovávala měření z hvězdárny v Ondřejově.",
        ),
        (
            48,
            "Łucja Brzęczyńska-Ødegård, Þórður Guðmundsson, Nguyễn Thị Hạnh and Siobhán Ó Dubhthaigh",
        ),
        (
            44,
            "| Module | Credits | Grade |\n|---|---:|---|\n| Linear Algebra II | 9.0 | 1.3 |\n| Thermodynamics | 6.0 | 1.7 |",
        ),
        (
            31,
            "fn main() { let total_cost = items.iter().map(|item| item.unit_price * item.count as f64).sum::<f64>(); }",
        ),
        (
            29,
            "https://example.org/papers/2017/0042-hydrothermal-vents.pdf?download=1&lang=en#page=12",
        ),
        (
            47,
            "ORCID 0000-0002-1825-0097, ISBN 978-3-16-148410-0, DOI 10.1000/182, +44 20 7946 0958",
        ),
        (52, "dGhpcyBpcyBub3QgYSByZWFsIGtleSwganVzdCBhIHRlc3Q= 9f86d081884c7d659a2feaa0c55ad015"),
        (
            27,
            "EXPERIENCE AND EDUCATION\n\n\nUNIVERSITY OF WESTERN NORTHUMBRIA - DEPARTMENT OF OCEANOGRAPHY",
        ),
        (
            37,
            "Répétiteur; coöperation; façade; naïve; über; señor; smörgåsbord; jalapeño; Zürich; Åse",
        ),
        (12, "    indented    with        many          spaces\tand\ttabs"),
        (36, "Она окончила Московский университет и работала инженером в Новосибирске."),
        (35, "彼女は東京大学で物理学を学び、二〇一五年に博士号を取得した。"),
        (33, "Project: 🚀 launch tooling — “fast”, ‘safe’ … €2,500 saved; 99.95 % uptime ± 0.01"),
        (27, "xqzjvw krptlsd bcdfghjklmnp qwrtzpsdfg zxcvbnm"),
        (
            23,
            "supercalifragilisticexpialidocious antidisestablishmentarianism pneumonoultramicroscopic",
        ),
    ];

    #[test]
    fn the_estimate_is_never_below_the_truth_and_not_far_above() {
        let (mut truth, mut estimated) = (0, 0);
        for (tokens, text) in MEASURED {
            let estimate = estimate(text);
            assert!(estimate >= *tokens, "{text:?}: {tokens} tokens, estimated {estimate}");
            (truth, estimated) = (truth + tokens, estimated + estimate);
        }
        assert!(estimated * 10 <= truth * 18, "{estimated} for {truth}: a budget is wasted");
    }

    #[test]
    fn fragments_count_like_the_whole() {
        for (_, text) in MEASURED {
            let mut counter = Counter::default();
            text.chars().for_each(|character| counter.push(&character.to_string()));
            assert_eq!(counter.total(), estimate(text), "{text:?}");
        }
        assert_eq!(estimate(""), 0);
    }
}
