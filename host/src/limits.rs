//! Every bound the host puts on guests and clients, with the reason for its default.

use std::time::Duration;

/// The bounds of one host.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections; more wait in the system's backlog. Default 4096, a quarter of the file
    /// handles a service commonly gets.
    pub connections: usize,
    /// Requests inside guests at once; more wait up to [`Limits::queue_wait`]. Default 512, below
    /// `instances`, so that a burst queues here instead of failing there.
    pub concurrent_requests: usize,
    /// Requests that begin at once in the guests of one component; the next one begins when one of
    /// them has answered, or after `dispatch::BEGINNING`, for then it waits for others. Default
    /// four a core: what computes goes from one request to the next instead of through all of them
    /// at once, each in an instance of its own.
    pub beginning_requests: usize,
    /// How long a request may wait for its turn before the answer is 503. Default 5 s: a browser
    /// user is still there, and a retry would only lengthen the queue.
    pub queue_wait: Duration,
    /// From arrival to the guest's response head; then 504. Default 30 s, as on hosted platforms.
    pub request_timeout: Duration,
    /// From the response head to the end of body and background work. Default 60 s: a slow model
    /// that streams its answer takes about that long.
    pub stream_timeout: Duration,
    /// Request body in bytes; then 413. Default 10 MiB, as on hosted platforms.
    pub request_body: usize,
    /// For the head of a request, and for silence between two requests of one connection.
    /// Default 30 s.
    pub header_timeout: Duration,
    /// For requests in flight when the host is asked to stop. Default 10 s, the grace that
    /// container runtimes give before they kill.
    pub drain_timeout: Duration,
    /// Live instances of all components together; then 503. Default 1000, as in Spin.
    pub instances: u32,
    /// Linear memory of an instance in bytes. Default 512 MiB: four times what the tightest
    /// hosted platform grants, so that a guest that fits there never fails here.
    pub instance_memory: usize,
    /// When an instance serves another request.
    pub reuse: ReuseLimits,
    /// What guests may ask of databases.
    pub sql: SqlLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            concurrent_requests: 512,
            beginning_requests: 4 * cores(),
            queue_wait: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            stream_timeout: Duration::from_secs(60),
            request_body: 10 * 1024 * 1024,
            header_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            instances: 1000,
            instance_memory: 512 * 1024 * 1024,
            reuse: ReuseLimits::default(),
            sql: SqlLimits::default(),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// When an instance serves another request. The defaults are Spin's, so that a guest that keeps
/// state between requests by mistake misbehaves here as it would there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReuseLimits {
    /// Requests in the life of an instance. Default 128; 1 gives every request a fresh one.
    pub requests: usize,
    /// Requests at the same time in one instance. Default 16.
    pub concurrent: usize,
    /// How long an instance waits for its next request. Default 1 s.
    pub idle: Duration,
}

impl Default for ReuseLimits {
    fn default() -> Self {
        Self { requests: 128, concurrent: 16, idle: Duration::from_secs(1) }
    }
}

/// What guests may ask of databases.
#[derive(Clone, Debug)]
pub struct SqlLimits {
    /// Connections to one database; more guests wait up to [`SqlLimits::wait`]. Default 16: as many
    /// as one instance has requests, and a sixth of what a Postgres server grants all its clients.
    pub connections: u32,
    /// For a connection, and for another writer of a SQLite file. Default 5 s, as for a place in
    /// the queue of requests.
    pub wait: Duration,
    /// For one statement. Default 10 s, so that a request that waited for a connection first still
    /// ends within its own time.
    pub statement_timeout: Duration,
    /// A statement with its parameters, and a result, in bytes; a row counts once it is there.
    /// Default 16 MiB: what a page of a listing needs many times over, and little beside the guest's
    /// own memory.
    pub message: usize,
    /// A SQLite file in bytes; then `database-full`. Default 1 GiB, as on hosted platforms.
    pub sqlite_file: u64,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self {
            connections: 16,
            wait: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            message: 16 * 1024 * 1024,
            sqlite_file: 1024 * 1024 * 1024,
        }
    }
}
