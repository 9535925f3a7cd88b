//! Training of the classifier, and the measurement of every layer on texts it never saw.

mod cases;
mod measure;
mod train;

pub use self::{
    cases::{Attack, Cases, DataFault, Honest},
    measure::{Layer, Measurement, Rate},
    train::{Example, Trained, examples, train},
};
