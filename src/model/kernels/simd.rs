//! Inner loops of the CPU kernels, compiled for the vectors that the machine has.

/// Functions of slices that are compiled twice, for AVX2 and for what every machine has, and choose when they are called.
///
/// What they call has to be inlined in both, so it is `#[inline(always)]`. A closure that a generic function calls under
/// each set of instructions would read better, but then the compiler has several places to inline a large one in, leaves it
/// out of all of them, and none is vectorised.
macro_rules! vectorised {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $output:ty)? $body:block
    )*) => {$(
        $(#[$attribute])*
        #[allow(unsafe_code, reason = "calls a function of instructions that not every machine has; see SAFETY")]
        $visibility fn $name($($argument: $type),*) $(-> $output)? {
            #[inline(always)]
            fn anywhere($($argument: $type),*) $(-> $output)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn with_avx2($($argument: $type),*) $(-> $output)? {
                    anywhere($($argument),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the machine has AVX2.
                    return unsafe { with_avx2($($argument),*) };
                }
            }
            anywhere($($argument),*)
        }
    )*};
}
pub(super) use vectorised;

/// `e^x` to 2 units in the last place, in plain arithmetic that vectorises (the standard one is a call).
///
/// Cephes' `expf`: `x = n ln 2 + r`, a polynomial in `r`, and `n` into the exponent.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 · 2²³ rounds to the nearest integer without a call.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1] {
        p = p * r + c;
    }
    (p * r * r + r + 1.0) * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

/// The hyperbolic tangent, in plain arithmetic that vectorises: Cephes' `tanhf`, a polynomial where `1 - 2 / (e^2x + 1)` would
/// cancel.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_7e-3;
    for c in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p * z + c;
    }
    let small = x + x * z * p;
    let large = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { small } else { large.copysign(x) }
}

/// Sum of running sums, by halves: one after the other would wait for each addition.
#[inline(always)]
fn total(mut sums: [f32; 16]) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
    }
    sums[0]
}

/// Inner product, in sixteen running sums so that it vectorises.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a16, a_rest) = a.as_chunks::<16>();
    let (b16, b_rest) = b.as_chunks::<16>();
    for (x, y) in a16.iter().zip(b16) {
        for i in 0..16 {
            sums[i] += x[i] * y[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    total(sums) + rest
}

/// `y += factor * x`.
#[inline(always)]
pub fn add_scaled(y: &mut [f32], factor: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// Largest value.
#[inline(always)]
pub fn max(values: &[f32]) -> f32 {
    let mut best = [f32::NEG_INFINITY; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        for i in 0..16 {
            best[i] = if chunk[i] > best[i] { chunk[i] } else { best[i] };
        }
    }
    rest.iter().chain(&best).fold(f32::NEG_INFINITY, |m, &v| if v > m { v } else { m })
}

/// Replaces `values` by `e^(values - shift)` and returns their sum.
#[inline(always)]
pub fn exp_shifted(values: &mut [f32], shift: f32) -> f32 {
    let mut sums = [0.0f32; 16];
    let (chunks, rest) = values.as_chunks_mut::<16>();
    for chunk in chunks {
        for i in 0..16 {
            chunk[i] = exp(chunk[i] - shift);
            sums[i] += chunk[i];
        }
    }
    let mut sum = total(sums);
    for value in rest {
        *value = exp(*value - shift);
        sum += *value;
    }
    sum
}

/// Elements that one call of [`dropout_factors`] decides on.
pub const MASK_BLOCK: usize = 32;

/// The factor on each of 32 elements under a dropout of this seed: `scale` where it is kept, else 0. Decided by bits of a
/// mixing of seed and block number (Murmur3's) against a threshold out of 2¹⁶; one mixing serves two elements.
#[inline(always)]
pub fn dropout_factors(seed: u32, block: u32, threshold: u32, scale: f32) -> [f32; MASK_BLOCK] {
    const HALF: usize = MASK_BLOCK / 2;
    // All ones where kept: a mask over the bits of `scale`, so that no lane branches.
    let factor = |bits: u32| f32::from_bits(u32::from(bits >= threshold).wrapping_neg() & scale.to_bits());
    let mut factors = [0.0; MASK_BLOCK];
    for i in 0..HALF {
        let mut h = (block.wrapping_mul(HALF as u32) + i as u32).wrapping_mul(0x9E37_79B1) ^ seed;
        h ^= h >> 16;
        h = h.wrapping_mul(0x85EB_CA6B);
        h ^= h >> 13;
        h = h.wrapping_mul(0xC2B2_AE35);
        h ^= h >> 16;
        factors[i] = factor(h & 0xFFFF);
        factors[i + HALF] = factor(h >> 16);
    }
    factors
}
