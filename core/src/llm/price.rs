//! What tokens cost: a table of known models, and the operator's own prices.

use crate::{
    ports::Config,
    setting::{SettingFault, items, parsed},
};

/// The price of a model's tokens, in billionths of a dollar each.
///
/// A dollar for a million tokens is 1 000 of them. What a provider takes off for tokens that it has
/// in its cache is left out: the price is an upper bound.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Price {
    /// Of a token of the conversation.
    pub input: u64,
    /// Of a token of the reply, thinking included.
    pub output: u64,
}

impl Price {
    /// Returns the cost in millionths of a dollar, rounded up.
    pub fn cost(self, input: u64, output: u64) -> u64 {
        let cost =
            input.saturating_mul(self.input).saturating_add(output.saturating_mul(self.output));
        cost.div_ceil(1000)
    }
}

/// Models that providers bill, with dollars for a million tokens in and out: the highest figures
/// that were published for them up to the middle of 2026.
const KNOWN: &[(&str, Price)] = &[
    ("openai/gpt-oss-20b", Price { input: 100, output: 500 }),
    ("openai/gpt-oss-120b", Price { input: 150, output: 750 }),
    ("qwen/qwen3-32b", Price { input: 290, output: 590 }),
    ("llama-3.1-8b-instant", Price { input: 50, output: 80 }),
    ("llama-3.3-70b-versatile", Price { input: 590, output: 790 }),
];

/// What a hosted model costs that no table names: as much as the dearest that these providers
/// offer, so that the daily cap holds before somebody has looked its price up.
pub(super) const UNLISTED: Price = Price { input: 1000, output: 3000 };

/// The known prices, overridden by the operator's.
#[derive(Clone, Debug, Default)]
pub(super) struct Prices(Vec<(String, Price)>);

impl Prices {
    /// Reads `llm_prices`: `model=in/out` with commas between, in dollars for a million tokens.
    pub(super) async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let expected = "model=in/out,… in dollars for a million tokens, 0 to 1000";
        let parse = |text: &str| items(text).map(entry).collect::<Option<_>>();
        Ok(Self(parsed(config, PRICES, expected, parse).await?.unwrap_or_default()))
    }

    /// The price of a model, where anybody knows it.
    pub(super) fn of(&self, model: &str) -> Option<Price> {
        let own = self.0.iter().map(|(id, price)| (id.as_str(), *price));
        let mut all = own.chain(KNOWN.iter().copied());
        all.find(|(id, _)| id.eq_ignore_ascii_case(model)).map(|(_, price)| price)
    }
}

const PRICES: &str = "llm_prices";

fn entry(item: &str) -> Option<(String, Price)> {
    let (model, price) = item.split_once('=')?;
    let (input, output) = price.split_once('/')?;
    let price = Price { input: nano_dollars(input)?, output: nano_dollars(output)? };
    Some((model.trim().to_owned(), price))
}

fn nano_dollars(text: &str) -> Option<u64> {
    let dollars: f64 = text.trim().parse().ok()?;
    (0.0..=1000.0).contains(&dollars).then(|| (dollars * 1000.0).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    fn prices(text: &str) -> Result<Prices, SettingFault> {
        let config = MapConfig([(PRICES.to_owned(), text.to_owned())].into());
        block_on(Prices::configured(&config))
    }

    #[test]
    fn the_operator_s_price_comes_before_the_table_s() {
        let read = prices("mine=0.25/2, openai/gpt-oss-20b = 0.0755/0.3").unwrap();
        assert_eq!(read.of("Mine"), Some(Price { input: 250, output: 2000 }));
        assert_eq!(read.of("openai/gpt-oss-20b"), Some(Price { input: 76, output: 300 }));
        assert_eq!(read.of("Qwen/Qwen3-32B"), Some(Price { input: 290, output: 590 }));
        assert_eq!(read.of("nobody/knows"), None);
        for bad in ["mine", "mine=1", "mine=1/x", "mine=-1/1", "mine=1/1001", "mine=NaN/1"] {
            let fault = prices(bad).unwrap_err().to_string();
            assert!(fault.starts_with("variable llm_prices: expected model=in/out"), "{fault}");
        }
    }

    #[test]
    fn costs_are_rounded_up() {
        let price = Price { input: 75, output: 300 };
        assert_eq!(price.cost(0, 0), 0);
        assert_eq!(price.cost(1, 0), 1);
        assert_eq!(price.cost(1_000_000, 1_000_000), 375_000);
        assert_eq!(price.cost(u64::MAX, 1), u64::MAX.div_ceil(1000));
    }
}
