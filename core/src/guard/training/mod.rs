//! Training of the classifier, and the measurement of every layer on texts it never saw.

mod cases;
mod measure;
mod teach;
mod train;

pub use self::{
    cases::{Attack, Cases, DataFault, Honest},
    measure::{Layer, Measurement, Rate},
    teach::{Taught, teach},
    train::{Example, Trained, examples, train},
};
