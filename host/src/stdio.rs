//! What guests print, as log lines that name the component.
//!
//! A line is logged when it ends or reaches [`LINE_LIMIT`]. Nothing is interpreted: a guest that
//! prints a secret has published it, so guests must not.

use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The longest line in bytes; a longer one is logged in pieces, so that a guest that never ends
/// its line cannot fill the host's memory.
const LINE_LIMIT: usize = 8 * 1024;

/// Which of the two streams.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Channel {
    Stderr,
    Stdout,
}

/// One stream of one instance. Clones share the unfinished line.
#[derive(Clone)]
pub(crate) struct LogLines {
    component: Arc<str>,
    channel: Channel,
    unfinished: Arc<Mutex<Vec<u8>>>,
}

impl LogLines {
    pub(crate) fn new(component: Arc<str>, channel: Channel) -> Self {
        Self { component, channel, unfinished: Arc::default() }
    }

    fn append(&self, mut bytes: &[u8]) {
        let mut line = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            line.extend_from_slice(&bytes[..end]);
            self.log(&line);
            line.clear();
            bytes = &bytes[end + 1..];
        }
        line.extend_from_slice(bytes);
        if line.len() >= LINE_LIMIT {
            self.log(&line);
            line.clear();
        }
    }

    fn log(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let (component, text) = (&*self.component, text.trim_end());
        match self.channel {
            _ if text.is_empty() => {}
            // Where a line is printed does not say how grave it is.
            Channel::Stderr => tracing::info!(component, stream = "stderr", "{text}"),
            Channel::Stdout => tracing::info!(component, stream = "stdout", "{text}"),
        }
    }
}

impl IsTerminal for LogLines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogLines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    // The default would start a task for each stream a guest asks for; a log line needs none.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for LogLines {
    async fn ready(&mut self) {}
}

impl OutputStream for LogLines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_LIMIT)
    }
}

impl AsyncWrite for LogLines {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_lines_wait_and_endless_ones_do_not() {
        let lines = LogLines::new("probe".into(), Channel::Stdout);
        let unfinished = || lines.unfinished.lock().unwrap().len();
        lines.append(b"one\ntwo");
        assert_eq!(unfinished(), 3);
        lines.append(b"\n");
        assert_eq!(unfinished(), 0);
        lines.append(&vec![b'x'; LINE_LIMIT]);
        assert_eq!(unfinished(), 0);
    }
}
