//! Which providers and models there are, and which of them are asked for a request.

use super::{
    price::Prices,
    provider::{KINDS, Kind, Provider},
    quota::Caps,
};
use crate::{
    ports::Config,
    setting::{SettingFault, list},
};

/// The configured providers, in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    providers: Vec<Provider>,
    caps: Caps,
}

/// A provider to ask, and the models that may answer, the wanted one first.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// Ids of models; never empty.
    pub models: Vec<&'a str>,
}

/// The caller's: there is no such model. What was asked for is left out of the message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the request names an unknown model; there {}", told(.known))]
pub struct UnknownModel {
    /// Every model there is.
    pub known: Vec<String>,
}

/// The model that stands for whichever is configured.
pub const OWN: &str = "dossier";
/// Names that frontends send for a provider or a family of models.
const ALIASES: [&str; 6] = ["groq", "llama", "deepinfra", "qwen", "qwen3", "qwen3-32b"];

const PROVIDERS: &str = "llm_providers";
/// The answerer without a model, as providers and models are named; it stands behind all others in
/// any case.
pub const EXTRACTIVE: &str = "extractive";

impl Catalogue {
    /// Reads `llm_providers`, the variables of each provider, `llm_prices` and the caps.
    ///
    /// Without `llm_providers` there are those that have a key or an address, Groq first.
    /// `extractive` alone means that no model is asked.
    ///
    /// # Errors
    /// A variable has a value that it cannot have, a provider that is named lacks one, or one cannot
    /// be read.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let prices = Prices::configured(config).await?;
        let named = list(config, PROVIDERS).await?;
        let mut order: Vec<&'static Kind> = Vec::new();
        for name in named.iter().flatten().filter(|name| *name != EXTRACTIVE) {
            let kind = KINDS.iter().find(|kind| kind.name == name);
            let expected = "groq, deepinfra, custom or extractive, with commas between";
            let kind = kind.ok_or_else(|| SettingFault::malformed(PROVIDERS, expected, name))?;
            if order.iter().any(|other| other.name == kind.name) {
                return Err(SettingFault::malformed(PROVIDERS, "each provider once", name));
            }
            order.push(kind);
        }
        if named.is_none() {
            order.extend(&KINDS);
        }
        let mut providers = Vec::new();
        for kind in order {
            providers.extend(Provider::configured(config, kind, &prices, named.is_some()).await?);
        }
        Ok(Self { providers, caps: Caps::configured(config).await? })
    }

    /// Returns the providers, the preferred one first; empty where no model is asked.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Returns who is asked first where nobody else is wanted: the provider's name and its model's.
    pub fn answerer(&self) -> (&str, &str) {
        let first = self.providers.first();
        first.map_or((EXTRACTIVE, EXTRACTIVE), |it| (it.name(), &it.models()[0].id))
    }

    /// Returns what may be spent in a day.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// Returns every model there is, [`OWN`] first. Aliases are left out: frontends know them.
    fn known(&self) -> Vec<&str> {
        let ids = self.providers.iter().flat_map(Provider::models).map(|model| model.id.as_str());
        let mut known = vec![OWN];
        for name in ids {
            if !known.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                known.push(name);
            }
        }
        known
    }

    /// Returns whom to ask, in order: who serves the wanted model, then all others with theirs.
    ///
    /// An alias of something that is not configured is nobody's fault (frontends send one with
    /// every question), so it asks whoever there is.
    ///
    /// # Errors
    /// [`UnknownModel`]: the name is neither [`OWN`] nor a configured model nor an alias.
    pub fn choose(&self, wanted: Option<&str>) -> Result<Vec<Candidate<'_>>, UnknownModel> {
        let wanted = wanted.map(|name| name.trim().to_ascii_lowercase());
        let first = match wanted.as_deref() {
            None | Some("" | OWN) => None,
            Some(name) => match self.serving(name) {
                None if !ALIASES.contains(&name) => {
                    let known = self.known().into_iter().map(str::to_owned).collect();
                    return Err(UnknownModel { known });
                }
                found => found,
            },
        };
        let candidate = |provider, wanted: Option<&'_ str>| Candidate {
            provider,
            models: in_order(provider, wanted),
        };
        let chosen = first.map(|(provider, model)| candidate(provider, model));
        let name = first.map(|(provider, _)| provider.name());
        let others = self.providers.iter().filter(|provider| Some(provider.name()) != name);
        Ok(chosen.into_iter().chain(others.map(|provider| candidate(provider, None))).collect())
    }

    /// The provider that a name means, and the model where it means one.
    fn serving(&self, name: &str) -> Option<(&Provider, Option<&str>)> {
        let named = |name| self.providers.iter().find(|provider| provider.name() == name);
        match name {
            "groq" | "llama" => named("groq").map(|provider| (provider, None)),
            "deepinfra" => named("deepinfra").map(|provider| (provider, None)),
            "qwen" | "qwen3" | "qwen3-32b" => {
                // DeepInfra first: the name was made for its Qwen.
                let providers = named("deepinfra").into_iter().chain(&self.providers);
                find(providers, |id| id.contains(name))
            }
            id => find(self.providers.iter(), |other| other == id),
        }
    }
}

/// The models that there are, in words.
fn told(known: &[String]) -> String {
    match known.split_last() {
        None => "is none".to_owned(),
        Some((only, [])) => format!("is only {only}"),
        Some((last, others)) => format!("are {} and {last}", others.join(", ")),
    }
}

