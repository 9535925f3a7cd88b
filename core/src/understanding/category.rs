//! The categories of things that a person's documents list, and the words that tell them.

use crate::text::terms::terms;

/// A kind of thing that a person has, or has not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Category {
    /// Prizes, medals, scholarships.
    Award,
    /// Certificates and licences.
    Certificate,
    /// Degrees, diplomas, where they were earned.
    Degree,
    /// Employers and posts.
    Employer,
    /// Languages one speaks.
    Language,
    /// Societies and academies.
    Membership,
    /// Places lived in or travelled to.
    Place,
    /// Projects.
    Project,
    /// Papers, books, articles, patents.
    Publication,
    /// Tools and techniques.
    Skill,
}

impl Category {
    /// All of them.
    pub(super) const ALL: [Self; 10] = [
        Self::Award,
        Self::Certificate,
        Self::Degree,
        Self::Employer,
        Self::Language,
        Self::Membership,
        Self::Place,
        Self::Project,
        Self::Publication,
        Self::Skill,
    ];

    /// What its things are called in an answer.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Award => "awards",
            Self::Certificate => "certificates",
            Self::Degree => "degrees and training",
            Self::Employer => "posts",
            Self::Language => "languages",
            Self::Membership => "memberships",
            Self::Place => "places",
            Self::Project => "projects",
            Self::Publication => "publications",
            Self::Skill => "skills",
        }
    }

    /// Nouns that name one such thing: "a `prize`", "any Oracle `certs`".
    pub(super) fn nouns(self) -> &'static [&'static str] {
        match self {
            Self::Award => &[
                "award",
                "awards",
                "prize",
                "prizes",
                "medal",
                "medals",
                "scholarship",
                "scholarships",
                "fellowship",
                "trophy",
                "honour",
                "honours",
                "honor",
                "honors",
                "oscar",
                "oscars",
                "grammy",
                "nobel",
                "bursary",
                "grant",
            ],
            Self::Certificate => &[
                "cert",
                "certs",
                "certificate",
                "certificates",
                "certification",
                "certifications",
                "license",
                "licence",
                "licenses",
                "licences",
                "accreditation",
                "credential",
                "credentials",
                "badge",
            ],
            Self::Degree => &[
                "phd",
                "dphil",
                "doctorate",
                "doctoral",
                "mba",
                "master",
                "masters",
                "msc",
                "bachelor",
                "bachelors",
                "bsc",
                "degree",
                "degrees",
                "diploma",
                "diplomas",
                "postdoc",
            ],
            Self::Employer => &["job", "internship", "employer", "post", "position"],
            Self::Language => &["language", "languages"],
            Self::Membership => &["membership", "memberships"],
            Self::Place => &[],
            Self::Project => &[],
            Self::Publication => &[
                "publication",
                "publications",
                "paper",
                "papers",
                "article",
                "articles",
                "book",
                "books",
                "patent",
                "patents",
            ],
            Self::Skill => {
                &["experience", "skill", "skills", "knowledge", "expertise", "background"]
            }
        }
    }

    /// Words of headings under which such things are listed.
    pub(super) fn headings(self) -> &'static [&'static str] {
        match self {
            Self::Award => &[
                "award",
                "prize",
                "medal",
                "honour",
                "honor",
                "competition",
                "distinction",
                "scholarship",
            ],
            Self::Certificate => {
                &["certificate", "certification", "licence", "license", "renewal", "credential"]
            }
            Self::Degree => &[
                "degree",
                "education",
                "qualification",
                "training",
                "studies",
                "academic",
                "examination",
                "diploma",
                "schooling",
            ],
            Self::Employer => &[
                "employment",
                "employer",
                "career",
                "work",
                "position",
                "post",
                "appointment",
                "experience",
                "job",
            ],
            Self::Language => &["language", "spoken"],
            Self::Membership => &["membership", "society", "association", "academy", "club"],
            Self::Place => &["journey", "travel", "lived", "place", "visit", "trip", "moves"],
            Self::Project => &["project"],
            Self::Publication => &["publication", "paper", "article", "book", "writing", "patent"],
            Self::Skill => &["skill", "tool", "software", "technical"],
        }
    }

    /// How much of a heading, beside words that say nothing, names this category; 0 to 1.
    pub(super) fn share(self, heading: &str) -> f32 {
        let own: Vec<String> = self.headings().iter().flat_map(|word| terms(word)).collect();
        let telling = telling(heading);
        let named = telling.iter().filter(|term| own.contains(term)).count();
        named as f32 / telling.len().max(1) as f32
    }

    /// The category that a noun names.
    pub(super) fn of_noun(noun: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.nouns().contains(&noun))
    }
}

/// Whether a heading says nothing of what is under it: "Overview".
pub(super) fn is_neutral(heading: &str) -> bool {
    telling(heading).is_empty()
}

fn telling(heading: &str) -> Vec<String> {
    let neutral: Vec<String> = NEUTRAL.iter().flat_map(|word| terms(word)).collect();
    terms(heading).into_iter().filter(|term| !neutral.contains(term)).collect()
}

/// Words of headings that say nothing of what is under them.
const NEUTRAL: &[&str] = &[
    "a",
    "and",
    "at",
    "brief",
    "detail",
    "full",
    "history",
    "i",
    "in",
    "list",
    "matrix",
    "my",
    "of",
    "on",
    "other",
    "overview",
    "profile",
    "record",
    "selected",
    "short",
    "status",
    "summary",
    "table",
    "the",
    "to",
    "up",
    "with",
    "where",
    "have",
    "professional",
    "her",
    "his",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_a_category() {
        for (category, heading, expected) in [
            (Category::Employer, "Work in brief", 1.0),
            (Category::Employer, "Employment history in detail", 1.0),
            (Category::Degree, "Education in short", 1.0),
            (Category::Award, "Prizes and medals", 1.0),
            (Category::Award, "Memberships and honours", 0.5),
            (Category::Place, "Where I have lived", 1.0),
            (Category::Award, "Work in brief", 0.0),
            (Category::Skill, "", 0.0),
        ] {
            assert!((category.share(heading) - expected).abs() < 0.01, "{heading}");
        }
    }
}
