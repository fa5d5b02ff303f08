//! The order of training: every epoch shuffles the users' sequences and cuts them into steps.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::model::packing::Sequence;
use crate::seeds;

/// Steps of an epoch: each is a list of places in the sequences, with at least `batch` targets but in the last.
pub fn epoch(sequences: &[Sequence], batch: usize, seed: u64, stream: &str, epoch: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["order", stream, &epoch.to_string()])));
    let mut steps = vec![];
    let (mut step, mut targets) = (vec![], 0);
    for place in order {
        step.push(place);
        targets += sequences[place].branches.len();
        if targets >= batch {
            steps.push(std::mem::take(&mut step));
            targets = 0;
        }
    }
    if !step.is_empty() {
        steps.push(step);
    }
    steps
}

/// A uniform sample of so many of the sequences' targets, each with its own sequence's history; all where there are not
/// more.
pub fn sample(sequences: Vec<Sequence>, targets: usize, seed: u64) -> Vec<Sequence> {
    let all: usize = sequences.iter().map(|s| s.branches.len()).sum();
    let mut chosen = vec![true; all];
    if targets < all {
        chosen[targets..].fill(false);
        chosen.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    }
    let mut chosen = chosen.into_iter();
    let thinned = |mut sequence: Sequence| {
        sequence.branches.retain(|_| chosen.next().unwrap_or(false));
        (!sequence.branches.is_empty()).then_some(sequence)
    };
    sequences.into_iter().filter_map(thinned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packing::Branch;

    #[test]
    fn an_epoch_has_every_sequence_once_and_full_steps() {
        let branch = Branch { targets: vec![0], ..Branch::unscored(0, vec![0]) };
        let sequences: Vec<Sequence> =
            (0..50).map(|i| Sequence { prefix: vec![], branches: vec![branch.clone(); 1 + i % 4] }).collect();
        let steps = epoch(&sequences, 8, 1, "stage 2", 0);
        let mut all: Vec<usize> = steps.concat();
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        let targets = |step: &Vec<usize>| step.iter().map(|&i| sequences[i].branches.len()).sum::<usize>();
        assert!(steps[..steps.len() - 1].iter().all(|s| (8..12).contains(&targets(s))));
        assert_ne!(steps, epoch(&sequences, 8, 1, "stage 2", 1), "epochs differ");
        assert_ne!(steps, epoch(&sequences, 8, 2, "stage 2", 0), "seeds differ");
        assert_eq!(steps, epoch(&sequences, 8, 1, "stage 2", 0));
    }
}
