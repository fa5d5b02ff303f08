//! GGUF files for tests.

use std::path::Path;

/// A value of the metadata.
pub enum Value {
    Text(String),
    Number(u32),
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
            Self::Flag(flag) => (7, vec![u8::from(*flag)]),
            Self::Text(value) => (8, text(value)),
            Self::Texts(values) => (9, array(8, values.len(), values.iter().map(|value| text(value)))),
            Self::Numbers(values) => (9, array(5, values.len(), values.iter().map(|v| v.to_le_bytes().to_vec()))),
            Self::Floats(values) => (9, array(6, values.len(), values.iter().map(|v| v.to_le_bytes().to_vec()))),
        }
    }
}

/// Writes a file of metadata alone.
pub fn write(path: &Path, metadata: &[(&str, Value)]) {
    let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes()].concat();
    bytes.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        let (kind, value) = value.bytes();
        bytes.extend(text(key).into_iter().chain(kind.to_le_bytes()).chain(value));
    }
    std::fs::write(path, bytes).unwrap();
}
