//! When users were active.

use super::Dataset;

/// By user: active in stage 1, and in no stage between it and `stage` (index from 0), of which there is at least one. Such a
/// user who acts in `stage` has come back after a pause.
pub fn dormant_users(dataset: &Dataset, stage: usize) -> Vec<bool> {
    let mut dormant = vec![false; dataset.users.len()];
    if stage < 2 {
        return dormant;
    }
    for (place, earlier) in dataset.stages.iter().take(stage).enumerate() {
        for sequence in &earlier.sequences {
            dormant[sequence.user as usize] = place == 0;
        }
    }
    dormant
}
