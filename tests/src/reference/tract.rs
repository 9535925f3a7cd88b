//! The graph in tract.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tract_onnx::prelude::*;

/// A graph that was optimised for any length of text.
#[derive(Debug)]
pub struct Tract(Arc<TypedRunnableModel>);

impl Tract {
    /// Parses and optimises a graph of [`onnx`](super::onnx).
    ///
    /// # Errors
    /// What tract does not understand.
    pub fn open(graph: &[u8]) -> Result<Self> {
        let mut model = onnx().model_for_read(&mut &*graph)?;
        let length = model.symbols.sym("S");
        for input in 0..2 {
            model.set_input_fact(input, i64::fact([1.to_dim(), length.to_dim()]).into())?;
        }
        Ok(Self(model.into_optimized()?.into_runnable()?))
    }

    /// Runs the network on word pieces; returns the rows of the last layer.
    ///
    /// # Errors
    /// What tract could not compute.
    pub fn run(&self, ids: &[u32]) -> Result<Vec<f32>> {
        let shape = [1, ids.len()];
        let tokens: Vec<i64> = ids.iter().map(|&id| id.into()).collect();
        let positions: Vec<i64> = (0..ids.len() as i64).collect();
        let tokens = Tensor::from_shape(&shape, &tokens)?;
        let positions = Tensor::from_shape(&shape, &positions)?;
        let output = self.0.run(tvec![tokens.into(), positions.into()])?;
        let hidden = output.first().context("the graph has no output")?;
        Ok(hidden.try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
    }
}
