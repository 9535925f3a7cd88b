//! One provider: where it is, what it serves, and what it may be asked.

use super::{
    completion::{Completion, Effort},
    price::{Price, Prices, UNLISTED},
    quota::{Limits, Reservation},
};
use crate::{
    ports::Config,
    setting::{self, SettingFault},
};

/// A server that speaks OpenAI's chat completions.
#[derive(Clone, Debug)]
pub struct Provider {
    name: &'static str,
    /// Where completions are asked for.
    pub(super) completions: http::Uri,
    /// Where its models are listed.
    pub(super) list: http::Uri,
    headers: http::HeaderMap,
    models: Vec<Model>,
    limits: Limits,
}

/// A model of a provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Model {
    /// Its id, as the provider writes it.
    pub id: String,
    /// What its tokens cost.
    pub price: Price,
    reasoning: Reasoning,
}

/// A kind of provider, and what is known of it.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What its variables begin with.
    prefix: &'static str,
    /// Its address, where there is but one.
    base_url: Option<&'static str>,
    /// Models to ask for, best first: when one is withdrawn, the next one answers.
    models: &'static str,
    limits: Limits,
    /// What an unlisted model costs.
    unlisted: Price,
}

/// In the order in which they are asked where `llm_providers` does not say otherwise.
pub(super) const KINDS: [Kind; 3] = [
    Kind {
        name: "groq",
        prefix: "groq",
        base_url: Some("https://api.groq.com/openai/v1"),
        models: "openai/gpt-oss-20b,openai/gpt-oss-120b,qwen/qwen3-32b",
        // A twentieth below what is free (30, 1 000, 8 000 and 200 000): the provider's clock and
        // ours do not agree on when a minute begins.
        limits: Limits {
            requests_per_minute: Some(28),
            requests_per_day: Some(950),
            tokens_per_minute: Some(7_600),
            tokens_per_day: Some(190_000),
        },
        unlisted: UNLISTED,
    },
    Kind {
        name: "deepinfra",
        prefix: "deepinfra",
        base_url: Some("https://api.deepinfra.com/v1/openai"),
        models: "Qwen/Qwen3-32B",
        // It has no limit that a personal site could meet; these keep a mistake small.
        limits: Limits {
            requests_per_minute: Some(60),
            requests_per_day: Some(10_000),
            tokens_per_minute: None,
            tokens_per_day: None,
        },
        unlisted: UNLISTED,
    },
    Kind {
        name: "custom",
        prefix: "llm",
        base_url: None,
        models: "",
        limits: Limits {
            requests_per_minute: None,
            requests_per_day: None,
            tokens_per_minute: None,
            tokens_per_day: None,
        },
        // Most often the operator's own machine. Whoever is billed names prices in llm_prices.
        unlisted: Price { input: 0, output: 0 },
    },
];

impl Provider {
    /// Reads `<prefix>_base_url`, `<prefix>_api_key`, `<prefix>_models` and the limits; the prefix
    /// of `custom` is `llm`. `None` where nothing says that there is one, or where its host is below
    /// `.invalid`, which no server can be (RFC 6761). `wanted`: `llm_providers` names it.
    pub(super) async fn configured(
        config: &impl Config,
        kind: &'static Kind,
        prices: &Prices,
        wanted: bool,
    ) -> Result<Option<Self>, SettingFault> {
        let Kind { name: provider, prefix, .. } = *kind;
        let variable = |what: &str| format!("{prefix}_{what}");
        let missing = |what| {
            let expected = format!("a value, as llm_providers names {provider}");
            SettingFault::missing(&variable(what), expected)
        };

        let key = setting::bearer(config, &variable("api_key")).await?;
        let own_url = config.get(&variable("base_url")).await?;
        let base_url = match (own_url.as_deref(), kind.base_url) {
            (Some(own), _) => own,
            (None, Some(default)) if key.is_some() => default,
            (None, Some(_)) if wanted => return Err(missing("api_key")),
            (None, None) if wanted => return Err(missing("base_url")),
            (None, _) => return Ok(None),
        };
        let address = |path| setting::address(&variable("base_url"), base_url, path);
        let (Some(completions), Some(list)) = (address("/chat/completions")?, address("/models")?)
        else {
            return Ok(None);
        };

        let ids = setting::list(config, &variable("models"))
            .await?
            .unwrap_or_else(|| setting::items(kind.models).map(str::to_owned).collect());
        if ids.is_empty() {
            return Err(missing("models"));
        }
        let price = |id: &str| prices.of(id).unwrap_or(kind.unlisted);
        let models = ids.into_iter().map(|id| Model {
            price: price(&id),
            reasoning: Reasoning::of(provider, &id),
            id,
        });
        Ok(Some(Self {
            name: provider,
            completions,
            list,
            headers: headers(key),
            models: models.collect(),
            limits: Limits::configured(config, prefix, kind.limits).await?,
        }))
    }

