//! The number types of GGUF tensors, and how a row of each is read.
//!
//! The layouts are those of ggml's `block_*` structures: a row is a whole number of blocks, each with its own scale.

use half::{bf16, f16};

/// How a tensor's numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantization {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl Quantization {
    /// Every type that can be read.
    pub const ALL: [Self; 11] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
    ];

    /// The type of a number in the file.
    pub fn of(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::BF16,
            _ => return None,
        })
    }

    /// The name that ggml has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        }
    }

    /// All names, for an error.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Numbers and bytes of a block.
    fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::Q4_0 => (32, 2 + 16),
            Self::Q4_1 => (32, 4 + 16),
            Self::Q5_0 => (32, 2 + 4 + 16),
            Self::Q5_1 => (32, 4 + 4 + 16),
            Self::Q8_0 => (32, 2 + 32),
            Self::Q4K => (256, 4 + 12 + 128),
            Self::Q5K => (256, 4 + 12 + 32 + 128),
            Self::Q6K => (256, 128 + 64 + 16 + 2),
        }
    }

    /// Bytes of a row of so many numbers; none where that is more than can be counted.
    ///
    /// # Errors
    /// The numbers are not a whole number of blocks.
    pub fn row_bytes(self, columns: usize) -> Result<Option<usize>, String> {
        let (numbers, bytes) = self.block();
        if columns == 0 || !columns.is_multiple_of(numbers) {
            return Err(format!("rows of {columns} numbers cannot be {}, which come in {numbers}", self.name()));
        }
        Ok((columns / numbers).checked_mul(bytes))
    }

    /// Reads one row. `row` has the bytes of as many numbers as `out` has places; others are left as they are.
    pub fn read_row(self, row: &[u8], out: &mut [f32]) {
        let (numbers, bytes) = self.block();
        match self {
            Self::F32 => each(row, out, f32::from_le_bytes),
            Self::F16 => each(row, out, |b| f16::from_le_bytes(b).to_f32()),
            Self::BF16 => each(row, out, |b| bf16::from_le_bytes(b).to_f32()),
            _ => {
                for (block, out) in row.chunks_exact(bytes).zip(out.chunks_exact_mut(numbers)) {
                    self.read_block(block, out);
                }
            }
        }
    }

    fn read_block(self, block: &[u8], out: &mut [f32]) {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => self.read_row(block, out),
            Self::Q4_0 => nibbles(half_at(block, 0), -8.0 * half_at(block, 0), None, &block[2..], out),
            Self::Q4_1 => nibbles(half_at(block, 0), half_at(block, 2), None, &block[4..], out),
            Self::Q5_0 => {
                nibbles(half_at(block, 0), -16.0 * half_at(block, 0), Some(&block[2..6]), &block[6..], out);
            }
            Self::Q5_1 => nibbles(half_at(block, 0), half_at(block, 2), Some(&block[4..8]), &block[8..], out),
            Self::Q8_0 => {
                let scale = half_at(block, 0);
                for (value, &q) in out.iter_mut().zip(&block[2..]) {
                    *value = scale * f32::from(q.cast_signed());
                }
            }
            Self::Q4K => four_or_five(block, None, &block[16..], out),
            Self::Q5K => four_or_five(block, Some(&block[16..48]), &block[48..], out),
            Self::Q6K => six(block, out),
        }
    }
}

fn each<const N: usize>(row: &[u8], out: &mut [f32], read: impl Fn([u8; N]) -> f32) {
    for (value, bytes) in out.iter_mut().zip(row.as_chunks::<N>().0) {
        *value = read(*bytes);
    }
}

/// The half-precision number at a byte.
fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// 32 numbers `scale * q + min`: the low four bits of 16 bytes, then the high ones, with fifth bits of their own.
fn nibbles(scale: f32, min: f32, fifths: Option<&[u8]>, quants: &[u8], out: &mut [f32]) {
    let fifth = |i: usize| fifths.map_or(0, |bits| (bits[i / 8] >> (i % 8) & 1) << 4);
    for (i, &byte) in quants.iter().enumerate() {
        out[i] = scale * f32::from((byte & 15) | fifth(i)) + min;
        out[i + 16] = scale * f32::from((byte >> 4) | fifth(i + 16)) + min;
    }
}

/// Q4_K and Q5_K: 256 numbers in eight parts, whose scales and min values have six bits each, times one of two
/// half-precision numbers.
fn four_or_five(block: &[u8], fifths: Option<&[u8]>, quants: &[u8], out: &mut [f32]) {
    let (scale, min) = (half_at(block, 0), half_at(block, 2));
    let packed = &block[4..16];
    for (pair, quants) in quants.chunks_exact(32).enumerate() {
        for high in 0..2 {
            let part = 2 * pair + high;
            let (s, m) = six_bits(packed, part);
            let (s, m) = (scale * f32::from(s), min * f32::from(m));
            for (i, &byte) in quants.iter().enumerate() {
                let fifth = fifths.map_or(0, |bits| (bits[i] >> part & 1) << 4);
                out[32 * part + i] = s * f32::from((byte >> (4 * high) & 15) | fifth) - m;
            }
        }
    }
}

/// The scale and the min value of one of eight parts, of 12 bytes (ggml's `get_scale_min_k4`).
fn six_bits(packed: &[u8], part: usize) -> (u8, u8) {
    if part < 4 {
        (packed[part] & 63, packed[part + 4] & 63)
    } else {
        let high = |at: usize| packed[at] >> 6 << 4;
        ((packed[part + 4] & 15) | high(part - 4), (packed[part + 4] >> 4) | high(part))
    }
}

/// Q6_K: 256 numbers in two halves of 128, each number of four low and two high bits, with a scale for 16 of them.
fn six(block: &[u8], out: &mut [f32]) {
    let scale = half_at(block, 208);
    for part in 0..2 {
        let (low, high) = (&block[64 * part..][..64], &block[128 + 32 * part..][..32]);
        let scales = &block[192 + 8 * part..][..8];
        for i in 0..32 {
            for quarter in 0..4 {
                let low = low[i + 32 * (quarter % 2)] >> (4 * (quarter / 2)) & 15;
                let q = low | (high[i] >> (2 * quarter) & 3) << 4;
                let s = scale * f32::from(scales[2 * quarter + i / 16].cast_signed());
                out[128 * part + 32 * quarter + i] = s * (f32::from(q) - 32.0);
            }
        }
    }
}
