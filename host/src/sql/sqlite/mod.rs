//! What a component may do with SQLite: only the databases that its manifest grants, through
//! `spin:sqlite`.
//!
//! `files` opens the databases, `spin` serves the interface.

mod files;
mod spin;

pub(crate) use files::Files;

use super::describe;
use super::statement::Statement;
use crate::bindings::spin::sqlite::sqlite::{Error, QueryResult, RowResult, Value};
use crate::limits::SqlLimits;
use futures::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{
    AssertSqlSafe, Column, Decode, Either, Executor, Row, SqlSafeStr, Sqlite, TypeInfo, ValueRef,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use wasmtime::component::{HasData, ResourceTable};

/// Instructions of SQLite between two looks at the clock: well below a millisecond.
const STEPS: i32 = 10_000;

/// How much later than SQLite's own interruption a statement is given up; only one that waits for
/// another writer or for the disk gets so far.
const GRACE: Duration = Duration::from_secs(1);

/// One component's access to the databases.
#[derive(Clone)]
pub(crate) struct SqliteAccess {
    pub(crate) files: Files,
    /// `sqlite_databases` of the manifest.
    pub(crate) labels: Arc<BTreeSet<String>>,
}

impl SqliteAccess {
    async fn open(&self, label: &str) -> Result<Connection, Error> {
        if !self.labels.contains(label) {
            return Err(Error::AccessDenied);
        }
        let pool = self.files.pool(label).await.map_err(|error| into(&error))?;
        let held = pool.acquire().await.map_err(|error| into(&error))?;
        let state = State { held, last_insert_rowid: 0, changes: 0 };
        let limits = self.files.limits().clone();
        Ok(Connection { state: Arc::new(Mutex::new(state)), limits })
    }
}

/// An open database. Clones share it; its users take turns.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Connection {
    state: Arc<Mutex<State>>,
    limits: SqlLimits,
}

struct State {
    held: PoolConnection<Sqlite>,
    last_insert_rowid: i64,
    changes: u64,
}

impl Connection {
    async fn execute(&self, sql: String, parameters: Vec<Value>) -> Result<QueryResult, Error> {
        let statement = Statement::read(&sql);
        statement.permit_in_sqlite().map_err(Error::Io)?;
        let mut budget = Budget { left: self.limits.message, limit: self.limits.message };
        budget.spend(sql.len())?;
        parameters.iter().try_for_each(|value| budget.spend(size(value)))?;
        let mut state = self.state.lock().await;
        if !statement.leaves_no_trace() {
            state.held.close_on_drop();
        }
        let work = state.execute(sql, parameters, statement.writes(), &self.limits);
        match tokio::time::timeout(self.limits.statement_timeout + GRACE, work).await {
            Ok(outcome) => outcome,
            Err(_) => {
                state.held.close_on_drop();
                Err(Error::Io(overdue(&self.limits)))
            }
        }
    }

    async fn last_insert_rowid(&self) -> i64 {
        self.state.lock().await.last_insert_rowid
    }

    async fn changes(&self) -> u64 {
        self.state.lock().await.changes
    }
}

impl State {
    async fn execute(
        &mut self,
        sql: String,
        parameters: Vec<Value>,
        writes: bool,
        limits: &SqlLimits,
    ) -> Result<QueryResult, Error> {
        let failed = |error: sqlx::Error| match &error {
            sqlx::Error::Database(database) if code(&**database) == INTERRUPTED => {
                Error::Io(overdue(limits))
            }
            _ => into(&error),
        };
        let deadline = Instant::now() + limits.statement_timeout;
        let mut handle = self.held.lock_handle().await.map_err(failed)?;
        handle.set_progress_handler(STEPS, move || Instant::now() < deadline);
        drop(handle);
        let sql = AssertSqlSafe(sql).into_sql_str();
        let prepared = (&mut *self.held).prepare(sql.clone()).await.map_err(failed)?;
        let columns = sqlx::Statement::columns(&prepared);
        let columns = columns.iter().map(|column| column.name().to_owned()).collect();
        let query = parameters.into_iter().fold(sqlx::query(sql), |query, value| match value {
            Value::Integer(value) => query.bind(value),
            Value::Real(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Blob(value) => query.bind(value),
            Value::Null => query.bind(None::<i64>),
        });
        let mut rows = Vec::new();
        let mut budget = Budget { left: limits.message, limit: limits.message };
        let mut answers = (&mut *self.held).fetch_many(query);
        while let Some(answer) = answers.try_next().await.map_err(failed)? {
            match answer {
                Either::Left(done) if writes => {
                    self.last_insert_rowid = done.last_insert_rowid();
                    self.changes = done.rows_affected();
                }
                Either::Left(_) => {}
                Either::Right(row) => {
                    let values = (0..row.len()).map(|column| read(&row, column));
                    let values: Vec<Value> = values.collect::<Result<_, _>>().map_err(failed)?;
                    values.iter().try_for_each(|value| budget.spend(size(value)))?;
                    rows.push(RowResult { values });
                }
            }
        }
        Ok(QueryResult { columns, rows })
    }
}

fn read(row: &SqliteRow, column: usize) -> Result<Value, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    let kind = value.type_info().name().to_owned();
    let decoded = match kind.as_str() {
        _ if value.is_null() => Ok(Value::Null),
        "INTEGER" => Decode::<Sqlite>::decode(value).map(Value::Integer),
        "REAL" => Decode::<Sqlite>::decode(value).map(Value::Real),
        "TEXT" => Decode::<Sqlite>::decode(value).map(Value::Text),
        _ => Decode::<Sqlite>::decode(value).map(Value::Blob),
    };
    decoded.map_err(sqlx::Error::Decode)
}

/// Bytes that may still go in or out.
struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| {
            Error::Io(format!("statement or result too large: more than {} bytes", self.limit))
        })?;
        Ok(())
    }
}

/// What a value takes in memory, roughly: rows of small values cost more than their bytes.
fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
}

fn overdue(limits: &SqlLimits) -> String {
    format!("the statement took longer than {} ms", limits.statement_timeout.as_millis())
}

/// SQLite's primary result code: the extended ones keep it in the lowest byte.
fn code(error: &dyn sqlx::error::DatabaseError) -> i32 {
    error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0) & 0xff
}

/// `SQLITE_INTERRUPT`.
const INTERRUPTED: i32 = 9;

/// `SQLITE_FULL`.
const FULL: i32 = 13;

fn into(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(database) if code(&**database) == FULL => Error::DatabaseFull,
        other => Error::Io(describe(other)),
    }
}

/// Lends the interface what it needs from a guest's state.
pub(crate) struct Databases;

impl HasData for Databases {
    type Data<'a> = SqliteView<'a>;
}

/// See [`Databases`].
pub(crate) struct SqliteView<'a> {
    pub(crate) access: &'a SqliteAccess,
    pub(crate) table: &'a mut ResourceTable,
}

#[cfg(test)]
mod tests;
