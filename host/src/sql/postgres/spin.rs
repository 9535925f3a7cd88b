//! `spin:postgres@4.2.0`.
//!
//! A server that `allowed_outbound_hosts` does not name answers connection-failed, as one that is
//! down. Results are read whole before the guest sees the first row, within
//! [`SqlLimits::message`](crate::limits::SqlLimits::message).

use super::{Builder, Connection, PostgresView, Servers};
use crate::bindings::spin::postgres::postgres::{
    self, Column, DbValue, Error, ParameterValue, RowSet,
};
use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

type Rows = (Vec<Column>, StreamReader<Vec<DbValue>>, FutureReader<Result<(), Error>>);

impl postgres::Host for PostgresView<'_> {}

impl postgres::HostConnectionBuilder for PostgresView<'_> {
    async fn new(&mut self, address: String) -> Result<Resource<Builder>> {
        Ok(self.table.push(Builder { address, ca_root: None })?)
    }

    async fn set_ca_root(
        &mut self,
        builder: Resource<Builder>,
        certificate: String,
    ) -> Result<Result<(), Error>> {
        self.table.get_mut(&builder)?.ca_root = Some(certificate);
        Ok(Ok(()))
    }

    async fn build(
        &mut self,
        builder: Resource<Builder>,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let builder = self.table.get(&builder)?.clone();
        match self.access.open(builder).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn drop(&mut self, builder: Resource<Builder>) -> Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl postgres::HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> Result<Result<Resource<Connection>, Error>> {
        match self.access.open(Builder { address, ca_root: None }).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<RowSet, Error>> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.query(statement, parameters).await)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<u64, Error>> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.execute(statement, parameters).await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send> postgres::HostConnectionBuilderWithStore<T> for Servers {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<Builder>,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let builder = accessor.with(|mut access| access.get().table.get(&builder).cloned())?;
        open(accessor, builder).await
    }
}

impl<T: Send> postgres::HostConnectionWithStore<T> for Servers {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Result<Resource<Connection>, Error>> {
        open(accessor, Builder { address, ca_root: None }).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<Rows, Error>> {
        let connection = clone(accessor, &connection)?;
        match connection.query(statement, parameters).await {
            Ok(RowSet { columns, rows }) => accessor.with(|mut access| {
                let rows = StreamReader::new(&mut access, rows)?;
                let outcome =
                    FutureReader::new(&mut access, async { wasmtime::error::Ok(Ok(())) })?;
                Ok(Ok((columns, rows, outcome)))
            }),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<u64, Error>> {
        let connection = clone(accessor, &connection)?;
        Ok(connection.execute(statement, parameters).await)
    }
}

async fn open<T>(
    accessor: &Accessor<T, Servers>,
    builder: Builder,
) -> Result<Result<Resource<Connection>, Error>> {
    let access = accessor.with(|mut access| access.get().access.clone());
    match access.open(builder).await {
        Ok(connection) => {
            accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?)))
        }
        Err(error) => Ok(Err(error)),
    }
}

fn clone<T>(
    accessor: &Accessor<T, Servers>,
    connection: &Resource<Connection>,
) -> Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(connection)?.clone()))
}
