//! Every bound on what a client may ask, with the reason for its default.

use std::time::Duration;

/// The bounds of one service.
#[derive(Clone, Debug, clap::Args)]
pub struct Limits {
    /// Documents, or texts to embed, in one request. Default 256: a dozen times what a retriever
    /// sends, and some seconds of work
    #[arg(long, env = "RERANKER_MAX_DOCUMENTS", default_value_t = 256, value_name = "N")]
    pub max_documents: usize,
    /// Characters of one text; longer ones are refused. Default 32768: many times what the model
    /// reads, so only mistakes are longer
    #[arg(long, env = "RERANKER_MAX_CHARS", default_value_t = 32_768, value_name = "N")]
    pub max_chars: usize,
    /// Word pieces of query and document together; the rest of a document is not read. Default 512,
    /// the positions a BERT has
    #[arg(long, env = "RERANKER_MAX_TOKENS", default_value_t = 512, value_name = "N")]
    pub max_tokens: usize,
    /// Body of a request in bytes. Default 2 MiB: 256 documents of 8 KiB
    #[arg(long, env = "RERANKER_MAX_BODY_BYTES", default_value_t = 2 << 20, value_name = "BYTES")]
    pub max_body_bytes: usize,
    /// Documents of all requests together that wait or are worked on; more are answered with 429.
    /// Default 1024: some twenty seconds of work for a core, beyond which waiting is no use
    #[arg(long, env = "RERANKER_MAX_QUEUE", default_value_t = 1024, value_name = "N")]
    pub max_queue: usize,
    /// Milliseconds for a request; then it is answered with 503. A client shortens it by the header
    /// `X-Request-Timeout-Ms`. Default 10000
    #[arg(long = "timeout-ms", env = "RERANKER_TIMEOUT_MS", default_value = "10000",
          value_name = "MS", value_parser = milliseconds)]
    pub timeout: Duration,
    /// Milliseconds for requests in flight when the service is told to stop. Default 10000, the
    /// grace that container runtimes give before they kill
    #[arg(long = "drain-ms", env = "RERANKER_DRAIN_MS", default_value = "10000",
          value_name = "MS", value_parser = milliseconds)]
    pub drain: Duration,
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}
