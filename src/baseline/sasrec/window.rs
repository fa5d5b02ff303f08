//! Histories cut into windows, and windows put side by side for one pass.

use std::ops::Range;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

/// What one row of a batch reads, and the targets that follow its last items, one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window<'a> {
    /// Items that are read, oldest first.
    pub inputs: &'a [u32],
    /// Targets; the last one follows the last input.
    pub targets: &'a [u32],
}

impl<'a> Window<'a> {
    /// The newest `max` items of a history.
    pub fn newest(history: &'a [u32], max: usize) -> &'a [u32] {
        &history[history.len().saturating_sub(max)..]
    }

    /// Windows in which each index of `targets` in `items` is a target once. A target reads everything before it up to
    /// `max_history` items; of more, between `max_history - stride + 1` and `max_history`. The first item of all
    /// follows nothing and is no target.
    pub fn over(items: &'a [u32], targets: Range<usize>, max_history: usize, stride: usize) -> Vec<Self> {
        let mut windows = Vec::new();
        let mut at = targets.start.max(1);
        while at < targets.end {
            // The last target of the first window is the last one whose whole history fits.
            let next = if at <= max_history { max_history + 1 } else { at + stride };
            let next = next.min(targets.end);
            windows.push(Self { inputs: Self::newest(&items[..next - 1], max_history), targets: &items[at..next] });
            at = next;
        }
        windows
    }
}

/// Windows side by side, padded at the end to the longest: what is read comes first, and no item sees a later one, so
/// padding changes nothing.
#[derive(Debug, Clone)]
pub(super) struct Batch<B: Backend> {
    pub rows: usize,
    /// Places a row.
    pub length: usize,
    /// Items, `[rows * length]`; padding reads item 0.
    pub items: Tensor<B, 1, Int>,
    /// Places in the flattened rows that a prediction is read from, window by window.
    pub read: Tensor<B, 1, Int>,
}

impl<B: Backend> Batch<B> {
    /// A batch of rows (none of them empty), each with the number of its last positions that are read.
    pub fn new(rows: &[(&[u32], usize)], device: &B::Device) -> Self {
        let length = rows.iter().map(|(inputs, _)| inputs.len()).max().unwrap_or(0);
        let mut items = vec![0; rows.len() * length];
        let mut read = Vec::new();
        for (row, &(inputs, reads)) in rows.iter().enumerate() {
            let first = row * length;
            for (slot, &item) in items[first..].iter_mut().zip(inputs) {
                *slot = item as i32;
            }
            read.extend((first + inputs.len() - reads..first + inputs.len()).map(|position| position as i32));
        }
        Self { rows: rows.len(), length, items: integers(items, device), read: integers(read, device) }
    }
}

/// A list of whole numbers on the device.
pub(super) fn integers<B: Backend>(values: Vec<i32>, device: &B::Device) -> Tensor<B, 1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(items: &[u32], targets: Range<usize>, stride: usize) -> Vec<(Vec<u32>, Vec<u32>)> {
        let windows = Window::over(items, targets, 4, stride);
        windows.iter().map(|window| (window.inputs.to_vec(), window.targets.to_vec())).collect()
    }

    #[test]
    fn targets_with_short_histories_share_a_window() {
        assert_eq!(cut(&[7, 8, 9], 0..3, 1), [(vec![7, 8], vec![8, 9])]);
        // The earlier history is read and not predicted.
        assert_eq!(cut(&[7, 8, 9], 2..3, 1), [(vec![7, 8], vec![9])]);
        assert!(cut(&[7, 8, 9], 0..1, 1).is_empty());
        assert!(cut(&[7, 8, 9], 0..0, 1).is_empty());
    }

    #[test]
    fn a_stride_of_one_reads_the_newest_items_of_each_history() {
        let items: Vec<u32> = (0..8).collect();
        let first = (vec![0, 1, 2, 3], vec![1, 2, 3, 4]);
        let expected = [first.clone(), (vec![1, 2, 3, 4], vec![5]), (vec![2, 3, 4, 5], vec![6])];
        assert_eq!(cut(&items, 0..7, 1), expected);
        assert_eq!(cut(&items, 0..7, 2), [first, (vec![2, 3, 4, 5], vec![5, 6])]);
    }

    #[test]
    fn every_target_is_in_one_window_and_reads_enough() {
        let items: Vec<u32> = (0..40).collect();
        for (from, stride) in [(0, 3), (5, 3), (11, 4), (39, 1)] {
            let mut seen = vec![];
            for window in Window::over(&items, from..40, 4, stride) {
                assert!(window.inputs.len() <= 4);
                for (i, &target) in window.targets.iter().enumerate() {
                    let history = window.inputs.len() - (window.targets.len() - 1 - i);
                    assert_eq!(window.inputs[history - 1] + 1, target, "the target follows what is read");
                    assert!(history >= (target as usize).min(4 - stride + 1), "{target} reads {history}");
                    seen.push(target);
                }
            }
            assert_eq!(seen, items[from.max(1)..]);
        }
    }
}
