//! The counters that an instance keeps between requests.

use std::rc::Rc;

use dossier_core::telemetry::metrics::Meter;

use crate::SystemEntropy;

thread_local! {
    /// Sums alone; nothing of a request can be told from them.
    static METER: Rc<Meter> = Rc::new(Meter::new(&SystemEntropy));
}

/// The counters of this instance, of this component.
pub fn meter() -> Rc<Meter> {
    METER.with(Rc::clone)
}
