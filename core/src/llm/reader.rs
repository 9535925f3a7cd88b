//! Reads a completion piece by piece and hands on what the model says.

use std::ops::ControlFlow;

use super::{
    fault::{Fault, code},
    outcome::{Finish, Usage},
    stream::Listener,
    think::{Piece, Splitter},
    tokens::Counter,
};
use crate::wire::{ProviderReply, ProviderText, ProviderUsage};

/// What is known of one reply so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Whether thinking is handed on.
    thinking: bool,
    /// Whether any piece was handed on.
    pub(super) began: bool,
    /// Why the model ended, once it did.
    pub(super) finish: Option<Finish>,
    splitter: Splitter,
    /// Whether any text was handed on.
    answered: bool,
    usage: Option<ProviderUsage>,
    counter: Counter,
}

impl Reader {
    /// Creates a reader that hands thinking on, or keeps it to itself.
    pub(super) fn new(thinking: bool) -> Self {
        Self { thinking, ..Self::default() }
    }

    /// Takes a piece, or a whole reply.
    pub(super) async fn accept(
        &mut self,
        json: &[u8],
        listener: &mut impl Listener,
    ) -> Result<(), Fault> {
        // The parser's own words may quote the answer.
        let malformed = |error: serde_json::Error| Fault::Malformed {
            reason: format!("unreadable JSON at line {}, column {}", error.line(), error.column()),
        };
        let reply: ProviderReply = serde_json::from_slice(json).map_err(malformed)?;
        let groq = reply.x_groq.unwrap_or_default();
        if let Some(error) = reply.error.or(groq.error) {
            let error = serde_json::json!({ "error": error });
            return Err(Fault::Failed { code: code(&error) });
        }
        let usage = reply.usage.or(groq.usage);
        self.usage = usage.or(self.usage.take());
        let choices = reply.choices.unwrap_or_default();
        let Some(choice) = choices.into_iter().next() else { return Ok(()) };
        if let Some(text) = choice.delta.or(choice.message) {
            self.say(text, listener).await?;
        }
        if let Some(reason) = choice.finish_reason {
            self.finish = Some(Finish::named(&reason));
        }
        Ok(())
    }

    /// Ends the reply; `done` if the provider said that nothing more comes.
    pub(super) async fn end(
        &mut self,
        done: bool,
        listener: &mut impl Listener,
    ) -> Result<Finish, Fault> {
        let finish = match self.finish {
            None if !done => return Err(Fault::Cut),
            other => other.unwrap_or(Finish::Other),
        };
        if let Some(held) = std::mem::take(&mut self.splitter).finish() {
            self.hand_on(held, listener).await?;
        }
        if self.answered { Ok(finish) } else { Err(Fault::Empty) }
    }

    /// The tokens, counted by the provider or else estimated.
    pub(super) fn usage(&self, prompt_tokens: u64) -> Usage {
        match &self.usage {
            Some(usage) => Usage {
                prompt: usage.prompt_tokens,
                cached: usage
                    .prompt_tokens_details
                    .as_ref()
                    .and_then(|details| details.cached_tokens)
                    .unwrap_or(0),
                completion: usage.completion_tokens,
                reported: true,
            },
            None => Usage {
                prompt: prompt_tokens,
                completion: self.counter.total() as u64,
                ..Usage::default()
            },
        }
    }

    async fn say(&mut self, text: ProviderText, to: &mut impl Listener) -> Result<(), Fault> {
        let thinking = text.reasoning.or(text.reasoning_content).unwrap_or_default();
        let content = text.content.unwrap_or_default();
        self.counter.push(&thinking);
        self.counter.push(&content);
        if !thinking.is_empty() {
            self.hand_on(Piece::Thinking(thinking), to).await?;
        }
        for piece in self.splitter.push(&content) {
            self.hand_on(piece, to).await?;
        }
        Ok(())
    }

    async fn hand_on(&mut self, piece: Piece, to: &mut impl Listener) -> Result<(), Fault> {
        let flow = match piece {
            Piece::Thinking(_) if !self.thinking => return Ok(()),
            Piece::Thinking(text) => {
                self.began = true;
                to.thinking(text).await
            }
            Piece::Text(text) => {
                self.began = true;
                self.answered = true;
                to.text(text).await
            }
        };
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Fault::Stopped),
        }
    }
}
