//! What `dossier up` logs. A component's lines that are records of their own, with time and level,
//! go out as they are, so that programs can read them; before all others stand time, level and origin.

use std::{fmt, io};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Format, format::Writer},
    registry::LookupSpan,
};

/// The variable with the filter; `info` where it is unset or none.
const FILTER: &str = "DOSSIER_LOG";
/// Where the host says what components print.
const COMPONENTS: &str = "dossier_host::stdio";

/// Logs to standard error from now on.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().event_format(Lines::default()).with_writer(io::stderr);
    log.with_env_filter(filter).init();
}

/// The form of a line.
#[derive(Default)]
struct Lines(Format);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut message = Message::default();
        event.record(&mut message);
        let is_record = event.metadata().target() == COMPONENTS && message.0.starts_with('{');
        match is_record {
            true => writeln!(writer, "{}", message.0),
            false => self.0.format_event(context, writer, event),
        }
    }
}

/// What an event says, without its fields.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Seek as _},
        sync::Arc,
    };

    use super::*;

    #[test]
    fn records_of_components_stand_alone() {
        let mut file = tempfile::tempfile().unwrap();
        let copy = Arc::new(file.try_clone().unwrap());
        let log = tracing_subscriber::fmt().event_format(Lines::default()).with_writer(copy);
        tracing::subscriber::with_default(log.finish(), || {
            tracing::info!(target: COMPONENTS, component = "chat", "{{\"level\":\"info\"}}");
            tracing::info!(target: COMPONENTS, component = "chat", "no model is asked");
            tracing::info!("{{\"level\":\"info\"}}");
        });
        let mut said = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut said).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "{\"level\":\"info\"}");
        assert!(lines[1].contains("INFO dossier_host::stdio: no model is asked"), "{said}");
        assert!(lines[1].ends_with("component=\"chat\""), "{said}");
        assert!(lines[2].contains("INFO ") && lines[2].ends_with("{\"level\":\"info\"}"), "{said}");
        assert_eq!(lines.len(), 3);
    }
}