    /// Its name: `groq`, `deepinfra` or `custom`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its models, the preferred one first; never empty.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What every request carries, the key included.
    pub(super) fn headers(&self) -> &http::HeaderMap {
        &self.headers
    }

    /// Returns the model of this id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id.eq_ignore_ascii_case(id))
    }

    /// Returns what `completion` can take at the most, whichever of `models` answers it.
    pub fn reservation(&self, models: &[&str], completion: &Completion<'_>) -> Reservation {
        let (input, output) = (completion.prompt_tokens(), u64::from(completion.max_tokens));
        let models = models.iter().filter_map(|id| self.model(id));
        let costs = models.map(|model| model.price.cost(input, output));
        Reservation { tokens: input + output, micro_usd: costs.max().unwrap_or(0) }
    }
}

#[cfg(test)]
impl Provider {
    pub(super) fn sample(limits: Limits) -> Self {
        let price = Price { input: 1000, output: 1000 };
        let model = |id: &str| Model { id: id.to_owned(), price, reasoning: Reasoning::Levels };
        Self {
            name: "sample",
            completions: http::Uri::from_static("https://llm.example/v1/chat/completions"),
            list: http::Uri::from_static("https://llm.example/v1/models"),
            headers: headers(Some(http::HeaderValue::from_static("Bearer secret"))),
            models: vec![model("first"), model("second")],
            limits,
        }
    }
}

impl Model {
    /// What to send as `reasoning_effort`; `None` where the model takes no such field.
    pub(super) fn effort(&self, effort: Effort) -> Option<&'static str> {
        match (self.reasoning, effort) {
            (Reasoning::Fixed, _) => None,
            (Reasoning::Levels, Effort::None | Effort::Low) => Some("low"),
            (Reasoning::Switch | Reasoning::Levelled, Effort::None) => Some("none"),
            (Reasoning::Switch, _) => Some("default"),
            (Reasoning::Levelled, Effort::Low) => Some("low"),
            (Reasoning::Levels | Reasoning::Levelled, Effort::Medium) => Some("medium"),
            (Reasoning::Levels | Reasoning::Levelled, Effort::High) => Some("high"),
        }
    }
}

/// What a model makes of `reasoning_effort`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reasoning {
    /// It refuses the field.
    Fixed,
    /// `low` to `high`; it always thinks.
    Levels,
    /// `none` or `default`.
    Switch,
    /// `none` to `high`.
    Levelled,
}

impl Reasoning {
    fn of(provider: &str, id: &str) -> Self {
        let id = id.to_ascii_lowercase();
        let qwen = id.contains("qwen3");
        match provider {
            _ if id.contains("gpt-oss") => Self::Levels,
            "groq" if qwen => Self::Switch,
            "deepinfra" if qwen => Self::Levelled,
            // Servers of one's own differ too much in what they take.
            _ => Self::Fixed,
        }
    }
}

