//! Coarser levels of a matrix, so that a dot of the picture that covers many cells need not read them all.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::Level;

/// Width by height of the view that levels are made for. A matrix that fills another one is drawn a little less sharply.
const VIEW: f64 = 1.6;
/// Values that are looked at for a quantile.
const SAMPLE: usize = 1 << 20;

/// `finest` and the coarser levels, until one cell is left.
pub(super) fn levels(finest: Level) -> Vec<Level> {
    // Cells that a dot of the view covers in height for each that it covers in width.
    let stretched = (VIEW * finest.rows as f64 / finest.columns as f64).log2().round();
    let mut levels = vec![finest];
    while let Some(last) = levels.last().filter(|last| last.rows.max(last.columns) > 1) {
        // The side of which a dot covers more is halved alone, until cells are about as the view shows them.
        let so_far = f64::from(last.shifts[1]) - f64::from(last.shifts[0]);
        let halved = match so_far.partial_cmp(&stretched) {
            Some(Ordering::Less) if last.rows > 1 => [0, 1],
            Some(Ordering::Greater) if last.columns > 1 => [1, 0],
            _ => [1, 1],
        };
        let coarser = coarser(last, halved);
        levels.push(coarser);
    }
    levels
}

/// Half as many columns, rows or both, rounded up.
fn coarser(level: &Level, halved: [u32; 2]) -> Level {
    let [columns, rows] = [level.columns.div_ceil(1 << halved[0]), level.rows.div_ceil(1 << halved[1])];
    let mut values = vec![0.0; rows * columns];
    values.par_chunks_mut(columns).enumerate().for_each(|(row, values)| {
        let line = |row: usize| &level.values[row.min(level.rows - 1) * level.columns..][..level.columns];
        let above = line(row << halved[1]);
        let below = line((row << halved[1]) + halved[1] as usize);
        let wide = 1 << halved[0];
        for ((value, above), below) in values.iter_mut().zip(above.chunks(wide)).zip(below.chunks(wide)) {
            *value = above.iter().chain(below).copied().fold(f32::NAN, stronger);
        }
    });
    let shifts = [0, 1].map(|axis| level.shifts[axis] + halved[axis]);
    Level { rows, columns, shifts, values }
}

/// The one of larger magnitude; the positive one of two equal, and the number where the other is none.
fn stronger(a: f32, b: f32) -> f32 {
    match (a.is_finite(), b.is_finite()) {
        (true, true) if (a.abs(), a) >= (b.abs(), b) => a,
        (true, false) => a,
        (false, false) => f32::NAN,
        _ => b,
    }
}

/// The least and the greatest finite value; both 0 where there is none.
pub(super) fn extremes(values: &[f32]) -> [f32; 2] {
    let finite = values.par_iter().copied().filter(|value| value.is_finite());
    let [min, max] = finite
        .fold(|| [f32::INFINITY, f32::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)])
        .reduce(|| [f32::INFINITY, f32::NEG_INFINITY], |a, b| [a[0].min(b[0]), a[1].max(b[1])]);
    if min <= max { [min, max] } else { [0.0; 2] }
}

/// The magnitude that `part` of the finite values stay within; of a million of them where there are more.
pub(super) fn magnitude_of_part(values: &[f32], part: f64) -> f32 {
    let every = values.len().div_ceil(SAMPLE).max(1);
    // A step that shares no factor with the usual widths does not look at the same columns in every row.
    let step = if every > 1 { every | 1 } else { 1 };
    let mut magnitudes: Vec<f32> =
        values.iter().step_by(step).map(|value| value.abs()).filter(|magnitude| magnitude.is_finite()).collect();
    let Some(last) = magnitudes.len().checked_sub(1) else { return 0.0 };
    let index = (part * last as f64).round() as usize;
    *magnitudes.select_nth_unstable_by(index, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_keeps_what_is_strongest() {
        let values = vec![
            1.0,
            -2.0,
            0.5, //
            0.0,
            1.5,
            -0.25, //
            f32::NAN,
            f32::NAN,
            3.0,
        ];
        let levels = levels(Level { rows: 3, columns: 3, shifts: [0, 0], values });
        assert_eq!(levels.iter().map(|level| level.shifts).collect::<Vec<_>>(), [[0, 0], [0, 1], [1, 2], [2, 3]]);
        assert_eq!([levels[1].rows, levels[1].columns], [2, 3]);
        assert_eq!(levels[1].values[..3], [1.0, -2.0, 0.5]);
        assert!(levels[1].values[3].is_nan(), "a gap stays one where there is nothing else");
        assert_eq!(levels[1].values[5], 3.0);
        assert_eq!(levels[2].values, [-2.0, 3.0]);
        assert_eq!(levels[3].values, [3.0]);
    }

    #[test]
    fn the_strongest_of_any_block_is_the_strongest_of_its_cells() {
        for [rows, columns] in [[37, 53], [300, 4], [3, 200]] {
            blocks_keep_the_strongest(rows, columns);
        }
    }

    fn blocks_keep_the_strongest(rows: usize, columns: usize) {
        let values: Vec<f32> = (0..rows * columns).map(|index| ((index * 7919) % 1013) as f32 - 506.0).collect();
        let levels = levels(Level { rows, columns, shifts: [0, 0], values: values.clone() });
        assert_eq!(levels.last().unwrap().values.len(), 1);
        for (depth, level) in levels.iter().enumerate() {
            let [across, down] = level.shifts.map(|shift| 1 << shift);
            for (index, value) in level.values.iter().enumerate() {
                let [row, column] = [index / level.columns * down, index % level.columns * across];
                let block = (row..(row + down).min(rows))
                    .flat_map(|row| (column..(column + across).min(columns)).map(move |column| (row, column)))
                    .map(|(row, column)| values[row * columns + column].abs());
                assert_eq!(value.abs(), block.fold(0.0, f32::max), "level {depth} at {index}");
            }
        }
    }

    #[test]
    fn infinite_values_are_gaps() {
        assert!(stronger(f32::INFINITY, f32::NAN).is_nan());
        assert_eq!(stronger(f32::INFINITY, -1.0), -1.0);
        assert_eq!([stronger(2.0, -2.0), stronger(-2.0, 2.0)], [2.0, 2.0]);
        assert_eq!(extremes(&[f32::NAN, -1.0, f32::INFINITY, 4.0]), [-1.0, 4.0]);
        assert_eq!(extremes(&[f32::NAN]), [0.0, 0.0]);
    }

    #[test]
    fn one_outlier_does_not_decide_what_is_usual() {
        let mut values: Vec<f32> = (0..1000).map(|index| index as f32 / 1000.0).collect();
        values.push(-1e6);
        assert!((magnitude_of_part(&values, 0.995) - 0.995).abs() < 0.002);
        assert_eq!(magnitude_of_part(&[], 0.995), 0.0);
        assert_eq!(magnitude_of_part(&[f32::NAN], 0.995), 0.0);
        let many: Vec<f32> = (0..3 * SAMPLE).map(|index| (index % 1000) as f32).collect();
        assert!((magnitude_of_part(&many, 0.5) - 500.0).abs() < 5.0);
    }
}
