//! Rules about how much and from where: pure state machines, the time as an argument.

mod cors;
mod ledger;
mod limits;
mod offenders;
mod quota;
mod shared;
mod tally;

pub use self::{
    cors::Cors,
    ledger::{Claim, Ledger},
    limits::{Limits, PROFILE, Profile},
    quota::{Limit, Quota, Refusal, Standing},
    shared::{LedgerFault, SharedLedger, read, update},
};
