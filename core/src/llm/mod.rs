//! Language models behind HTTP: which there are, whether one may be asked, asking it, and what it
//! said, piece by piece.
//!
//! A question goes this way: [`Catalogue::choose`] names the candidates, [`State::permit`] reserves
//! tokens and money of the first that may be asked, [`Provider::complete`] asks it, and
//! [`State::settle`] gives back what was not used. Whatever goes wrong is a value; the caller takes
//! the next candidate as long as no piece was handed on.

mod completion;

mod price;
mod quota;

mod catalogue;
mod provider;

mod sse;
mod think;
mod tokens;

mod fault;
mod headers;
mod outcome;
mod reader;
mod stream;

mod breaker;
mod state;
mod window;

mod availability;
mod readings;

#[cfg(test)]
mod tests;

pub use self::{
    availability::{Availability, Condition, MISCONFIGURED, availability},
    breaker::{Breaker, Position, Verdict},
    catalogue::{Candidate, Catalogue, EXTRACTIVE, OWN, UnknownModel},
    completion::{Completion, Effort, Message, Role, Settings, Waits},
    fault::Fault,
    headers::{Allowance, RateLimits},
    outcome::{Charge, Finish, Outcome, Settlement, Usage},
    price::Price,
    provider::{Model, Provider},
    quota::{Caps, Limits, Quota, Reservation},
    readings::Transition,
    sse::{Events, TooLong},
    state::{Denied, Gauge, Permit, State},
    stream::{Call, Collected, Listener},
    think::{Piece, Splitter},
    tokens::{Counter, estimate},
};
