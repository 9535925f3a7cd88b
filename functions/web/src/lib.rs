//! The web component: the chat page and the API's description, from files embedded at build time.

use dossier_core::RequestError;
use dossier_platform::{Exchange, PREFIX, Reply, Response, SpinConfig, is_read};
use http::header;
use spin_sdk::{http::Request, http_service};

/// A file of the page: its path, type and content.
type File = (&'static str, &'static str, &'static [u8]);

include!(concat!(env!("OUT_DIR"), "/files.rs"));

#[http_service]
async fn handle(request: Request) -> Response {
    let exchange = Exchange::new(&request, &SpinConfig).await;
    let reply = exchange.preflight().unwrap_or_else(|| route(&request));
    exchange.finish(reply).into_response()
}

fn route(request: &Request) -> Result<Reply, RequestError> {
    // Files are asked for by names within the folder of their page, so no slash is cut off here.
    let path = request.uri().path();
    let path = match path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/')).unwrap_or(path)
    {
        "/" => "/index.html",
        "/docs" => "/docs.html",
        path => path,
    };
    let (_, content_type, content) = FILES
        .iter()
        .find(|(name, ..)| *name == path)
        .ok_or_else(|| RequestError::NotFound { path: path.to_owned() })?;
    if !is_read(request.method()) {
        let method = request.method().to_string();
        return Err(RequestError::MethodNotAllowed { method, allowed: "GET, HEAD, OPTIONS" });
    }
    // Names carry no version, so a browser asks again; the files are a few kilobytes.
    Ok(Reply::full(200, content_type, *content).header(header::CACHE_CONTROL, "no-cache"))
}