/// The first model whose id, in lower case, is as wanted.
fn find<'a>(
    mut providers: impl Iterator<Item = &'a Provider>,
    matches: impl Fn(&str) -> bool,
) -> Option<(&'a Provider, Option<&'a str>)> {
    providers.find_map(|provider| {
        let mut ids = provider.models().iter().map(|model| model.id.as_str());
        let id = ids.find(|id| matches(&id.to_ascii_lowercase()))?;
        Some((provider, Some(id)))
    })
}

fn in_order<'a>(provider: &'a Provider, wanted: Option<&str>) -> Vec<&'a str> {
    let mut ids: Vec<&str> = provider.models().iter().map(|model| model.id.as_str()).collect();
    // Stable: the others keep their order behind the wanted one.
    ids.sort_by_key(|id| Some(*id) != wanted);
    ids
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    fn catalogue(variables: &[(&str, &str)]) -> Result<Catalogue, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let config = MapConfig(variables.iter().map(own).collect());
        block_on(Catalogue::configured(&config)).map_err(|fault| fault.to_string())
    }

    const GROQ: (&str, &str) = ("groq_api_key", "g");
    const DEEPINFRA: (&str, &str) = ("deepinfra_api_key", "d");
    const CUSTOM: [(&str, &str); 2] = [("llm_base_url", "http://own/v1"), ("llm_models", "own")];

    #[test]
    fn the_order_is_the_operator_s_or_groq_first() {
        let check = |variables: &[(&str, &str)], expected: &[&str]| {
            let catalogue = catalogue(variables).unwrap();
            let names: Vec<&str> = catalogue.providers().iter().map(Provider::name).collect();
            assert_eq!(names, expected, "{variables:?}");
        };
        check(&[], &[]);
        check(&[DEEPINFRA, GROQ, CUSTOM[0], CUSTOM[1]], &["groq", "deepinfra", "custom"]);
        check(&CUSTOM, &["custom"]);
        check(&[GROQ, DEEPINFRA, ("llm_providers", "deepinfra, groq")], &["deepinfra", "groq"]);
        check(&[GROQ, DEEPINFRA, ("llm_providers", "groq,extractive")], &["groq"]);
        check(&[GROQ, ("llm_providers", "extractive")], &[]);
        check(&[GROQ, ("groq_base_url", "https://off.invalid")], &[]);

        let fault = catalogue(&[GROQ, ("llm_providers", "groq,openai")]).unwrap_err();
        assert!(fault.starts_with("variable llm_providers: expected groq, deepinfra,"), "{fault}");
        let fault = catalogue(&[GROQ, ("llm_providers", "groq,groq")]).unwrap_err();
        assert!(fault.contains("expected each provider once"), "{fault}");
        let fault = catalogue(&[GROQ, ("llm_providers", "deepinfra,groq")]).unwrap_err();
        assert!(fault.contains("variable deepinfra_api_key: expected "), "{fault}");
    }

    #[test]
    fn a_name_means_a_provider_and_a_model_and_the_others_stand_behind() {
        let all = catalogue(&[GROQ, DEEPINFRA, CUSTOM[0], CUSTOM[1]]).unwrap();
        let check = |catalogue: &Catalogue, wanted: &str, expected: &[(&str, &str)]| {
            let candidates = catalogue.choose(Some(wanted)).unwrap();
            let found = candidates.iter().map(|it| (it.provider.name(), it.models[0]));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{wanted:?}");
        };
        let groq = ("groq", "openai/gpt-oss-20b");
        let deepinfra = ("deepinfra", "Qwen/Qwen3-32B");
        let custom = ("custom", "own");
        check(&all, "", &[groq, deepinfra, custom]);
        check(&all, "Dossier", &[groq, deepinfra, custom]);
        check(&all, "Groq", &[groq, deepinfra, custom]);
        check(&all, "llama", &[groq, deepinfra, custom]);
        check(&all, "deepinfra", &[deepinfra, groq, custom]);
        check(&all, "qwen", &[deepinfra, groq, custom]);
        check(&all, "QWEN3-32b", &[deepinfra, groq, custom]);
        check(&all, "qwen/qwen3-32b", &[("groq", "qwen/qwen3-32b"), deepinfra, custom]);
        check(&all, "own", &[custom, groq, deepinfra]);
        let candidates = all.choose(Some("openai/gpt-oss-120b")).unwrap();
        let order = ["openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3-32b"];
        assert_eq!(candidates[0].models, order);

        let alone = catalogue(&[GROQ]).unwrap();
        check(&alone, "qwen", &[("groq", "qwen/qwen3-32b")]);
        check(&alone, "deepinfra", &[groq]);
        let none = catalogue(&[]).unwrap();
        check(&none, "groq", &[]);
    }

    #[test]
    fn an_unknown_model_is_refused_with_those_there_are() {
        let check = |variables: &[(&str, &str)], expected: &str| {
            let fault = catalogue(variables).unwrap().choose(Some("gpt-99-super")).unwrap_err();
            let expected = format!("the request names an unknown model; there {expected}");
            assert_eq!(fault.to_string(), expected);
        };
        check(&[], "is only dossier");
        check(&CUSTOM, "are dossier and own");
        check(&[CUSTOM[0], ("llm_models", "a,b,A")], "are dossier, a and b");
    }
}
