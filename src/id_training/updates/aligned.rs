//! Refreshed codes take old names: level by level the one-to-one renaming under which most of the items that were there keep their
//! code (Baikalov et al., arXiv 2604.13273, as we read it).

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::Ids;

/// The refreshed ids in the words of old ones. `old` are those of the first items; each level has `codes` codes.
pub(super) fn renamed(refreshed: &Ids, old: &[u32], codes: usize) -> Vec<u32> {
    let levels = refreshed.quantiser.books.levels();
    let mut ids = refreshed.ids.clone();
    for level in 0..levels {
        let of_level = |ids: &[u32]| ids.iter().skip(level).step_by(levels).copied().collect::<Vec<u32>>();
        let names = matching(&of_level(&refreshed.ids), &of_level(old), codes);
        ids.iter_mut().skip(level).step_by(levels).for_each(|code| *code = names[*code as usize]);
    }
    ids
}

/// By new code: its old name, such that as many items as can be have the code that they had. Items are in the same order in both
/// lists, of which the old one may be shorter.
pub(in crate::id_training) fn matching(new: &[u32], old: &[u32], codes: usize) -> Vec<u32> {
    let mut together = Matrix::new(codes, codes, 0_i64);
    for (&new, &old) in new.iter().zip(old) {
        together[(new as usize, old as usize)] += 1;
    }
    kuhn_munkres(&together).1.into_iter().map(|old| old as u32).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_scipy() {
        // SciPy 1.17: `linear_sum_assignment(w, maximize=True)` of `w` = [[5, 4, 0, 0], [4, 0, 1, 0], [3, 2, 0, 2], [0, 0, 6, 3]]
        // gives the columns [1, 0, 3, 2] with the sum 16; the greedy choice of the largest first ends with 5 + 6 + 2 = 13.
        let counts = [[5, 4, 0, 0], [4, 0, 1, 0], [3, 2, 0, 2], [0, 0, 6, 3]];
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (row, counts) in (0..).zip(counts) {
            for (column, count) in (0..).zip(counts) {
                new.extend(std::iter::repeat_n(row, count));
                old.extend(std::iter::repeat_n(column, count));
            }
        }
        // Items that were not there have no say.
        new.extend([0; 50]);
        assert_eq!(matching(&new, &old, 4), [1, 0, 3, 2]);
    }

    proptest! {
        /// Not to rename is one of the renamings, so that the best one keeps no less; and distinct codes stay distinct.
        #[test]
        fn no_fewer_items_keep_their_code_than_without(
            items in proptest::collection::vec((0_u32..6, 0_u32..6), 1..80)
        ) {
            let (new, old): (Vec<u32>, Vec<u32>) = items.into_iter().unzip();
            let mut names = matching(&new, &old, 6);
            let kept = |name: &dyn Fn(u32) -> u32| new.iter().zip(&old).filter(|(new, old)| name(**new) == **old).count();
            prop_assert!(kept(&|code| names[code as usize]) >= kept(&|code| code));
            names.sort_unstable();
            prop_assert_eq!(names, [0, 1, 2, 3, 4, 5]);
        }
    }
}
