//! Connections: accept, serve, replace certificates, and stop without cutting anyone off.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use axum_server::{Handle, tls_rustls::RustlsAcceptor};
use hyper_util::rt::TokioTimer;

use crate::{App, Tls, router};

/// For the head of a request, and for silence between two requests of one connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How often certificates are looked at; those that renew them do so days ahead.
const RELOAD_INTERVAL: Duration = Duration::from_secs(60);

/// Serves `app` on `listener` until `stop`, then lets the requests in flight end.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Tls>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::new();
    let drain = app.limits.drain;
    tokio::spawn({
        let handle = handle.clone();
        async move {
            stop.await;
            tracing::info!(connections = handle.connection_count(), "stopping");
            handle.graceful_shutdown(Some(drain));
        }
    });
    listener.set_nonblocking(true)?;
    let service = router(app).into_make_service();
    // One protocol: while the first bytes are awaited to tell two apart, no time-out runs.
    let mut server = axum_server::from_tcp(listener)?.handle(handle).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    match tls {
        None => server.serve(service).await,
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls.config());
            let reloading = tokio::spawn(keep_fresh(tls));
            let ended = server.acceptor(acceptor).serve(service).await;
            reloading.abort();
            ended
        }
    }
}

/// Looks at the certificates now and then, and at once on SIGHUP.
async fn keep_fresh(tls: Tls) {
    let mut hangups = Hangups::listen();
    loop {
        tokio::select! {
            () = tokio::time::sleep(RELOAD_INTERVAL) => {}
            () = hangups.next() => {}
        }
        match tls.reload() {
            Ok(true) => tracing::info!("certificates replaced"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "certificates not replaced; the old ones serve on")
            }
        }
    }
}

/// SIGHUP, where there is such a thing.
struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { signal: signal(SignalKind::hangup()).ok() }
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        let heard = match &mut self.signal {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if heard.is_none() {
            std::future::pending().await
        }
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        std::future::pending().await
    }
}
