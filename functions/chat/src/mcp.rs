//! `/mcp`: the Model Context Protocol over HTTP, without state.

use dossier_core::{
    RequestError,
    auth::Visitor,
    chat::{Asked, Conversation, Question},
    mcp::{self, Head, Tools},
    telemetry::Trace,
    wire::{ChatRequest, ChatResponse, SearchRequest, SearchResponse},
};
use dossier_platform::Reply;

use crate::{Admitted, Answered, house::House, questions::closed};

/// Answers what a client posted.
pub(crate) async fn respond(admitted: Admitted) -> Answered {
    let Admitted { house, visitor, body, headers, account, .. } = admitted;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let head = Head {
        revision: header("mcp-protocol-version"),
        method: header("mcp-method"),
        name: header("mcp-name"),
    };
    let reply = mcp::respond(&head, &body, &Calls { house, visitor }).await;
    let body = reply.body.unwrap_or_default();
    Ok(closed(Reply::full(reply.status, "application/json", body), account))
}

/// The tools, each call with an account of its own.
struct Calls {
    house: House,
    visitor: Visitor,
}

impl Calls {
    fn count(&self, trace: &Trace) {
        self.house.instance.meter.update(|snapshot| trace.record(snapshot));
    }
}

impl Tools for Calls {
    async fn ask(&self, request: ChatRequest) -> Result<ChatResponse, RequestError> {
        let service = self.house.service();
        let mut trace = Trace::default();
        let question = Question::from_chat(request)?;
        let (visitor, conversation) = (self.visitor, Conversation::Kept);
        let asked = Asked { question, visitor, conversation };
        let answered = service.answer(asked, &mut trace).await;
        self.count(&trace);
        answered.map(|(response, _)| response)
    }

    async fn search(&self, request: SearchRequest) -> Result<SearchResponse, RequestError> {
        let mut trace = Trace::default();
        let found = self.house.service().search(request, self.visitor, &mut trace).await;
        self.count(&trace);
        found.map(|(response, _)| response)
    }
}
