//! `/chat`, `/chat/stream`, `/chat/simple`, `/search`.

use dossier_core::{
    RequestError,
    answer::Event,
    chat::{Asked, Conversation, Question, Sink, with_parameters},
    wire::{ChatRequest, read_json},
};
use dossier_platform::{Reply, json, stream as event_stream};
use futures::{
    StreamExt as _,
    channel::{mpsc, oneshot},
    future::join,
};
use http::HeaderMap;

use crate::{Admitted, Answered, house::Account};

/// An answer in one piece. `/chat/simple` neither continues nor begins a conversation.
pub(crate) async fn whole(mut admitted: Admitted) -> Answered {
    let kept = admitted.account.exchange.route == "/chat";
    let asked = match asked(&mut admitted, kept) {
        Ok(asked) => asked,
        Err(error) => return Err((error, admitted.account)),
    };
    let Admitted { house, mut account, .. } = admitted;
    let service = house.service();
    match service.answer(asked, &mut account.trace).await {
        Ok((response, standing)) => {
            let reply = json(&response).headers(standing.headers());
            account.session = Some(response.session_id);
            Ok(closed(reply, account))
        }
        Err(error) => Err((error, account)),
    }
}

/// An answer as it comes.
pub(crate) async fn stream(mut admitted: Admitted) -> Answered {
    let asked = match asked(&mut admitted, true) {
        Ok(asked) => asked,
        Err(error) => return Err((error, admitted.account)),
    };
    spoken(admitted, asked, |_| Live::default()).await
}

/// Events on their way to a visitor.
pub(crate) trait Voice: Sink + 'static {
    /// Takes the place to write to.
    fn attach(&mut self, out: mpsc::UnboundedSender<String>);

    /// Writes what comes after the last event.
    fn finish(self, account: &Account, is_complete: bool);
}

/// Prepares the answer, and speaks it behind the reply's head with the voice that `voice` makes.
pub(crate) async fn spoken<V: Voice>(
    admitted: Admitted,
    asked: Asked,
    voice: impl FnOnce(&Admitted) -> V,
) -> Answered {
    let (head, waiting) = oneshot::channel::<Result<HeaderMap, (RequestError, Account)>>();
    let (sender, reply) = event_stream();
    let mut voice = voice(&admitted);
    let Admitted { house, mut account, .. } = admitted;
    spin_sdk::wasip3::spawn(async move {
        let service = house.service();
        let prepared = match service.prepare(asked, &mut account.trace).await {
            Ok(prepared) => prepared,
            Err(error) => {
                let _ = head.send(Err((error, account)));
                return;
            }
        };
        let mut headers = prepared.standing.headers();
        headers.extend(timing(&account));
        let _ = head.send(Ok(headers));
        // Answering does not wait for a slow reader: others may wait for this answer.
        let (out, queue) = mpsc::unbounded();
        voice.attach(out);
        let answering = async {
            let spoken = service.speak(prepared, &mut account.trace, &mut voice).await;
            account.session = Some(spoken.response.session_id);
            voice.finish(&account, spoken.is_complete);
        };
        // A reader who has gone ends the forwarding alone.
        join(answering, queue.map(Ok).forward(sender)).await.1.ok();
        account.close(200, None).await;
    });
    match waiting.await {
        Ok(Ok(headers)) => Ok(reply.headers(headers)),
        Ok(Err(refused)) => Err(refused),
        // The task is gone with the instance, and whoever waits here with it.
        Err(_) => Ok(Reply::full(500, "text/plain", "")),
    }
}

/// Server-sent events as our own clients read them.
#[derive(Default)]
struct Live(Option<mpsc::UnboundedSender<String>>);

impl Sink for Live {
    async fn send(&mut self, event: Event) {
        if let Some(out) = &self.0 {
            let _ = out.unbounded_send(event.encode());
        }
    }

    fn is_live(&self) -> bool {
        true
    }
}

impl Voice for Live {
    fn attach(&mut self, out: mpsc::UnboundedSender<String>) {
        self.0 = Some(out);
    }

    fn finish(self, _account: &Account, _is_complete: bool) {}
}

/// Passages without an answer.
pub(crate) async fn search(admitted: Admitted) -> Answered {
    let Admitted { house, visitor, body, mut account, .. } = admitted;
    let request = match read_json(&body) {
        Ok(request) => request,
        Err(error) => return Err((error, account)),
    };
    let found = house.service().search(request, visitor, &mut account.trace).await;
    match found {
        Ok((response, standing)) => {
            Ok(closed(json(&response).headers(standing.headers()), account))
        }
        Err(error) => Err((error, account)),
    }
}

fn asked(admitted: &mut Admitted, kept: bool) -> Result<Asked, RequestError> {
    let request: ChatRequest = read_json(&admitted.body)?;
    let question = Question::from_chat(with_parameters(request, admitted.parameters.as_deref())?)?;
    admitted.account.session.clone_from(&question.session_id);
    let conversation = if kept { Conversation::Kept } else { Conversation::None };
    Ok(Asked { question, visitor: admitted.visitor, conversation })
}

/// Has the request counted and logged behind its reply.
pub(crate) fn closed(reply: Reply, account: Account) -> Reply {
    let reply = reply.headers(timing(&account));
    let status = reply.code();
    spin_sdk::wasip3::spawn(account.close(status, None));
    reply
}

/// `Server-Timing`, as far as the way has been gone.
fn timing(account: &Account) -> HeaderMap {
    let now = account.exchange.started + account.exchange.elapsed();
    let value = http::HeaderValue::try_from(account.trace.server_timing(now));
    let name = http::HeaderName::from_static("server-timing");
    value.map(|value| HeaderMap::from_iter([(name, value)])).unwrap_or_default()
}
