//! Databases for guests: SQLite files of our own, Postgres servers that the manifest allows.
//!
//! `statement` tells what a statement is without understanding it; `sqlite` and `postgres` hold one
//! interface of Spin each.

pub(crate) mod postgres;
pub(crate) mod sqlite;
mod statement;

use std::fmt;

/// A failure of the driver in words for guests: what the server said, never where it is or who
/// connects to it.
fn describe(error: &sqlx::Error) -> String {
    struct Chain<'a>(&'a dyn std::error::Error);
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)?;
            self.0.source().map_or(Ok(()), |source| write!(f, ": {}", Chain(source)))
        }
    }
    match error {
        sqlx::Error::Database(database) => database.to_string(),
        sqlx::Error::PoolTimedOut => {
            "no connection in time: nobody answers, or all are in use".to_owned()
        }
        sqlx::Error::Io(error) => error.kind().to_string(),
        other => Chain(other).to_string(),
    }
}
