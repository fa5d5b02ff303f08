//! GGUF files for tests.

use std::path::Path;

/// Bytes that tensors are aligned to where the metadata does not say.
const ALIGNMENT: usize = 32;

/// A value of the metadata.
#[derive(Clone)]
pub enum Value {
    Text(String),
    Number(u32),
    Short(u16),
    Float(f32),
    Flag(bool),
    Texts(Vec<String>),
    Numbers(Vec<i32>),
    Floats(Vec<f32>),
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn array(kind: u32, length: usize, values: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let head = [kind.to_le_bytes().to_vec(), (length as u64).to_le_bytes().to_vec()].concat();
    [head].into_iter().chain(values).flatten().collect()
}

impl Value {
    fn bytes(&self) -> (u32, Vec<u8>) {
        match self {
            Self::Number(number) => (4, number.to_le_bytes().to_vec()),
            Self::Short(number) => (2, number.to_le_bytes().to_vec()),
            Self::Float(number) => (6, number.to_le_bytes().to_vec()),
            Self::Flag(flag) => (7, vec![u8::from(*flag)]),
            Self::Text(value) => (8, text(value)),
            Self::Texts(values) => (9, array(8, values.len(), values.iter().map(|value| text(value)))),
            Self::Numbers(values) => (9, array(5, values.len(), values.iter().map(|v| v.to_le_bytes().to_vec()))),
            Self::Floats(values) => (9, array(6, values.len(), values.iter().map(|v| v.to_le_bytes().to_vec()))),
        }
    }
}

/// A tensor of float32 numbers; its shape is outermost first.
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Writes a file of metadata alone.
pub fn write(path: &Path, metadata: &[(&str, Value)]) {
    write_model(path, metadata, &[]);
}

/// Writes a file of metadata and tensors.
pub fn write_model(path: &Path, metadata: &[(&str, Value)], tensors: &[Tensor]) {
    let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes(), &(tensors.len() as u64).to_le_bytes()].concat();
    bytes.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        let (kind, value) = value.bytes();
        bytes.extend(text(key).into_iter().chain(kind.to_le_bytes()).chain(value));
    }
    let mut data: Vec<u8> = Vec::new();
    for tensor in tensors {
        bytes.extend(text(&tensor.name));
        bytes.extend((tensor.shape.len() as u32).to_le_bytes());
        // The file has the innermost first; 0 is float32.
        bytes.extend(tensor.shape.iter().rev().flat_map(|&size| (size as u64).to_le_bytes()));
        bytes.extend(0u32.to_le_bytes().into_iter().chain((data.len() as u64).to_le_bytes()));
        data.extend(tensor.values.iter().flat_map(|value| value.to_le_bytes()));
        data.resize(data.len().next_multiple_of(ALIGNMENT), 0);
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes.extend(data);
    std::fs::write(path, bytes).unwrap();
}
