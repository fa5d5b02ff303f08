//! Typed values of a GGUF file's metadata.

use super::cursor::Cursor;

/// A value of the metadata.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(&'a str),
    Array(Array<'a>),
}

/// An array of values of one kind, read where it is gone through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Array<'a> {
    kind: u32,
    length: usize,
    bytes: &'a [u8],
}

/// Number of the kinds in the file.
mod kind {
    pub const U8: u32 = 0;
    pub const I8: u32 = 1;
    pub const U16: u32 = 2;
    pub const I16: u32 = 3;
    pub const U32: u32 = 4;
    pub const I32: u32 = 5;
    pub const F32: u32 = 6;
    pub const BOOL: u32 = 7;
    pub const TEXT: u32 = 8;
    pub const ARRAY: u32 = 9;
    pub const U64: u32 = 10;
    pub const I64: u32 = 11;
    pub const F64: u32 = 12;
}

impl<'a> Value<'a> {
    /// Reads a value of a kind.
    pub(super) fn read(cursor: &mut Cursor<'a>, kind: u32) -> Result<Self, String> {
        Ok(match kind {
            kind::U8 => Self::Unsigned(u64::from(cursor.take(1)?[0])),
            kind::I8 => Self::Signed(i64::from(cursor.take(1)?[0].cast_signed())),
            kind::U16 => Self::Unsigned(u64::from(u16::from_le_bytes(cursor.fixed()?))),
            kind::I16 => Self::Signed(i64::from(i16::from_le_bytes(cursor.fixed()?))),
            kind::U32 => Self::Unsigned(u64::from(cursor.u32()?)),
            kind::I32 => Self::Signed(i64::from(i32::from_le_bytes(cursor.fixed()?))),
            kind::F32 => Self::Float(f64::from(f32::from_le_bytes(cursor.fixed()?))),
            kind::BOOL => Self::Bool(cursor.take(1)?[0] != 0),
            kind::TEXT => Self::Text(cursor.text()?),
            kind::U64 => Self::Unsigned(cursor.u64()?),
            kind::I64 => Self::Signed(i64::from_le_bytes(cursor.fixed()?)),
            kind::F64 => Self::Float(f64::from_le_bytes(cursor.fixed()?)),
            kind::ARRAY => Self::Array(Array::read(cursor)?),
            other => return Err(format!("there is no kind {other} of metadata")),
        })
    }

    /// A whole number that is not negative.
    pub fn as_u64(self) -> Option<u64> {
        match self {
            Self::Unsigned(n) => Some(n),
            Self::Signed(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    /// Any number.
    pub fn as_f64(self) -> Option<f64> {
        match self {
            Self::Unsigned(n) => Some(n as f64),
            Self::Signed(n) => Some(n as f64),
            Self::Float(n) => Some(n),
            _ => None,
        }
    }
}

impl<'a> Array<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, String> {
        let (kind, length) = (cursor.u32()?, cursor.u64()?);
        let width = match kind {
            kind::U8 | kind::I8 | kind::BOOL => 1,
            kind::U16 | kind::I16 => 2,
            kind::U32 | kind::I32 | kind::F32 => 4,
            kind::U64 | kind::I64 | kind::F64 => 8,
            kind::TEXT => 0,
            kind::ARRAY => return Err("arrays of arrays are not supported".to_owned()),
            other => return Err(format!("there is no kind {other} of metadata")),
        };
        let length = usize::try_from(length).map_err(|_| "an array is longer than the file".to_owned())?;
        let bytes = if width == 0 {
            let rest = cursor.rest();
            let start = rest.len();
            // Every text is in the file with its length, so what is claimed is found out by going through it.
            for _ in 0..length {
                cursor.text()?;
            }
            &rest[..start - cursor.rest().len()]
        } else {
            cursor.take(length.checked_mul(width).ok_or("an array is longer than the file")?)?
        };
        Ok(Self { kind, length, bytes })
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The values.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        let mut cursor = Cursor::new(self.bytes);
        (0..self.length).map_while(move |_| Value::read(&mut cursor, self.kind).ok())
    }

    /// The texts, where all values are.
    pub fn texts(self) -> Option<impl Iterator<Item = &'a str>> {
        (self.kind == kind::TEXT || self.is_empty()).then(|| {
            self.values().filter_map(|value| match value {
                Value::Text(text) => Some(text),
                _ => None,
            })
        })
    }
}
