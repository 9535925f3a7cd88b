//! The databases that Spin offers, as one: statements in, rows of plain values out.
//!
//! Statements keep to what SQLite and Postgres both take: the types `BIGINT` and `TEXT`, parameters
//! `$1`, `$2`, … numbered in the order in which they first appear, `ON CONFLICT`, `RETURNING` and
//! comparison of rows.

use spin_sdk::{
    pg::{self, DbValue, ParameterValue, PgError, QueryError},
    sqlite,
};

/// A parameter, or a value in a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    Null,
    Text(String),
}

/// A row, in the order of the columns asked for.
pub(crate) type Row = Vec<Value>;

/// An open database.
pub(crate) enum Database {
    Postgres(pg::Connection),
    Sqlite(sqlite::Connection),
}

impl Database {
    /// Opens the Postgres database at `url`, or without one the component's own SQLite database.
    ///
    /// # Errors
    /// What the platform said, without the address.
    pub(crate) async fn open(url: Option<&str>) -> Result<Self, String> {
        match url {
            Some(url) => pg::Connection::open(url).await.map(Self::Postgres).map_err(postgres),
            None => {
                let opened = sqlite::Connection::open_default().await;
                opened.map(Self::Sqlite).map_err(|error| format!("SQLite: {error}"))
            }
        }
    }

    /// Runs one statement to its end.
    ///
    /// # Errors
    /// What the database said, without the parameters.
    pub(crate) async fn run(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, String> {
        match self {
            Self::Postgres(connection) => {
                let parameters: Vec<_> = parameters.into_iter().map(to_postgres).collect();
                let answer = connection.query(sql, parameters).await.map_err(postgres)?;
                let (_, rows, outcome) = answer.into_inner();
                let rows = rows.collect().await;
                outcome.await.map_err(|error| postgres(error.into()))?;
                rows.into_iter().map(|row| row.into_iter().map(from_postgres).collect()).collect()
            }
            Self::Sqlite(connection) => {
                let failed = |error| format!("SQLite: {error}");
                let parameters = parameters.into_iter().map(to_sqlite);
                let answer = connection.execute(sql, parameters).await.map_err(failed)?;
                let rows = answer.collect().await.map_err(failed)?;
                let rows = rows.into_iter();
                rows.map(|row| row.values.into_iter().map(from_sqlite).collect()).collect()
            }
        }
    }
}

fn to_postgres(value: Value) -> ParameterValue {
    match value {
        Value::Integer(value) => ParameterValue::Int64(value),
        Value::Null => ParameterValue::DbNull,
        Value::Text(value) => ParameterValue::Str(value),
    }
}

fn from_postgres(value: DbValue) -> Result<Value, String> {
    match value {
        DbValue::Int64(value) => Ok(Value::Integer(value)),
        DbValue::DbNull => Ok(Value::Null),
        DbValue::Str(value) => Ok(Value::Text(value)),
        _ => Err("Postgres: a column is neither BIGINT nor TEXT".to_owned()),
    }
}

fn to_sqlite(value: Value) -> sqlite::Value {
    match value {
        Value::Integer(value) => sqlite::Value::Integer(value),
        Value::Null => sqlite::Value::Null,
        Value::Text(value) => sqlite::Value::Text(value),
    }
}

fn from_sqlite(value: sqlite::Value) -> Result<Value, String> {
    match value {
        sqlite::Value::Integer(value) => Ok(Value::Integer(value)),
        sqlite::Value::Null => Ok(Value::Null),
        sqlite::Value::Text(value) => Ok(Value::Text(value)),
        _ => Err("SQLite: a column is neither BIGINT nor TEXT".to_owned()),
    }
}

/// A failure in words. The server's `detail` is left out: it quotes the values of rows.
fn postgres(error: pg::Error) -> String {
    let said = match error {
        pg::Error::Decode(said)
        | pg::Error::PgError(
            PgError::BadParameter(said)
            | PgError::Other(said)
            | PgError::QueryFailed(QueryError::Text(said))
            | PgError::ValueConversionFailed(said),
        ) => said,
        pg::Error::PgError(PgError::ConnectionFailed(said)) => {
            format!("no connection: {said}; see database_url and database_host")
        }
        pg::Error::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
            format!("{} {}", error.code, error.message)
        }
    };
    format!("Postgres: {said}")
}
