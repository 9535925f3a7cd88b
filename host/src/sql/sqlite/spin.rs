//! `spin:sqlite@3.1.0`.
//!
//! `open` answers access-denied for a database that the manifest does not grant. Results are read
//! whole before the guest sees the first row, within [`SqlLimits::message`]; whatever SQLite or the
//! host's rules refuse arrives as `io` with a text.
//!
//! [`SqlLimits::message`]: crate::limits::SqlLimits::message

use super::{Connection, Databases, SqliteView};
use crate::bindings::spin::sqlite::sqlite::{self, Error, QueryResult, RowResult, Value};
use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

type Rows = (Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>);

impl sqlite::Host for SqliteView<'_> {}

impl sqlite::HostConnection for SqliteView<'_> {
    async fn open(&mut self, database: String) -> Result<Result<Resource<Connection>, Error>> {
        match self.access.open(&database).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Result<QueryResult, Error>> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.execute(statement, parameters).await)
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> Result<i64> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.last_insert_rowid().await)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> Result<u64> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.changes().await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send> sqlite::HostConnectionWithStore<T> for Databases {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let access = accessor.with(|mut access| access.get().access.clone());
        match access.open(&database).await {
            Ok(connection) => {
                accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?)))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Result<Rows, Error>> {
        let connection = clone(accessor, &connection)?;
        match connection.execute(statement, parameters).await {
            Ok(QueryResult { columns, rows }) => accessor.with(|mut access| {
                let rows = StreamReader::new(&mut access, rows)?;
                let outcome =
                    FutureReader::new(&mut access, async { wasmtime::error::Ok(Ok(())) })?;
                Ok(Ok((columns, rows, outcome)))
            }),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> Result<i64> {
        Ok(clone(accessor, &connection)?.last_insert_rowid().await)
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> Result<u64> {
        Ok(clone(accessor, &connection)?.changes().await)
    }
}

fn clone<T>(
    accessor: &Accessor<T, Databases>,
    connection: &Resource<Connection>,
) -> Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(connection)?.clone()))
}
