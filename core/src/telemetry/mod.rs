//! What operators see: traces, metrics, log lines, and the ids that join them.
//!
//! Read in this order: [`Context`] names a request, [`Trace`] collects what happened in it,
//! [`Served`] is how it ended, [`log_line`] and [`metrics`] are what remains of it. Nothing here
//! looks at a clock or writes anywhere: functions pass the time and print what they get.

mod call;
mod context;
mod log;
pub mod metrics;
mod served;
mod stage;
mod timestamp;
mod trace;

pub use self::{
    call::Call,
    context::{Context, request_id},
    log::{QuestionLog, Visitor, log_line},
    served::Served,
    stage::Stage,
    timestamp::timestamp,
    trace::{Step, Trace},
};
