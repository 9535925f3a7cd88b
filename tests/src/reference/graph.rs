//! An ONNX graph (opset 20) under construction; what it computes is the caller's business.

use prost::Message as _;
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

    /// Closes the graph and encodes it: `inputs` are `[1, S]` 64-bit integers, `output` is
    /// `[1, S, width]` floats.
    pub(super) fn finish(self, inputs: &[&str], output: &str, width: usize) -> Vec<u8> {
        let integers = |name: &&str| sequence(name, DataType::Int64, None);
        let model = ModelProto {
            ir_version: 9,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 20 }],
            producer_name: "dossier".to_owned(),
            graph: Some(GraphProto {
                name: "encoder".to_owned(),
                node: self.nodes,
                initializer: self.initializers,
                input: inputs.iter().map(integers).collect(),
                output: vec![sequence(output, DataType::Float, Some(width))],
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        };
        model.encode_to_vec()
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

fn sequence(name: &str, kind: DataType, width: Option<usize>) -> ValueInfoProto {
    use tensor_shape_proto::{Dimension, dimension::Value};
    let dim = |value| Dimension { value: Some(value), ..Dimension::default() };
    let dims = [Value::DimValue(1), Value::DimParam("S".to_owned())];
    let dims = dims.into_iter().chain(width.map(|width| Value::DimValue(width as i64)));
    let shape = TensorShapeProto { dim: dims.map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: kind as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}
