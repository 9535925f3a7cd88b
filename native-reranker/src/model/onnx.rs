//! ONNX graphs (opset 20), node by node.

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
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<ValueInfoProto>,
}

/// An attribute's value.
pub(super) enum Attribute {
    Float(f32),
    Int(i64),
    Ints(Vec<i64>),
}

/// A dimension of an input or output.
#[derive(Clone, Copy)]
pub(super) enum Dim {
    /// Any length; equal names are equal lengths.
    Any(&'static str),
    /// This length.
    Is(usize),
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

    /// Adds a constant of 64-bit integers: a list, or a scalar where `dims` is empty.
    pub(super) fn integers(&mut self, name: &str, dims: &[usize], values: &[i64]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DataType::Int64, dims, raw)
    }

    /// Adds a constant of signed bytes.
    pub(super) fn bytes(&mut self, name: &str, dims: &[usize], values: &[i8]) -> String {
        let raw = values.iter().map(|&value| value as u8).collect();
        self.constant(name, DataType::Int8, dims, raw)
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

    /// Declares an input of 64-bit integers.
    pub(super) fn input(&mut self, name: &str, dims: &[Dim]) -> String {
        self.inputs.push(value(name, DataType::Int64, dims));
        name.to_owned()
    }

    /// Declares an output of 32-bit floats.
    pub(super) fn output(&mut self, name: &str, dims: &[Dim]) {
        self.outputs.push(value(name, DataType::Float, dims));
    }

    /// Closes the graph.
    pub(super) fn finish(self) -> ModelProto {
        ModelProto {
            ir_version: 9,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 20 }],
            producer_name: "dossier".to_owned(),
            graph: Some(GraphProto {
                name: "cross-encoder".to_owned(),
                node: self.nodes,
                initializer: self.initializers,
                input: self.inputs,
                output: self.outputs,
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

fn value(name: &str, kind: DataType, dims: &[Dim]) -> ValueInfoProto {
    use tensor_shape_proto::{Dimension, dimension::Value};
    let dimension = |dim: &Dim| {
        let value = match *dim {
            Dim::Any(name) => Value::DimParam(name.to_owned()),
            Dim::Is(length) => Value::DimValue(length as i64),
        };
        Dimension { value: Some(value), ..Dimension::default() }
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dimension).collect() };
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
