//! What a component may do with Postgres: only the servers that its manifest allows, through
//! `spin:postgres`.
//!
//! `address` reads where a server is, `value` converts, `spin` serves the interface.

#![expect(clippy::result_large_err, reason = "the interface's own error, passed on as it is")]

mod address;
mod spin;
mod value;

use self::address::Address;
use self::value::{Parameter, data_type, decode};
use super::describe;
use super::statement::Statement;
use crate::bindings::spin::postgres::postgres::{
    Column, DbError, DbValue, Error, ParameterValue, QueryError, RowSet,
};
use crate::limits::SqlLimits;
use crate::outbound::AllowedHosts;
use futures::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgDatabaseError, PgPool, PgPoolOptions, PgRow, PgSslMode,
    PgStatement, Postgres,
};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions, Either, Executor, Row, SqlSafeStr, Statement as _,
    ValueRef,
};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use wasmtime::component::{HasData, ResourceTable};

/// How long an unused connection stays open: servers count them, and a burst is over by then.
const IDLE: Duration = Duration::from_secs(60);

/// Different addresses of one component; a program has one or two, and each holds a pool.
const POOLS: usize = 16;

/// How much later than the server's own time-out a statement is given up.
const GRACE: Duration = Duration::from_secs(1);

/// One component's access to servers. Clones share the connections.
#[derive(Clone)]
pub(crate) struct PostgresAccess {
    component: Arc<str>,
    allowed: Arc<AllowedHosts>,
    limits: SqlLimits,
    pools: Arc<std::sync::Mutex<BTreeMap<Key, PgPool>>>,
}

/// An address as it was given, and the certificate that its server must have.
type Key = (String, Option<String>);

impl PostgresAccess {
    pub(crate) fn new(component: Arc<str>, allowed: Arc<AllowedHosts>, limits: &SqlLimits) -> Self {
        Self { component, allowed, limits: limits.clone(), pools: Arc::default() }
    }

    async fn open(&self, builder: Builder) -> Result<Connection, Error> {
        let held = self
            .pool(builder)?
            .acquire()
            .await
            .map_err(|error| Error::ConnectionFailed(describe(&error)))?;
        Ok(Connection { held: Arc::new(Mutex::new(held)), limits: self.limits.clone() })
    }

    fn pool(&self, Builder { address, ca_root }: Builder) -> Result<PgPool, Error> {
        let parsed = Address::parse(&address).map_err(Error::ConnectionFailed)?;
        // Patterns are parts of URLs, where an IPv6 address has brackets.
        let host = match parsed.host.contains(':') {
            true => format!("[{}]", parsed.host),
            false => parsed.host.clone(),
        };
        if !self.allowed.permit_server("postgres", &host, parsed.port) {
            tracing::warn!(
                component = %self.component,
                host,
                port = parsed.port,
                "database refused; {}", self.allowed.remedy()
            );
            return Err(Error::ConnectionFailed("the address is not allowed".to_owned()));
        }
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pools.len();
        let key = (address, ca_root);
        if let Some(pool) = pools.get(&key) {
            return Ok(pool.clone());
        }
        if known >= POOLS {
            let fault = format!("more than {POOLS} different addresses");
            return Err(Error::ConnectionFailed(fault));
        }
        let mut options = parsed.options();
        if let Some(certificate) = &key.1 {
            options = options
                .ssl_root_cert_from_pem(certificate.clone().into_bytes())
                .ssl_mode(PgSslMode::VerifyFull);
        }
        let pool = self.connect(options);
        pools.insert(key, pool.clone());
        Ok(pool)
    }

    fn connect(&self, options: PgConnectOptions) -> PgPool {
        let timeout = format!("{}ms", self.limits.statement_timeout.as_millis());
        let options = options
            .options([("statement_timeout", timeout)])
            // Statements may hold what visitors wrote.
            .disable_statement_logging();
        PgPoolOptions::new()
            .max_connections(self.limits.connections)
            .acquire_timeout(self.limits.wait)
            .idle_timeout(IDLE)
            .connect_lazy_with(options)
    }
}

/// A connection to be.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Builder {
    address: String,
    ca_root: Option<String>,
}

/// An open connection. Clones share it; its users take turns.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Connection {
    held: Arc<Mutex<PoolConnection<Postgres>>>,
    limits: SqlLimits,
}

impl Connection {
    async fn query(&self, sql: String, parameters: Vec<ParameterValue>) -> Result<RowSet, Error> {
        Ok(self.run(sql, parameters).await?.0)
    }

    async fn execute(&self, sql: String, parameters: Vec<ParameterValue>) -> Result<u64, Error> {
        Ok(self.run(sql, parameters).await?.1)
    }

