//! Event files: records with checksums (`TFRecord`), each of which is an `Event` in the encoding of protocol buffers.

use std::io::{self, Write};

/// One event of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event<'a> {
    /// Seconds since 1970.
    pub(super) wall_time: f64,
    pub(super) step: u64,
    pub(super) value: Value<'a>,
}

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// The first event of every file: the version of its layout.
    Version,
    Scalar {
        tag: &'a str,
        value: f32,
    },
    /// Markdown.
    Text {
        tag: &'a str,
        text: &'a str,
    },
}

/// `DT_STRING` of tensors.
const STRING: u64 = 7;
/// `DATA_CLASS_TENSOR` of summaries.
const TENSOR: u64 = 2;

/// Writes an event as a record: its length and its bytes, each with a checksum.
pub(super) fn write_event(file: &mut impl Write, event: &Event<'_>) -> io::Result<()> {
    let bytes = encoded(event);
    let length = (bytes.len() as u64).to_le_bytes();
    file.write_all(&length)?;
    file.write_all(&masked(checksum(&length)).to_le_bytes())?;
    file.write_all(&bytes)?;
    file.write_all(&masked(checksum(&bytes)).to_le_bytes())
}

/// `Event { wall_time = 1, step = 2, file_version = 3, summary = 5 }`
fn encoded(event: &Event<'_>) -> Vec<u8> {
    let mut message = Message::default();
    message.double(1, event.wall_time).number(2, event.step);
    match event.value {
        Value::Version => message.text(3, "brain.Event:2"),
        // `Summary { value = 1 }`, `Value { tag = 1, simple_value = 2, tensor = 8, metadata = 9 }`
        Value::Scalar { tag, value } => {
            message.inside(5, |summary| _ = summary.inside(1, |inner| _ = inner.text(1, tag).float(2, value)))
        }
        Value::Text { tag, text } => message.inside(5, |summary| {
            summary.inside(1, |inner| {
                inner.text(1, tag);
                // `TensorProto { dtype = 1, tensor_shape = 2 { dim = 2 { size = 1 } }, string_val = 8 }`
                inner.inside(8, |tensor| {
                    tensor.number(1, STRING);
                    tensor.inside(2, |shape| _ = shape.inside(2, |dim| _ = dim.number(1, 1))).text(8, text);
                });
                // `SummaryMetadata { plugin_data = 1 { plugin_name = 1 }, data_class = 4 }`
                inner.inside(9, |metadata| {
                    metadata.inside(1, |plugin| _ = plugin.text(1, "text")).number(4, TENSOR);
                });
            });
        }),
    };
    message.0
}

/// A message in the encoding of protocol buffers, field by field.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// A number of seven bits a byte, the least first.
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    fn number(&mut self, field: u64, number: u64) -> &mut Self {
        self.key(field, 0);
        self.varint(number);
        self
    }

    fn double(&mut self, field: u64, number: f64) -> &mut Self {
        self.key(field, 1);
        self.0.extend(number.to_le_bytes());
        self
    }

    fn float(&mut self, field: u64, number: f32) -> &mut Self {
        self.key(field, 5);
        self.0.extend(number.to_le_bytes());
        self
    }

    fn text(&mut self, field: u64, text: &str) -> &mut Self {
        self.bytes(field, text.as_bytes())
    }

    fn inside(&mut self, field: u64, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(field, &inner.0)
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) -> &mut Self {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }
}

/// CRC-32C (Castagnoli), bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| crc >> 8 ^ TABLE[(crc as u8 ^ byte) as usize])
}

/// Checksums of records are turned and moved, so that one over bytes that hold checksums stays sound.
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // The check value of CRC-32C, and RFC 3720's examples of 32 bytes.
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(checksum(&[0xff; 32]), 0x62a8_ab43);
        // As TensorFlow masks it: turned right by 15 bits, and moved.
        assert_eq!(masked(0), 0xa282_ead8);
        assert_eq!(masked(0x8000), 0xa282_ead9);
    }

    #[test]
    fn an_event_is_encoded_as_protocol_buffers_are() {
        let scalar = Event { wall_time: 1.0, step: 300, value: Value::Scalar { tag: "a", value: 0.5 } };
        let mut expected = vec![0x09];
        expected.extend(1.0_f64.to_le_bytes());
        // Field 2 as 0b1_0010_1100 in groups of seven bits; then a summary of 10 bytes with a value of 8.
        expected.extend([0x10, 0xac, 0x02, 0x2a, 0x0a, 0x0a, 0x08, 0x0a, 0x01, b'a', 0x15]);
        expected.extend(0.5_f32.to_le_bytes());
        assert_eq!(encoded(&scalar), expected);
        let mut file = Vec::new();
        write_event(&mut file, &scalar).unwrap();
        assert_eq!(file[..8], (expected.len() as u64).to_le_bytes());
        assert_eq!(file[12..12 + expected.len()], expected);
        assert_eq!(file.len(), 16 + expected.len());
    }
}