fn headers(key: Option<http::HeaderValue>) -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    let json = http::HeaderValue::from_static("application/json");
    headers.insert(http::header::CONTENT_TYPE, json);
    let accepted = http::HeaderValue::from_static("text/event-stream, application/json");
    headers.insert(http::header::ACCEPT, accepted);
    headers.extend(key.map(|key| (http::header::AUTHORIZATION, key)));
    headers
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    fn configured(
        kind: usize,
        wanted: bool,
        variables: &[(&str, &str)],
    ) -> Result<Option<Provider>, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let config = MapConfig(variables.iter().map(own).collect());
        let prices = Prices::default();
        let read = Provider::configured(&config, &KINDS[kind], &prices, wanted);
        block_on(read).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_key_or_an_address_makes_a_provider() {
        let groq = configured(0, false, &[("groq_api_key", " secret\n")]).unwrap().unwrap();
        assert_eq!(groq.completions, "https://api.groq.com/openai/v1/chat/completions");
        assert_eq!(groq.headers()["authorization"], "Bearer secret");
        assert!(!format!("{groq:?}").contains("secret"), "a key is not shown");
        assert_eq!(groq.models().len(), 3);
        assert_eq!(groq.limits().requests_per_minute, Some(28));

        let own = [("llm_base_url", "http://127.0.0.1:11434/v1/"), ("llm_models", "a, b")];
        let custom = configured(2, false, &own).unwrap().unwrap();
        assert_eq!(custom.completions, "http://127.0.0.1:11434/v1/chat/completions");
        assert!(!custom.headers().contains_key("authorization"));
        assert_eq!(custom.models().iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(custom.models()[0].price, Price::default());

        for kind in 0..3 {
            assert!(configured(kind, false, &[]).unwrap().is_none());
        }
        let off = [("groq_api_key", "k"), ("groq_base_url", "https://off.invalid/v1")];
        assert!(configured(0, true, &off).unwrap().is_none());
    }

    #[test]
    fn what_is_amiss_is_told_by_its_variable() {
        let check = |kind, variables: &[(&str, &str)], expected: &str| {
            assert_eq!(configured(kind, true, variables).unwrap_err(), expected);
        };
        let missing = |name: &str, provider: &str| {
            format!(
                "variable {name}: expected a value, as llm_providers names {provider}, got nothing"
            )
        };
        check(0, &[], &missing("groq_api_key", "groq"));
        check(2, &[], &missing("llm_base_url", "custom"));
        check(2, &[("llm_base_url", "http://host")], &missing("llm_models", "custom"));
        let expected = "expected http or https://host[:port][/path]";
        let message = format!("variable llm_base_url: {expected}, got \"host/v1\"");
        check(2, &[("llm_base_url", "host/v1")], &message);
        let message = "variable groq_api_key: expected visible ASCII, got something else";
        check(0, &[("groq_api_key", "se\ncret")], message);
    }

    #[test]
    fn a_model_is_told_to_think_in_its_own_words() {
        use Effort::{High, Low, Medium, None as No};
        let check = |provider, id: &str, expected: [Option<&str>; 4]| {
            let reasoning = Reasoning::of(provider, id);
            let model = Model { id: id.to_owned(), price: UNLISTED, reasoning };
            assert_eq!(
                [No, Low, Medium, High].map(|effort| model.effort(effort)),
                expected,
                "{id}"
            );
        };
        let levels = [Some("low"), Some("low"), Some("medium"), Some("high")];
        check("groq", "openai/gpt-oss-20b", levels);
        check("custom", "gpt-oss:20b", levels);
        let switch = [Some("none"), Some("default"), Some("default"), Some("default")];
        check("groq", "qwen/qwen3-32b", switch);
        let levelled = [Some("none"), Some("low"), Some("medium"), Some("high")];
        check("deepinfra", "Qwen/Qwen3-32B", levelled);
        check("groq", "llama-3.1-8b-instant", [None; 4]);
        check("custom", "qwen3:8b", [None; 4]);
    }
}
