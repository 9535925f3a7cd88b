//! `spin:variables@3.0.0`: a component reads its own variables and no others.
//!
//! A name outside `[component.ID.variables]` is undefined, whether or not the application has it.

use crate::bindings::spin::variables::variables::{self, Error};
use crate::template::is_variable_name;
use std::collections::BTreeMap;
use wasmtime::Result;
use wasmtime::component::{Accessor, HasData};

/// Lends the interface the values of the component.
pub(crate) struct Config;

impl HasData for Config {
    type Data<'a> = ConfigView<'a>;
}

/// See [`Config`].
pub(crate) struct ConfigView<'a> {
    pub(crate) values: &'a BTreeMap<String, String>,
}

impl variables::Host for ConfigView<'_> {}

impl<T: Send> variables::HostWithStore<T> for Config {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<Result<String, Error>> {
        if !is_variable_name(&name) {
            return Ok(Err(Error::InvalidName(name)));
        }
        let value = accessor.with(|mut access| access.get().values.get(&name).cloned());
        Ok(value.ok_or(Error::Undefined(name)))
    }
}
