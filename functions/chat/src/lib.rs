//! The chat component: questions and searches, in the shapes of our own clients, of OpenAI's and of
//! the Model Context Protocol.

mod completions;
mod engine;
mod house;
mod initialise;
mod mcp;
mod questions;

use std::rc::Rc;

use dossier_core::{RequestError, auth::Visitor};
use dossier_platform::{Exchange, Reply, Response, SpinConfig, SpinEnv, body, is_read};
use http::Method;
use spin_sdk::{http::Request, http_service};

use crate::{
    completions::MODEL_ROUTE,
    house::{Account, House, Setup},
};

#[http_service]
async fn handle(request: Request) -> Response {
    let exchange = Exchange::new(&request, &SpinConfig).await;
    let reply = match exchange.preflight() {
        Some(answer) => answer,
        None => answer(request, &exchange).await,
    };
    exchange.finish(reply).into_response()
}

/// A request that was let in.
pub(crate) struct Admitted {
    pub(crate) house: House,
    pub(crate) visitor: Visitor,
    pub(crate) body: Vec<u8>,
    pub(crate) parameters: Option<String>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) account: Account,
}

async fn answer(request: Request, exchange: &Exchange) -> Result<Reply, RequestError> {
    let account = Account::new(exchange, request.method().clone());
    let outcome = match admit(request, account.clone()).await {
        Ok(admitted) => route(admitted).await,
        Err(error) => Err((error, account)),
    };
    outcome.or_else(|(error, account)| {
        let (code, status, _) = error.row();
        spin_sdk::wasip3::spawn(account.close(status, Some(code)));
        // Clients of OpenAI's API read errors in its shape.
        match completions::is_theirs(&exchange.route) {
            true => Ok(completions::refused(&error)),
            false => Err(error),
        }
    })
}

async fn admit(request: Request, mut account: Account) -> Result<Admitted, RequestError> {
    let route = account.exchange.route.as_str();
    let allowed = match route {
        "/chat" | "/chat/stream" | "/chat/simple" | "/search" | "/v1/chat/completions" | "/mcp" => {
            "POST, OPTIONS"
        }
        "/v1/models" => "GET, HEAD, OPTIONS",
        route if route.starts_with(MODEL_ROUTE) => "GET, HEAD, OPTIONS",
        _ => return Err(RequestError::NotFound { path: request.uri().path().to_owned() }),
    };
    let fits = if allowed.starts_with("GET") {
        is_read(request.method())
    } else {
        request.method() == Method::POST
    };
    if !fits {
        let method = request.method().to_string();
        return Err(RequestError::MethodNotAllowed { method, allowed });
    }
    let setup: Rc<Setup> = house::setup(&SpinEnv::default()).await?;
    let visitor = setup.access.admit(account.exchange.authority.as_deref(), request.headers())?;
    account.client = visitor.address;
    let parameters = request.uri().query().map(str::to_owned);
    let headers = request.headers().clone();
    let body = body(request).await?;
    let house = House::open(setup).await?;
    Ok(Admitted { house, visitor, body, parameters, headers, account })
}

/// The reply, or why there is none and the account of the request.
pub(crate) type Answered = Result<Reply, (RequestError, Account)>;

async fn route(admitted: Admitted) -> Answered {
    match admitted.account.exchange.route.as_str() {
        "/search" => questions::search(admitted).await,
        "/chat/stream" => questions::stream(admitted).await,
        "/v1/chat/completions" => completions::complete(admitted).await,
        "/v1/models" => completions::models(admitted).await,
        route if route.starts_with(MODEL_ROUTE) => completions::model(admitted).await,
        "/mcp" => mcp::respond(admitted).await,
        _ => questions::whole(admitted).await,
    }
}
