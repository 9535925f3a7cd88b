//! `dossier preinitialise`: opens what a component embeds when it is built instead of when it is
//! asked.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, anyhow};

use super::ingest;
use crate::output::{Failure, Outcome};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The component as it was built
    #[arg(value_name = "COMPONENT")]
    from: PathBuf,
    /// Where the initialised one goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What a component begins with: the magic number, the version and the layer.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let Arguments { from, out } = arguments;
    let component = fs::read(from).with_context(|| from.display().to_string());
    let component = component.map_err(Failure::usage)?;
    if !component.starts_with(COMPONENT) {
        return Err(Failure::usage(anyhow!(
            "{} is no WebAssembly component: give the one that was built for wasm32-wasip2; \
             nothing was written",
            from.display()
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // The runtime's errors have a chain of their own.
    let initialised = runtime
        .block_on(dossier_host::preinitialise(&component))
        .map_err(|error| anyhow!("{error:#}"))
        .with_context(|| format!("{} cannot be initialised", from.display()))?;
    Ok(ingest::write(out, &initialised)?)
}
