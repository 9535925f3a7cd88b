//! The routes below `/v1`, as OpenAI's clients know them.

use dossier_core::{
    RequestError,
    answer::Event,
    chat::{
        Asked, Conversation, Question, Sink,
        completions::{self, Completion},
    },
    llm::estimate,
    telemetry::Trace,
    wire::{ChatSource, CompletionError, CompletionUsage, ModelList, read_json},
};
use dossier_platform::{Reply, json};
use futures::channel::mpsc;

use crate::{
    Admitted, Answered,
    house::{Account, House},
    questions::{Voice, closed, spoken},
};

/// What the name of a model follows in a path.
pub(crate) const MODEL_ROUTE: &str = "/v1/models/";

/// Answers the last message of a conversation that the caller keeps.
pub(crate) async fn complete(mut admitted: Admitted) -> Answered {
    let conversation = read_json(&admitted.body).and_then(completions::Conversation::read);
    let conversation = match conversation {
        Ok(conversation) => conversation,
        Err(error) => return Err((error, admitted.account)),
    };
    let question = match Question::from_chat(conversation.request()) {
        Ok(question) => question,
        Err(error) => return Err((error, admitted.account)),
    };
    let asked = Asked {
        question: Question { session_id: conversation.caller.clone(), ..question },
        visitor: admitted.visitor,
        conversation: Conversation::Sent(conversation.earlier.clone()),
    };
    let exchange = &admitted.account.exchange;
    let model = conversation.model.as_deref().unwrap_or(completions::MODEL);
    let completion = Completion::new(&exchange.request_id, exchange.started, model);
    if conversation.stream {
        let question = asked.question.text.clone();
        return spoken(admitted, asked, |_| Chunks {
            completion,
            question,
            include_usage: conversation.include_usage,
            ..Chunks::default()
        })
        .await;
    }
    let Admitted { ref house, ref mut account, .. } = admitted;
    let service = house.service();
    let question = asked.question.text.clone();
    match service.answer(asked, &mut account.trace).await {
        Ok((response, standing)) => {
            let usage = usage(&account.trace, &question, &response.answer);
            let reply = json(&completion.reply(&response, usage, false));
            Ok(closed(reply.headers(standing.headers()), admitted.account))
        }
        Err(error) => Err((error, admitted.account)),
    }
}

/// Lists what may be asked for as `model`.
pub(crate) async fn models(admitted: Admitted) -> Answered {
    let reply = json(&listed(&admitted.house));
    Ok(closed(reply, admitted.account))
}

/// Looks up one of them.
pub(crate) async fn model(admitted: Admitted) -> Answered {
    let route = &admitted.account.exchange.route;
    match listed(&admitted.house).take(route.strip_prefix(MODEL_ROUTE).unwrap_or_default()) {
        Ok(model) => Ok(closed(json(&model), admitted.account)),
        Err(error) => Err((error, admitted.account)),
    }
}

fn listed(house: &House) -> ModelList {
    let providers = house.setup.settings.catalogue.providers().iter();
    ModelList::new(providers.flat_map(|provider| {
        provider.models().iter().map(|model| (model.id.as_str(), provider.name()))
    }))
}

/// Whether a route is one of OpenAI's, known or not.
pub(crate) fn is_theirs(route: &str) -> bool {
    route == "/v1" || route.starts_with("/v1/")
}

/// An error as these clients read it.
pub(crate) fn refused(error: &RequestError) -> Reply {
    let (_, status, _) = error.row();
    let status = http::StatusCode::from_u16(status).unwrap_or_default();
    json(&CompletionError::new(error)).status(status).headers(error.headers())
}

/// What the model counted, or an upper bound of what was read and said without one.
fn usage(trace: &Trace, question: &str, answer: &str) -> CompletionUsage {
    let bounded = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
    match trace.calls().iter().rev().find(|call| call.succeeded) {
        Some(call) => CompletionUsage::new(bounded(call.input_tokens), bounded(call.output_tokens)),
        None => {
            let estimate = |text| bounded(estimate(text) as u64);
            CompletionUsage::new(estimate(question), estimate(answer))
        }
    }
}

/// Events as chunks.
#[derive(Default)]
struct Chunks {
    completion: Completion,
    question: String,
    include_usage: bool,
    out: Option<mpsc::UnboundedSender<String>>,
    text: String,
    sources: Vec<ChatSource>,
}

impl Chunks {
    fn write(&self, event: String) {
        if let Some(out) = &self.out {
            let _ = out.unbounded_send(event);
        }
    }
}

impl Sink for Chunks {
    async fn send(&mut self, event: Event) {
        match event {
            Event::Metadata(metadata) => {
                // Those that are there before the first word are the sources of what is ready.
                self.sources = metadata.sources;
                self.write(self.completion.open());
            }
            Event::Thinking(text) => self.write(self.completion.thinking(&text)),
            Event::Token(text) => {
                self.write(self.completion.text(&text));
                self.text.push_str(&text);
            }
            Event::SourcesReorder(sources) => self.sources = sources,
            // A refusal cites nothing, whatever was looked at.
            Event::Result(result) if !result.grounded => self.sources.clear(),
            _ => {}
        }
    }

    fn is_live(&self) -> bool {
        true
    }
}

impl Voice for Chunks {
    fn attach(&mut self, out: mpsc::UnboundedSender<String>) {
        self.out = Some(out);
    }

    fn finish(self, account: &Account, is_complete: bool) {
        if !is_complete {
            let reason = "the answer broke off; ask again".to_owned();
            let error = RequestError::Unavailable { reason };
            return self.write(CompletionError::new(&error).event());
        }
        let usage = usage(&account.trace, &self.question, &self.text);
        let usage = self.include_usage.then_some(usage);
        self.write(self.completion.close(&self.sources, usage, false));
    }
}
