//! Writes the transformer of a BERT model as an ONNX graph (opset 20).
//!
//! Input `embedded` `[1, S, width]`: the sum of word, position and type embeddings, before the
//! first layer norm. Output `hidden` `[1, S, width]`: the last layer's token vectors. One text a
//! run and no padding, hence no attention mask.

use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, tensor_shape_proto, type_proto,
};

/// A graph under construction.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
}

/// An attribute's value.
pub(super) enum Attribute {
    Float(f32),
    Int(i64),
    Ints(Vec<i64>),
}

impl Graph {
    /// Adds an operation with one output, named like the node, and returns that name.
    pub(super) fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<(&str, Attribute)>,
    ) -> String {
        self.nodes.push(NodeProto {
            op_type: operator.to_owned(),
            name: name.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            attribute: attributes.into_iter().map(|(name, value)| attribute(name, value)).collect(),
            ..NodeProto::default()
        });
        name.to_owned()
    }

    /// Adds a constant of 32-bit floats.
    pub(super) fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DataType::Float, dims, raw)
    }

    /// Adds a constant of 64-bit integers, such as a shape.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DataType::Int64, &[values.len()], raw)
    }

    /// Adds a matrix `[rows, columns]` as signed bytes with one scale a column; the graph widens
    /// it back to floats. Returns the name of the widened matrix.
    pub(super) fn bytes(&mut self, name: &str, dims: &[usize; 2], values: &[f32]) -> String {
        let [rows, columns] = *dims;
        let scales: Vec<f32> = (0..columns)
            .map(|column| {
                let largest = (0..rows)
                    .map(|row| values[row * columns + column].abs())
                    .fold(f32::MIN_POSITIVE, f32::max);
                largest / 127.0
            })
            .collect();
        let raw = (values.iter().enumerate())
            .map(|(at, value)| (value / scales[at % columns]).round() as i8 as u8)
            .collect();
        let quantized = self.constant(&format!("{name}.int8"), DataType::Int8, dims, raw);
        let scale = self.floats(&format!("{name}.scale"), &[columns], &scales);
        self.node(
            "DequantizeLinear",
            name,
            &[&quantized, &scale],
            vec![("axis", Attribute::Int(1))],
        )
    }

    fn constant(&mut self, name: &str, kind: DataType, dims: &[usize], raw: Vec<u8>) -> String {
        self.initializers.push(TensorProto {
            name: name.to_owned(),
            data_type: kind as i32,
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            raw_data: raw,
            ..TensorProto::default()
        });
        name.to_owned()
    }

    /// Closes the graph; `input` and `output` are `[1, S, width]`.
    pub(super) fn finish(self, input: &str, output: &str, width: usize) -> ModelProto {
        ModelProto {
            ir_version: 9,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 20 }],
            producer_name: "dossier".to_owned(),
            graph: Some(GraphProto {
                name: "layers".to_owned(),
                node: self.nodes,
                initializer: self.initializers,
                input: vec![sequence(input, width)],
                output: vec![sequence(output, width)],
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        }
    }
}

fn attribute(name: &str, value: Attribute) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    match value {
        Attribute::Float(value) => {
            attribute.r#type = AttributeType::Float as i32;
            attribute.f = value;
        }
        Attribute::Int(value) => {
            attribute.r#type = AttributeType::Int as i32;
            attribute.i = value;
        }
        Attribute::Ints(values) => {
            attribute.r#type = AttributeType::Ints as i32;
            attribute.ints = values;
        }
    }
    attribute
}

fn sequence(name: &str, width: usize) -> ValueInfoProto {
    use tensor_shape_proto::{Dimension, dimension::Value};
    let dim = |value| Dimension { value: Some(value), ..Dimension::default() };
    let shape = TensorShapeProto {
        dim: vec![
            dim(Value::DimValue(1)),
            dim(Value::DimParam("S".to_owned())),
            dim(Value::DimValue(width as i64)),
        ],
    };
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}
