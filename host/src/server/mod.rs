//! Connections: accept, serve, and stop without cutting anyone off.
//!
//! `dispatch` answers one request, `intake` prepares it for a guest.

mod body;
mod dispatch;
mod intake;

use crate::error::Error;
use crate::host::Host;
use dispatch::Dispatch;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The head of an HTTP/1 request in bytes, lines and names included; more is answered with 431.
const HEAD_LIMIT: usize = 64 * 1024;

/// How long to wait when the system has no handle for another connection: it needs one to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until `shutdown`, then drains them.
pub(crate) async fn run(
    host: Host,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let limits = Arc::clone(&host.limits);
    let local = listener.local_addr().map_err(|reason| Error::Serve { reason })?;
    tracing::info!(address = %local, application = %host.manifest.name, "serving");
    let dispatch = Arc::new(Dispatch::new(host, local));
    let places = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);

    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
            // Collecting finished connections keeps the set from growing for ever.
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, client, place)) => {
                let connection = serve_connection(
                    stream,
                    client,
                    Arc::clone(&dispatch),
                    limits.header_timeout,
                    stopping.clone(),
                );
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    drop(listener);
    stop.send_replace(true);
    tracing::info!(connections = connections.len(), "stopping");
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_timeout, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections cut off");
        connections.shutdown().await;
    }
    Ok(())
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, client) = listener.accept().await?;
    // Tokens of a streamed answer are small; Nagle's algorithm would hold each one back.
    stream.set_nodelay(true)?;
    Ok((stream, client, place))
}

async fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    dispatch: Arc<Dispatch>,
    header_timeout: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_LIMIT);
    builder.http2().timer(TokioTimer::new());
    let started = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let started = Arc::clone(&started);
        move |request| {
            started.store(true, Ordering::Relaxed);
            let dispatch = Arc::clone(&dispatch);
            async move { Ok::<_, std::convert::Infallible>(dispatch.answer(request, client).await) }
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // While the protocol is being told from the first bytes, hyper's own timeout is not running.
    let mut first = pin!(tokio::time::sleep(header_timeout));
    let (mut sniffing, mut watching) = (true, true);
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = first.as_mut(), if sniffing => {
                if !started.load(Ordering::Relaxed) {
                    return;
                }
                sniffing = false;
            }
            _ = stopping.wait_for(|stop| *stop), if watching => {
                watching = false;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        // Clients leave in the middle of things all the time; only a debugger cares.
        tracing::debug!(%client, error = %error, "connection ended");
    }
}