    /// Runs a statement: its rows, and how many it has changed.
    async fn run(
        &self,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<(RowSet, u64), Error> {
        let given = parameters.iter().map(size).sum::<usize>() + sql.len();
        if given > self.limits.message {
            return Err(Error::Other(too_large(&self.limits)));
        }
        let mut held = self.held.lock().await;
        if !Statement::read(&sql).leaves_no_trace() {
            held.close_on_drop();
        }
        let work = run(&mut held, sql, &parameters, &self.limits);
        match tokio::time::timeout(self.limits.statement_timeout + GRACE, work).await {
            Ok(outcome) => outcome,
            Err(_) => {
                held.close_on_drop();
                let limit = self.limits.statement_timeout.as_millis();
                let fault = format!("the server took longer than {limit} ms");
                Err(Error::QueryFailed(QueryError::Text(fault)))
            }
        }
    }
}

async fn run(
    held: &mut PoolConnection<Postgres>,
    sql: String,
    parameters: &[ParameterValue],
    limits: &SqlLimits,
) -> Result<(RowSet, u64), Error> {
    let sql = AssertSqlSafe(sql).into_sql_str();
    let prepared = (&mut **held).prepare(sql).await.map_err(failed)?;
    let arguments = bind(&prepared, parameters)?;
    let columns = prepared.columns().iter().map(|column| Column {
        name: column.name().to_owned(),
        data_type: data_type(column.type_info()),
    });
    let columns = columns.collect();
    let (mut rows, mut affected, mut left) = (Vec::new(), 0, limits.message);
    let mut answers = (&mut **held).fetch_many(prepared.query_with(arguments));
    while let Some(answer) = answers.try_next().await.map_err(failed)? {
        match answer {
            Either::Left(done) => affected += done.rows_affected(),
            Either::Right(row) => {
                let row = read(&row, &mut left).map_err(failed)?;
                rows.push(row.ok_or_else(|| Error::Other(too_large(limits)))?);
            }
        }
    }
    Ok((RowSet { columns, rows }, affected))
}

fn bind(prepared: &PgStatement, parameters: &[ParameterValue]) -> Result<PgArguments, Error> {
    let wanted = match prepared.parameters() {
        Some(Either::Left(types)) => types,
        _ => &[],
    };
    if wanted.len() != parameters.len() {
        let (wanted, given) = (wanted.len(), parameters.len());
        let fault = format!("the statement takes {wanted} parameters, got {given}");
        return Err(Error::BadParameter(fault));
    }
    let mut arguments = PgArguments::default();
    for (index, (value, target)) in parameters.iter().zip(wanted).enumerate() {
        let fault = |fault: String| Error::BadParameter(format!("${}: {fault}", index + 1));
        let value = Parameter::new(value, target).map_err(fault)?;
        sqlx::Arguments::add(&mut arguments, value).map_err(|error| fault(error.to_string()))?;
    }
    Ok(arguments)
}

/// The values of a row, or `None` where they are more than the `left` bytes.
fn read(row: &PgRow, left: &mut usize) -> Result<Option<Vec<DbValue>>, sqlx::Error> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let value = row.try_get_raw(index)?;
        let (decoded, length) = match value.is_null() {
            true => (DbValue::DbNull, 0),
            false => {
                let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
                (decode(bytes, column.type_info()), bytes.len())
            }
        };
        let Some(rest) = left.checked_sub(length + size_of::<DbValue>()) else {
            return Ok(None);
        };
        *left = rest;
        values.push(decoded);
    }
    Ok(Some(values))
}

fn size(value: &ParameterValue) -> usize {
    let array = |items: &[Option<String>]| items.iter().flatten().map(String::len).sum();
    size_of::<ParameterValue>()
        + match value {
            ParameterValue::Str(text)
            | ParameterValue::Uuid(text)
            | ParameterValue::Decimal(text) => text.len(),
            ParameterValue::Binary(bytes) | ParameterValue::Jsonb(bytes) => bytes.len(),
            ParameterValue::ArrayStr(items) | ParameterValue::ArrayDecimal(items) => array(items),
            ParameterValue::ArrayInt32(items) => size_of_val(items.as_slice()),
            ParameterValue::ArrayInt64(items) => size_of_val(items.as_slice()),
            _ => 0,
        }
}

fn too_large(limits: &SqlLimits) -> String {
    format!("statement or result too large: more than {} bytes", limits.message)
}

fn failed(error: sqlx::Error) -> Error {
    let sqlx::Error::Database(database) = &error else {
        return Error::QueryFailed(QueryError::Text(describe(&error)));
    };
    let Some(error) = database.try_downcast_ref::<PgDatabaseError>() else {
        return Error::QueryFailed(QueryError::Text(database.to_string()));
    };
    let extras = [
        ("hint", error.hint()),
        ("schema", error.schema()),
        ("table", error.table()),
        ("column", error.column()),
        ("constraint", error.constraint()),
    ];
    let extras =
        extras.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned())));
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text: error.to_string(),
        severity: format!("{:?}", error.severity()).to_uppercase(),
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        extras: extras.collect(),
    }))
}

/// Lends the interface what it needs from a guest's state.
pub(crate) struct Servers;

impl HasData for Servers {
    type Data<'a> = PostgresView<'a>;
}

/// See [`Servers`].
pub(crate) struct PostgresView<'a> {
    pub(crate) access: &'a PostgresAccess,
    pub(crate) table: &'a mut ResourceTable,
}
